// Frames that no honest page sends. Each gets an error reply or costs its sender the connection; the page whose contact is
// being recorded notices nothing.
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_FRAME_BYTES } from '../../main/shared/protocol.ts';
import { frame, openRawPage } from '../rig/rawPage.ts';
import type { FrameParts } from '../rig/rawPage.ts';
import type { Page } from '../rig/recorder.ts';
import type { Victim } from '../rig/victim.ts';
import { startVictim } from '../rig/victim.ts';

let victim: Victim;
let port: number;
let suspensions = 0;

beforeAll(async () => {
  victim = await startVictim();
  ({ port } = victim.recorder);
});
afterAll(() => victim.stop());

/** That these frames cost the connection, and with which code (RFC 6455, 7.4). */
async function expectClosedFor(code: number, ...frames: readonly FrameParts[]): Promise<void> {
  const peer = await openRawPage(port);
  peer.socket.write(Buffer.concat(frames.map(frame)));
  await peer.closedAfterMs;
  const close = Buffer.from(peer.said(), 'latin1');
  const at = close.lastIndexOf(0x88);
  expect(at).toBeGreaterThan(0);
  expect(close.readUInt16BE(at + 2)).toBe(code);
  peer.socket.destroy();
}

describe('frames that break the protocol of websockets cost the connection', () => {
  it.each<[string, number, FrameParts[]]>([
    ['without a mask', 1002, [{ opcode: 1, payload: '{}', masked: false }]],
    ['with an unknown opcode', 1002, [{ opcode: 3 }]],
    ['with reserved bits', 1002, [{ opcode: 1, payload: '{}', reserved: 4 }]],
    ['that continue nothing', 1002, [{ opcode: 0, payload: '{}' }]],
    [
      'that interrupt a message',
      1002,
      [
        { opcode: 1, fin: false, payload: '{' },
        { opcode: 1, payload: '}' },
      ],
    ],
    ['with a long ping', 1002, [{ opcode: 9, payload: 'x'.repeat(126) }]],
    ['with a fragmented ping', 1002, [{ opcode: 9, fin: false }]],
    ['with an invalid closing code', 1002, [{ opcode: 8, payload: Uint8Array.of(0, 1) }]],
    ['with text that is not UTF-8', 1007, [{ opcode: 1, payload: Uint8Array.of(0x22, 0xc3, 0x28, 0x22) }]],
    ['that claim 65 KiB', 1009, [{ opcode: 1, claimedBytes: MAX_FRAME_BYTES + 1 }]],
    ['that claim the largest length', 1009, [{ opcode: 2, claimedBytes: Number.MAX_SAFE_INTEGER }]],
    [
      'whose fragments are too long together',
      1009,
      [
        { opcode: 1, fin: false, payload: 'x'.repeat(40_000) },
        { opcode: 0, fin: false, payload: 'x'.repeat(40_000) },
      ],
    ],
    [
      'in a thousand empty fragments',
      1008,
      [{ opcode: 1, fin: false }, ...Array.from({ length: 1000 }, () => ({ opcode: 0, fin: false }))],
    ],
  ])('%s (%i)', async (_, code, frames) => {
    await expectClosedFor(code, ...frames);
  });
});

describe('messages that are no requests get an error, and the connection stays', () => {
  let other: Page;
  beforeAll(async () => {
    other = await victim.recorder.connect();
  });
  afterAll(() => other.close());

  it.each([
    ['binary', Buffer.from('{"id":"1","type":"ping"}')],
    ['empty', ''],
    ['a null byte', '\0'],
    ['nested 30,000 deep', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['nested 10,000 deep in a field', `{"id":"deep","type":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`],
    ['a number that is none', '{"id":1e999,"type":"ping"}'],
    ['a lone surrogate for an id', '{"id":"","type":"\\ud800"}'],
  ])('%s', async (_, data) => {
    expect(await other.raw(data)).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } });
    expect(await other.request('ping')).toMatchObject({ ok: true });
  });

  it('keys of prototypes change nothing and go nowhere', async () => {
    const contactId = 'polluted';
    const keys = '"__proto__":{"state":"x","polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}';
    const start = `{"id":"p1","type":"contact.start","contactId":"${contactId}","channel":"TASK",${keys},"attributes":{${keys.replaceAll(/\{("[^{}]*)\}/g, '"x"').replaceAll(/\{"prototype":"x"\}/g, '"x"')},"__proto__":"x","toString":"x"}}`;
    const replied = once(other.socket, 'message');
    other.socket.send(start);
    await replied;
    const status = await other.request('status');
    expect(status).not.toHaveProperty('polluted');
    expect((await other.request('ping')) as object).toEqual({ re: expect.any(String) as string, ok: true });
    await other.request('contact.stop', { contactId });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'a type or contactId "%s"',
    async (name) => {
      expect(await other.request(name)).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } });
      const reply = await other.request('contact.suspend', { contactId: name });
      expect(['INVALID_MESSAGE', 'UNKNOWN_CONTACT']).toContain(reply.error?.code);
    },
  );

  it('a request for every id there is answers each once', async () => {
    const ids = ['__proto__', 'null', '1', '1', ' ', '\u202e', 'x'.repeat(64)];
    const replies: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      other.socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { re?: string };
        if (ids.includes(message.re ?? '')) replies.push(message.re);
        if (replies.length === ids.length) resolve();
      });
    });
    for (const id of ids) other.socket.send(JSON.stringify({ id, type: 'ping' }));
    await all;
    expect(replies).toEqual(ids);
  });
});

it('two thousand pings whose pongs are never read fill no memory', async () => {
  const peer = await openRawPage(port);
  peer.socket.pause();
  const ping = frame({ opcode: 9, payload: 'x'.repeat(125) });
  const pings = Buffer.concat(Array.from({ length: 2000 }, () => ping));
  for (let count = 0; count < 5; count += 1) peer.socket.write(pings);
  await victim.suspendsSoon();
  suspensions += 1;
  peer.socket.destroy();
});

it('a page that never reads what it asks for is disconnected', async () => {
  const reader = await victim.recorder.connect();
  reader.socket.pause();
  const request = JSON.stringify({ id: 'x'.repeat(64), type: 'x'.repeat(60_000) });
  for (let count = 0; count < 200; count += 1) reader.socket.send(request);
  await victim.suspendsSoon();
  suspensions += 1;
  reader.socket.terminate();
});

it('the honest page has noticed nothing, and its recording is whole', async () => {
  await victim.suspendsSoon();
  suspensions += 1;
  // Of the polluted contact's start: a run of its own from then on, and no gap.
  await victim.isRecordedWhole({ gaps: Array.from({ length: suspensions }, () => 'suspended') });
});
