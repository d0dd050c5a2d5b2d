// What any program on the port may send: nothing makes the page's parser throw, and what comes out is limited.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  failureOf,
  healthOf,
  helloReply,
  parseMessage,
  parseObject,
  startReply,
} from '../../../ccp/src/client/frames.ts';

const state = {
  type: 'app.state',
  rev: 3,
  state: 'recording',
  contacts: [],
  uploads: { pending: 1, failed: 0 },
};
const recording = { contactId: 'c', recordingId: 'r', state: 'recording' };
const parse = (value: unknown) => parseMessage(JSON.stringify(value));

describe('parseMessage', () => {
  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseMessage(text)));
    fc.assert(fc.property(fc.json(), (text) => void parseMessage(text)));
  });

  it('never throws, whatever is in the known fields', () => {
    const fields = Object.fromEntries(
      [
        're',
        'ok',
        'error',
        'type',
        'rev',
        'state',
        'contacts',
        'uploads',
        'reason',
        'event',
        'contactId',
        'cause',
      ].map((name) => [
        name,
        fc.option(fc.oneof(fc.jsonValue(), fc.constantFrom('app.state', 'recording', true)), {
          nil: undefined,
        }),
      ]),
    );
    fc.assert(
      fc.property(fc.record(fields), (value) => void parse(value)),
      { numRuns: 500 },
    );
  });

  it('tells replies from pushes, and drops what it does not know', () => {
    expect(parse({ re: '1', ok: true, startTime: 't' })).toMatchObject({ kind: 'reply', re: '1', ok: true });
    expect(parse({ re: '1', ok: 'true' })).toMatchObject({ ok: false, result: { code: 'UNKNOWN' } });
    expect(parse({ re: null, ok: false })).toBeUndefined();
    expect(parse({ type: 'app.update', rev: 1 })).toBeUndefined();
    expect(parse({ ...state, state: 'perfect' })).toBeUndefined();
    expect(parse([])).toBeUndefined();
    expect(parse({ type: 'contact.resumed', rev: 1, contactId: 'c', cause: 'whim' })).toBeUndefined();
  });

  it('limits texts and lists', () => {
    const long = 'x'.repeat(5000);
    const message = parse({
      ...state,
      contacts: [
        ...Array.from({ length: 1000 }, () => recording),
        { ...recording, state: 'perfect' },
        null,
        3,
      ],
      reason: { code: 'X', message: long },
    });
    if (message?.kind !== 'push' || message.push.type !== 'app.state') throw new Error('no push');
    expect(message.push.contacts).toHaveLength(64);
    expect(message.push.reason?.message).toHaveLength(1024);
    expect(parse({ ...state, contacts: 'none', uploads: null })).toMatchObject({
      push: { contacts: [], uploads: { pending: 0, failed: 0 }, reason: null },
    });
  });
});

describe('replies', () => {
  it('without what they must have are none', () => {
    expect(startReply({ recordingId: 'r' })).toBeUndefined();
    expect(
      startReply({ recordingId: 'r', startTime: 't', stillSuspendedBy: ['a', 3], pausedBy: [] }),
    ).toEqual({
      ...{ recordingId: 'r', startTime: 't', stillSuspendedBy: ['a'] },
    });
    expect(helloReply({ sessionId: 's' })).toBeUndefined();
    expect(helloReply({ sessionId: 's', protocol: 1, recordings: [recording, {}] })).toMatchObject({
      ...{ recordings: [recording], suspendMaxSeconds: 0 },
    });
    expect(healthOf(parseObject('{"app":"sightline","version":"1","protocol":"1"}'))).toBeUndefined();
  });

  it('that failed have a code that looks like one', () => {
    expect(failureOf({ code: 'USER_ERROR', message: 'm', source: 'CLIENT' })).toMatchObject({
      code: 'USER_ERROR',
    });
    for (const code of ['<b>', '', 7, 'X'.repeat(65), '__proto__'])
      expect(failureOf({ code })).toMatchObject({ code: 'UNKNOWN', source: 'UNKNOWN' });
    expect(failureOf({ retryAfterSeconds: 'soon', retryable: 1 })).not.toHaveProperty('retryable');
  });
});
