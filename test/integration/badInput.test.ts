// Everything that a page, or somebody posing as one, may send that it should not. Each gets a clear answer, and none
// disturbs the recording that goes on all the while.
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { decodeFrames, frameClockErrors } from '../rig/frames.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import type { Painter } from '../rig/painter.ts';
import { startPainter } from '../rig/painter.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { agent, connectPage, startRecorder } from '../rig/recorder.ts';

const contactId = 'steady-contact';
let display: Display;
let painter: Painter;
let recorder: Recorder;
/** The page whose recording must not be disturbed. */
let page: Page;
let startTime: number;
let recordingId: string;

beforeAll(async () => {
  display = await startDisplay();
  painter = await startPainter({ display: display.display, scene: 'timecode' });
  recorder = await startRecorder({ display: display.display });
  page = await recorder.connect();
  const started = await page.ask<{ startTime: string; recordingId: string }>('contact.start', {
    contactId,
    channel: 'CHAT',
  });
  startTime = Date.parse(started.startTime);
  ({ recordingId } = started);
});

afterAll(async () => {
  await recorder.stop();
  await painter.stop();
  await display.stop();
});

describe('frames that are no requests', () => {
  const invalid = { re: null, ok: false, error: { code: 'INVALID_MESSAGE', source: 'CLIENT' } };

  it.each([
    ['not JSON', 'hello there'],
    ['cut JSON', '{"id":"1","type":'],
    ['a JSON array', '[]'],
    ['JSON null', 'null'],
    ['no id', '{"type":"ping"}'],
    ['an id that is no string', '{"id":7,"type":"ping"}'],
    ['an empty id', '{"id":"","type":"ping"}'],
    ['an id of 65 characters', `{"id":"${'x'.repeat(65)}","type":"ping"}`],
  ])('%s', async (_, text) => {
    expect(await page.raw(text)).toMatchObject(invalid);
  });

  it('a binary frame', async () => {
    expect(await page.raw(Buffer.from('{"id":"1","type":"ping"}'))).toMatchObject(invalid);
  });

  it.each([
    ['an unknown type', 'contact.pause', {}],
    ['no contactId', 'contact.suspend', {}],
    ['a contactId of the wrong type', 'contact.suspend', { contactId: 5 }],
    [
      'a contactId that climbs out of the folder',
      'contact.start',
      { contactId: '../../x', channel: 'VOICE' },
    ],
    ['an unknown channel', 'contact.start', { contactId: 'c', channel: 'EMAIL' }],
    [
      'attributes that are no strings',
      'contact.start',
      { contactId: 'c', channel: 'VOICE', attributes: { a: 1 } },
    ],
    [
      'fifty-one attributes',
      'contact.start',
      {
        contactId: 'c',
        channel: 'VOICE',
        attributes: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`key${index}`, 'x'])),
      },
    ],
  ])('%s', async (_, type, fields) => {
    const reply = await page.request(type, fields);
    expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE', source: 'CLIENT' } });
    expect(reply.error?.message.length).toBeGreaterThan(10);
  });

  it('a frame of 65 KiB closes the connection with 1009, and only that connection', async () => {
    const other = await recorder.connect();
    other.socket.send(JSON.stringify({ id: '1', type: 'ping', padding: 'x'.repeat(65 * 1024) }));
    expect(await other.closed).toBe(1009);
    expect(await page.request('ping')).toEqual({ re: expect.any(String) as string, ok: true });
  });

  it('a frame of just 64 KiB is understood', async () => {
    const frame = (padding: number): string =>
      JSON.stringify({ id: 'big', type: 'nonsense', padding: 'x'.repeat(padding) });
    const overhead = frame(0).length;
    expect(await page.raw(frame(64 * 1024 - overhead))).toMatchObject({
      re: 'big',
      error: { code: 'INVALID_MESSAGE' },
    });
  });

  it('unknown fields are ignored', async () => {
    expect(await page.request('ping', { colour: 'blue', nested: { deep: [] } })).toMatchObject({ ok: true });
  });
});

