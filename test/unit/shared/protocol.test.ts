import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Request } from '../../../main/shared/protocol.ts';
import { parseFrame } from '../../../main/shared/protocol.ts';
import { containing } from '../support/matchers.ts';

const hello = {
  id: '1',
  type: 'hello',
  protocol: 1,
  agentArn: 'arn:aws:connect:eu-central-1:123456789012:instance/1/agent/2',
  instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/1',
};
const start = { id: '7', type: 'contact.start', contactId: 'abc-1', channel: 'VOICE' };

const parse = (value: unknown): ReturnType<typeof parseFrame> => parseFrame(JSON.stringify(value));

/** What is wrong with a frame that must be refused. */
function problem(value: unknown): { id: string | null; message: string } {
  const parsed = parse(value);
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.request)}`);
  return { id: parsed.id, message: parsed.message };
}

function accepted(value: unknown): Request {
  const parsed = parse(value);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.request;
}

describe('a frame that is no request', () => {
  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['half an object', '{"id":"1"'],
    ['two objects', '{}{}'],
  ])('is refused without an id when it is %s', (_, text) => {
    expect(parseFrame(text)).toEqual({
      ok: false,
      id: null,
      message: 'The frame is not JSON. Send one JSON object per text frame.',
    });
  });

  it.each([['null'], ['[]'], ['"hello"'], ['1'], ['true']])(
    'is refused without an id when it is %s',
    (text) => {
      expect(parseFrame(text)).toEqual({
        ok: false,
        id: null,
        message: 'The frame is JSON but not an object.',
      });
    },
  );

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['longer than 64 characters', 'x'.repeat(65)],
    ['a number', 1],
    ['null', null],
  ])('is refused without an id when its id is %s', (_, id) => {
    expect(problem({ ...start, id })).toEqual({
      id: null,
      message: 'The field "id" must be a string of 1 to 64 characters.',
    });
  });

  it.each([['contact.delete'], ['HELLO'], [''], [7], [null], [undefined]])(
    'is refused with its id when its type is %j',
    (type) => {
      expect(problem({ ...start, type })).toMatchObject({
        id: '7',
        message: containing('type'),
      });
    },
  );

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(typeof parseFrame(text).ok).toBe('boolean');
      }),
    );
  });

  it('is refused in words that stay short, however much is wrong with it', () => {
    const attributes = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`key${n}`, n]));
    expect(problem({ ...start, attributes }).message.length).toBeLessThan(1000);
  });
});

describe('an id', () => {
  it('may have 1 to 64 characters', () => {
    for (const id of ['1', 'x'.repeat(64)]) expect(parse({ ...start, id })).toMatchObject({ ok: true, id });
  });
});

describe('unknown fields', () => {
  it('are dropped, not passed on', () => {
    expect(accepted({ id: '1', type: 'ping', extra: 1 })).toEqual({ type: 'ping' });
    expect(accepted({ ...start, admin: true })).toEqual({
      type: 'contact.start',
      contactId: 'abc-1',
      channel: 'VOICE',
    });
  });

  it('cannot reach an object’s prototype', () => {
    const text = '{"id":"7","type":"contact.start","contactId":"a","channel":"CHAT","__proto__":{"x":1}}';
    const parsed = parseFrame(text);
    expect(parsed).toEqual({
      ok: true,
      id: '7',
      request: { type: 'contact.start', contactId: 'a', channel: 'CHAT' },
    });
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});

describe('hello', () => {
  it('is accepted with what it needs, and with everything it may have', () => {
    const { id: _, ...least } = hello;
    expect(accepted(hello)).toEqual(least);
    const all = {
      ...least,
      instanceAlias: 'acme-1',
      agentUsername: 'anna',
      browser: 'Chrome 150',
      ccpVersion: '2.28',
      token: 't'.repeat(16_384),
    };
    expect(accepted({ id: '1', ...all })).toEqual(all);
  });

  it('of another protocol is refused with the version that is supported', () => {
    expect(problem({ ...hello, protocol: 2 })).toEqual({
      id: '1',
      message: '"protocol": this Sightline speaks protocol 1',
    });
  });

  it.each([
    ['agentArn', undefined],
    ['agentArn', ''],
    ['instanceArn', undefined],
    ['instanceArn', 'x'.repeat(513)],
    ['agentArn', 'x'.repeat(513)],
    ['instanceArn', 5],
    ['instanceAlias', ''],
    ['instanceAlias', 'a/b'],
    ['instanceAlias', '..'],
    ['instanceAlias', '-acme'],
    ['instanceAlias', 'x'.repeat(63)],
    ['browser', 'x'.repeat(1025)],
    ['token', 'x'.repeat(16_385)],
  ])('is refused for its %s of %j', (field, value) => {
    expect(problem({ ...hello, [field]: value })).toMatchObject({
      id: '1',
      message: containing(`"${field}"`),
    });
  });
});

describe('a contactId', () => {
  it.each([['a'], ['6f2c1d3e-0a4b-4c5d-8e9f-001122334455'], ['A.b_c-9'], ['x'.repeat(128)]])(
    'may be %s',
    (contactId) => {
      expect(accepted({ id: '1', type: 'contact.stop', contactId })).toMatchObject({ contactId });
    },
  );

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(129)],
    ['a path', '../../etc/passwd'],
    ['a Windows path', 'a\\b'],
    ['a hidden file', '.hidden'],
    ['an option', '-rf'],
    ['with a space', 'a b'],
    ['with a line break', 'a\nb'],
    ['with a line break at its end', 'a\n'],
    ['with a NUL', 'a\0'],
    ['not ASCII', 'ä'],
    ['a number', 5],
    ['missing', undefined],
  ])('must not be %s', (_, contactId) => {
    for (const type of ['contact.start', 'contact.suspend', 'contact.resume', 'contact.stop']) {
      expect(problem({ ...start, type, contactId })).toMatchObject({
        id: '7',
        message: containing('"contactId"'),
      });
    }
  });
});

describe('contact.start', () => {
  it('is accepted with everything it may have', () => {
    const request = {
      type: 'contact.start',
      contactId: 'abc-2',
      initialContactId: 'abc-1',
      channel: 'TASK',
      queue: 'Billing',
      attributes: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`key ${n}`, 'ü'.repeat(1024)])),
    };
    expect(accepted({ id: '1', ...request })).toEqual(request);
  });

  it.each([
    ['channel', undefined],
    ['channel', 'EMAIL'],
    ['channel', 'voice'],
    ['initialContactId', 'a/b'],
    ['queue', 'x'.repeat(1025)],
    ['attributes', []],
    ['attributes', { a: 1 }],
    ['attributes', { a: null }],
    ['attributes', { a: 'x'.repeat(1025) }],
    ['attributes', { ['x'.repeat(257)]: 'a' }],
    ['attributes', Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`key${n}`, 'value']))],
  ])('is refused for its %s', (field, value) => {
    expect(problem({ ...start, [field]: value })).toMatchObject({
      id: '7',
      message: containing(`"${field}`),
    });
  });
});

describe('the other requests', () => {
  it('carry what they need', () => {
    expect(accepted({ id: '1', type: 'status' })).toEqual({ type: 'status' });
    expect(accepted({ id: '1', type: 'ping' })).toEqual({ type: 'ping' });
    expect(accepted({ id: '1', type: 'contact.suspend', contactId: 'a', reason: 'card' })).toEqual({
      type: 'contact.suspend',
      contactId: 'a',
      reason: 'card',
    });
    expect(accepted({ id: '1', type: 'contact.resume', contactId: 'a' })).toEqual({
      type: 'contact.resume',
      contactId: 'a',
    });
  });

  it('are refused for a reason that is no short text', () => {
    for (const reason of [5, null, 'x'.repeat(1025)]) {
      const frame = { id: '1', type: 'contact.suspend', contactId: 'a', reason };
      expect(problem(frame)).toMatchObject({ id: '1', message: containing('"reason"') });
    }
  });
});
