// The library's own types fit what the Streams bridge takes: by the compiler.
/// <reference types="amazon-connect-streams" />
import { describe, expectTypeOf, it } from 'vitest';
import type { StreamsAgent, StreamsContact, StreamsLibrary } from '../../../ccp/src/streams/library.ts';

describe('the types of the Streams bridge', () => {
  it('take the global of amazon-connect-streams', () => {
    expectTypeOf<typeof connect>().toExtend<StreamsLibrary>();
  });

  it('take its agents and contacts', () => {
    expectTypeOf<connect.Agent>().toExtend<StreamsAgent>();
    expectTypeOf<connect.Contact>().toExtend<StreamsContact>();
  });
});