describe('who may connect', () => {
  it.each([
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['a foreign origin that begins like a loopback one', { origin: 'http://localhost.evil.example' }],
    ['the origin "null"', { origin: 'null' }],
    ['an empty origin', { origin: '' }],
    ['a foreign host (DNS rebinding)', { host: 'evil.example' }],
    ['a loopback host with another port', { host: '127.0.0.1:1' }],
  ])('%s is refused with 403', async (_, options) => {
    await expect(connectPage(recorder.port, { ...options, hello: false })).rejects.toThrow(
      'refused with 403',
    );
  });

  it('a missing origin is refused with 403', async () => {
    expect(await upgradeStatus({})).toBe(403);
  });

  it('another path is refused with 404', async () => {
    expect(await upgradeStatus({ Origin: 'http://localhost:3000' }, '/v2')).toBe(404);
  });

  it('health is for allowed origins only', async () => {
    const get = (origin?: string) =>
      fetch(
        `http://127.0.0.1:${recorder.port}/v1/health`,
        origin === undefined ? {} : { headers: { Origin: origin } },
      );
    const allowed = await get('http://localhost:3000');
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    expect(await allowed.json()).toEqual({ app: 'sightline', version: '0.1.0', protocol: 1 });
    expect((await get('https://evil.example')).status).toBe(403);
    expect((await get()).status).toBe(403);
  });

  function upgradeStatus(headers: Record<string, string>, path = '/v1'): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const upgrade = request({
        port: recorder.port,
        host: '127.0.0.1',
        path,
        headers: {
          ...headers,
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
      });
      upgrade.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      upgrade.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      upgrade.on('error', reject);
      upgrade.end();
    });
  }
});

describe('hello', () => {
  it('is needed before anything else', async () => {
    const stranger = await recorder.connect({ hello: false });
    for (const type of ['ping', 'status', 'contact.start', 'contact.stop']) {
      const reply = await stranger.request(type, { contactId, channel: 'VOICE' });
      expect(reply).toMatchObject({ ok: false, error: { code: 'NOT_READY' } });
    }
    expect(stranger.pushes).toEqual([]);
    await stranger.close();
  });

  it('twice on one connection gets the same answer', async () => {
    const [first, second] = [
      await page.ask('hello', { protocol: 1, ...agent }),
      await page.ask('hello', { protocol: 1, ...agent }),
    ];
    expect({ ...second, re: first.re }).toEqual(first);
    expect(second).toMatchObject({
      protocol: 1,
      fps: 5,
      maxMonitors: 3,
      encoder: 'libopenh264',
      recordings: [{ contactId, recordingId, state: 'recording' }],
    });
  });

  it('with another protocol is refused', async () => {
    const stranger = await recorder.connect({ hello: false });
    const reply = await stranger.request('hello', { protocol: 2, ...agent });
    expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } });
    await stranger.close();
  });

  it.each([
    ['another agent', { agentArn: `${agent.instanceArn}/agent/mallory` }],
    ['another instance', { instanceArn: agent.instanceArn.replace('1111', '9999') }],
  ])('of %s is refused while one is connected', async (_, other) => {
    const stranger = await recorder.connect({ hello: false });
    const reply = await stranger.request('hello', { protocol: 1, ...agent, ...other });
    expect(reply).toMatchObject({ ok: false, error: { code: 'MULTIPLE_CCP_INTERACTION', source: 'CLIENT' } });
    expect(await stranger.request('status')).toMatchObject({ ok: false, error: { code: 'NOT_READY' } });
    await stranger.close();
  });

  it('of another agent makes its contacts FAILED, once each, and a flood of them no flood of events', async () => {
    const agentArn = `${agent.instanceArn}/agent/mallory-2`;
    const events = async () =>
      (await recorder.events())
        .filter(({ detail }) => detail.agentArn === agentArn)
        .map(({ detail }) => detail);
    const refused = { ok: false, error: { code: 'MULTIPLE_CCP_INTERACTION' } };
    for (let again = 0; again < 2; again += 1) {
      const stranger = await recorder.connect({ hello: false });
      const early = await stranger.request('contact.start', { contactId: 'early', channel: 'VOICE' });
      expect(early).toMatchObject({ ok: false, error: { code: 'NOT_READY' } });
      await stranger.request('hello', { protocol: 1, ...agent, agentArn });
      const facts = { channel: 'CHAT', queue: 'Q', initialContactId: 'first' };
      expect(await stranger.request('contact.start', { contactId: 'lost', ...facts })).toMatchObject(refused);
      expect(await stranger.request('contact.stop', { contactId: 'lost' })).toMatchObject({
        error: { code: 'NOT_READY' },
      });
      await stranger.close();
    }
    await vi.waitFor(async () => expect(await events()).toHaveLength(1));
    expect(await events()).toMatchObject([
      {
        recordingStatus: 'FAILED',
        contactArn: `${agent.instanceArn}/contact/lost`,
        failureInfo: { code: 'MULTIPLE_CCP_INTERACTION', source: 'CLIENT' },
        sightline: { channel: 'CHAT', queue: 'Q', initialContactId: 'first' },
      },
    ]);
    const flood = await recorder.connect({ hello: false });
    await flood.request('hello', { protocol: 1, ...agent, agentArn });
    const starts = Array.from({ length: 500 }, (_, index) =>
      flood.request('contact.start', { contactId: `flood-${index}`, channel: 'VOICE' }),
    );
    for (const reply of await Promise.all(starts)) expect(reply).toMatchObject(refused);
    await flood.close();
    await vi.waitFor(async () => expect(await events()).toHaveLength(21));
    expect(await page.request('status')).toMatchObject({ ok: true, state: 'recording' });
  });

  it('of another agent on the same connection is refused, and the connection stays good', async () => {
    const reply = await page.request('hello', { protocol: 1, ...agent, agentArn: 'arn:other' });
    expect(reply).toMatchObject({ ok: false, error: { code: 'MULTIPLE_CCP_INTERACTION' } });
    expect(await page.request('status')).toMatchObject({ ok: true, state: 'recording' });
  });

  it('of the same agent on another page finds the open recording', async () => {
    const second = await recorder.connect({ hello: false });
    expect(await second.ask('hello', { protocol: 1, ...agent })).toMatchObject({
      recordings: [{ contactId, recordingId, state: 'recording' }],
    });
    await second.close();
  });
});

