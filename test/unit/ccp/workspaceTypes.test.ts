// Amazon's clients fit what the workspace bridge takes, and the helpers for choosing contacts fit both bridges: by the compiler.
import type { AgentClient, ContactClient } from '@amazon-connect/contact';
import { describe, expectTypeOf, it } from 'vitest';
import type { WorkspaceOptions } from '../../../ccp/src/connectWorkspace.ts';
import type { StreamsOptions } from '../../../ccp/src/connectStreams.ts';
import type { attribute, queue, sample } from '../../../ccp/src/streams/choice.ts';
import type { WorkspaceAgentClient, WorkspaceContactClient } from '../../../ccp/src/workspace/clients.ts';

describe('the types of the workspace bridge', () => {
  it('take the clients of @amazon-connect/contact', () => {
    expectTypeOf<ContactClient>().toExtend<WorkspaceContactClient>();
    expectTypeOf<AgentClient>().toExtend<WorkspaceAgentClient>();
  });

  it('take the same helpers as those of the Streams bridge', () => {
    type Helper = ReturnType<typeof queue | typeof attribute | typeof sample>;
    expectTypeOf<Helper>().toExtend<WorkspaceOptions['record']>();
    expectTypeOf<Helper>().toExtend<NonNullable<StreamsOptions['record']>>();
  });
});
