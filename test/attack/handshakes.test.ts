// Connections that never become a page: refused, unfinished, slow, oversized or garbled requests. Each peer keeps its half
// of the connection open for as long as it can; Sightline must close its own.
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REQUEST_DEADLINE_MS } from '../../main/server/connections.ts';
import type { RawPeer } from '../rig/rawPage.ts';
import { openRaw, upgradeRequest } from '../rig/rawPage.ts';
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

/** That the peer is answered so, and disconnected although it never closes its half. */
async function expectRefused(bytes: string, status: RegExp): Promise<void> {
  const peer = await openRaw(port, bytes);
  const ms = await peer.closedAfterMs;
  expect(peer.said().split('\r\n', 1)[0]).toMatch(status);
  expect(ms).toBeLessThan(REQUEST_DEADLINE_MS / 2);
  peer.socket.destroy();
}

const descriptors = async (): Promise<number> => (await readdir(`/proc/${victim.recorder.pid}/fd`)).length;

async function suspendsSoon(): Promise<void> {
  await victim.suspendsSoon();
  suspensions += 1;
}

const get = (target: string, headers: string): string => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;
const host = (): string => `Host: 127.0.0.1:${port}\r\n`;

describe('a refused upgrade is closed although the peer stays', () => {
  it.each<[string, Record<string, string | null>]>([
    ['a foreign Origin', { Origin: 'https://evil.example' }],
    ['no Origin', { Origin: null }],
    ['the Origin "null"', { Origin: 'null' }],
    ['two Origins', { Origin: 'http://localhost:3000, https://evil.example' }],
    ['an Origin with a path', { Origin: 'http://localhost:3000/v1' }],
    ['an Origin with a user', { Origin: 'http://localhost:3000@evil.example' }],
    ['an Origin with a line feed', { Origin: 'http://localhost:3000\nX: y' }],
    ['a foreign Host', { Host: 'evil.example' }],
    ['a Host with a tail', { Host: '127.0.0.1.evil.example' }],
    ['no Host', { Host: null }],
  ])('with %s', async (_, headers) => {
    await expectRefused(upgradeRequest(port, headers), /^HTTP\/1\.1 (403 Forbidden|400 Bad Request)$/);
  });

  it.each<[string, Record<string, string | null>]>([
    ['another version', { 'Sec-WebSocket-Version': '7' }],
    ['no key', { 'Sec-WebSocket-Key': null }],
    ['a short key', { 'Sec-WebSocket-Key': 'AAAA' }],
    ['another protocol', { Upgrade: 'h2c' }],
  ])('with %s', async (_, headers) => {
    await expectRefused(upgradeRequest(port, headers), /^HTTP\/1\.1 4\d\d /);
  });

  it('by POST, or to another path', async () => {
    await expectRefused(upgradeRequest(port).replace('GET', 'POST'), /^HTTP\/1\.1 405 /);
    await expectRefused(upgradeRequest(port).replace('/v1', '/v2'), /^HTTP\/1\.1 404 /);
  });

  it('300 times over: not one descriptor is kept', async () => {
    const before = await descriptors();
    const refused = upgradeRequest(port, { Origin: 'https://evil.example' });
    const peers = await Promise.all(Array.from({ length: 300 }, () => openRaw(port, refused)));
    await suspendsSoon();
    await Promise.all(peers.map((peer) => peer.closedAfterMs));
    expect(await descriptors()).toBeLessThanOrEqual(before + 5);
    for (const { socket } of peers) socket.destroy();
  });
});

describe('a request that is no upgrade', () => {
  it('gets one answer, and the connection is closed', async () => {
    const origin = 'Origin: http://localhost:3000\r\n';
    await expectRefused(get('/v1/health', host()), /^HTTP\/1\.1 403 /);
    await expectRefused(get('/v1/health', host() + origin), /^HTTP\/1\.1 200 /);
    await expectRefused(get('/v1', host() + origin), /^HTTP\/1\.1 404 /);
    await expectRefused(get('/../../etc/passwd', host() + origin), /^HTTP\/1\.1 404 /);
    await expectRefused(get('http://evil.example/v1/health', host() + origin), /^HTTP\/1\.1 404 /);
    await expectRefused(`CONNECT evil.example:443 HTTP/1.1\r\n${host()}\r\n`, /^(HTTP\/1\.1 4\d\d .*)?$/);
  });

  it.each([
    ['garbage', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n'],
    ['headers of 100 kB', () => get('/v1/health', `${host()}X: ${'x'.repeat(100_000)}\r\n`)],
    ['a target of 100 kB', () => get(`/${'x'.repeat(100_000)}`, host())],
    ['two lengths', () => get('/v1/health', `${host()}Content-Length: 5\r\nContent-Length: 6\r\n`)],
    ['a length and chunks', () => get('/v1', `${host()}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`)],
    ['a header with a null byte', () => get('/v1/health', `${host()}X: a\x00b\r\n`)],
  ])('with %s is answered with 4xx', async (_, bytes) => {
    await expectRefused(bytes(), /^HTTP\/1\.1 4\d\d /);
  });

  it('followed by a thousand more in the same packet is answered once', async () => {
    const peer = await openRaw(port, get('/v1/health', host()).repeat(1000));
    await peer.closedAfterMs;
    expect(peer.said().match(/HTTP\/1\.1 403/g)).toHaveLength(1);
    peer.socket.destroy();
  });
});

describe('a peer that takes its time', () => {
  it('is disconnected after ten seconds, whatever it does', async () => {
    const half = upgradeRequest(port).slice(0, -2);
    const slow = await openRaw(port, half);
    const timer = setInterval(() => slow.socket.write('X: y\r\n'), 200);
    const others = {
      silent: await openRaw(port, ''),
      'half a request': await openRaw(port, half),
      'a body that never comes': await openRaw(
        port,
        `POST /v1/health HTTP/1.1\r\n${host()}Content-Length: 100\r\n\r\n`,
      ),
    };
    const unread = await openRaw(port, '');
    unread.socket.pause();
    unread.socket.write(get('/v1/health', host()).repeat(50));
    await suspendsSoon();
    const peers: readonly RawPeer[] = [slow, ...Object.values(others)];
    for (const ms of await Promise.all(peers.map((peer) => peer.closedAfterMs)))
      expect(ms).toBeLessThan(REQUEST_DEADLINE_MS + 2000);
    clearInterval(timer);
    for (const { socket } of [...peers, unread]) socket.destroy();
  });
});

it('the honest page has noticed nothing, and its recording is whole', async () => {
  await suspendsSoon();
  await victim.isRecordedWhole({ gaps: Array.from({ length: suspensions }, () => 'suspended') });
});