describe('contacts that are not there, and things done twice', () => {
  it.each(['contact.suspend', 'contact.resume', 'contact.stop'])('%s of an unknown contact', async (type) => {
    const reply = await page.request(type, { contactId: 'nobody' });
    expect(reply).toMatchObject({ ok: false, error: { code: 'UNKNOWN_CONTACT', source: 'CLIENT' } });
  });

  it('start twice is one recording', async () => {
    expect(await page.ask('contact.start', { contactId, channel: 'CHAT' })).toMatchObject({
      recordingId,
      startTime: new Date(startTime).toISOString(),
    });
  });

  it('resume when not suspended changes nothing', async () => {
    expect(await page.ask('contact.resume', { contactId })).toMatchObject({
      resumedAt: new Date(startTime).toISOString(),
    });
  });

  it('suspend twice is one suspension', async () => {
    const first = await page.ask('contact.suspend', { contactId });
    await sleep(50);
    expect((await page.ask('contact.suspend', { contactId })).suspendedAt).toBe(first.suspendedAt);
    const resumed = await page.ask('contact.resume', { contactId });
    expect((await page.ask('contact.resume', { contactId })).resumedAt).toBe(resumed.resumedAt);
  });
});

describe('after all that', () => {
  it('the recording is whole, and a second stop gets the answer of the first', async () => {
    await sleep(1000);
    const stopped = await page.ask<{ endTime: string }>('contact.stop', { contactId });
    const again = await page.ask<{ endTime: string }>('contact.stop', { contactId });
    expect(again.endTime).toBe(stopped.endTime);
    await page.event(contactId, 'PUBLISHED');
    const [published] = await recorder.published();
    expect(published?.manifest.durationMs).toBe(Date.parse(stopped.endTime) - startTime);
    expect(published?.manifest.gaps.map((gap) => gap.reason)).toEqual(['suspended']);
    expect(await decodesCleanly(published!.mp4)).toBe('');
    const errors = frameClockErrors(await decodeFrames(published!.mp4), startTime, published!.manifest.gaps);
    expect(errors.count).toBeGreaterThan(5);
    expect(errors.maxMs).toBeLessThanOrEqual(200);
  });

  it('each refusal of a stranger is in the log, without what it sent', () => {
    expect(recorder.stderr()).toContain('https://evil.example');
    expect(recorder.stderr()).not.toContain('hello there');
  });
});
