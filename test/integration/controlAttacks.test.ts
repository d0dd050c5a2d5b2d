// The control path under attack: pages, other users, and programs that may connect but not read this user's files.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlAccess } from '../../main/server/controlFile.ts';
import { CONTROL_CHECKS_PATH, CONTROL_RETRY_PATH, CONTROL_TRY_PATH } from '../../main/shared/control.ts';
import type { Answer } from '../rig/control.ts';
import { LET_IN, accessOf, sendControl, sendRaw } from '../rig/control.ts';
import type { Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

describe.each([CONTROL_RETRY_PATH, CONTROL_CHECKS_PATH, CONTROL_TRY_PATH])('an attack on %s', (path) => {
  let recorder: Recorder;
  let access: ControlAccess;
  let right: string;

  beforeAll(async () => {
    recorder = await startRecorder({ display: null });
    access = await accessOf(recorder);
    right = `Bearer ${access.token}`;
  });
  afterAll(() => recorder.stop());
  beforeEach(() => (letIn = countLetIn()));

  const send = (
    port: number,
    headers: Record<string, string>,
    options?: { method?: string; body?: string },
  ) => sendControl(port, headers, { path, ...options });
  let letIn: number;
  const countLetIn = (): number => recorder.stderr().split(LET_IN).length - 1;

  /** Refused without a word that tells more than the status, and without a header that lets a page read even that. */
  function expectNothingLearnt(answer: Answer, status: 401 | 403): void {
    expect(answer.status).toBe(status);
    expect(answer.body).toBe(status === 401 ? 'Unauthorized' : 'Forbidden');
    expect(Object.keys(answer.headers).sort()).toEqual([
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'x-content-type-options',
    ]);
    expect(countLetIn()).toBe(letIn);
  }

  it.each([
    ['any page', 'https://evil.example'],
    ['a page that may use the websocket', 'http://localhost:3000'],
    ['a page of our own port', 'http://127.0.0.1:5431'],
    ['a sandboxed frame', 'null'],
    ['an extension', 'chrome-extension://abcdefghijklmnop'],
    ['an empty Origin', ''],
  ])('by %s, even with the token', async (_, origin) => {
    expectNothingLearnt(await send(access.port, { Authorization: right, Origin: origin }), 403);
    const asksBefore = { Origin: origin, 'Access-Control-Request-Private-Network': 'true' };
    expectNothingLearnt(await send(access.port, asksBefore, { method: 'OPTIONS', body: '' }), 403);
  });

  it.each(['attacker.example', 'localhost.attacker.example', '127.0.0.1.attacker.example', '0.0.0.0'])(
    'by DNS rebinding under the name %s, even with the token',
    async (name) => {
      for (const Host of [name, `${name}:${access.port}`]) {
        expectNothingLearnt(await send(access.port, { Authorization: right, Host }), 403);
      }
    },
  );

  it.each([
    ['no token', {}],
    ['an empty token', { Authorization: 'Bearer ' }],
    ['a made-up token', { Authorization: `Bearer ${'A'.repeat(43)}` }],
    ['a very long token', { Authorization: `Bearer ${'A'.repeat(8000)}` }],
    ['another scheme', { Authorization: `Basic ${Buffer.from('a:b').toString('base64')}` }],
  ])('with %s', async (_, headers: Record<string, string>) => {
    expectNothingLearnt(await send(access.port, headers), 401);
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      expectNothingLearnt(await send(access.port, headers, { method, body: '' }), 401);
    }
  });

  it('with a token that is nearly right, or with what only we should say', async () => {
    const { token, proof, port } = access;
    const last = token.endsWith('A') ? 'B' : 'A';
    for (const wrong of [
      token.slice(0, -1),
      token.slice(0, -1) + last,
      `${token}A`,
      token.toUpperCase(),
      proof,
    ]) {
      expectNothingLearnt(await send(port, { Authorization: `Bearer ${wrong}` }), 401);
    }
  });

  it('by GET, with the token: no more than that it is the wrong method', async () => {
    const answer = await send(access.port, { Authorization: right }, { method: 'GET' });
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(countLetIn()).toBe(letIn);
  });

  it('by a websocket on its path', async () => {
    const upgrade = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${access.port}\r\nAuthorization: ${right}\r\nConnection: Upgrade\r\n`;
    const socket =
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    expect(await sendRaw(access.port, `${upgrade}${socket}\r\n`)).toBe('HTTP/1.1 403 Forbidden');
    expect(await sendRaw(access.port, `${upgrade}${socket}Origin: http://localhost:3000\r\n\r\n`)).toBe(
      'HTTP/1.1 404 Not Found',
    );
  });

  it('by a huge body: none of it is read without the token, and little with it', async () => {
    const { port } = access;
    const head = (more: string): string => `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}\r\n`;
    const huge = 'Content-Length: 10000000000\r\n';
    const auth = `Authorization: ${right}\r\n`;
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    expect(await sendRaw(port, head(huge))).toBe('HTTP/1.1 401 Unauthorized');
    expect(await sendRaw(port, head(`${huge}${auth}`))).toBe('HTTP/1.1 413 Payload Too Large');
    expect(await sendRaw(port, head(`Transfer-Encoding: chunked\r\n${auth}`) + chunk)).toBe(
      'HTTP/1.1 413 Payload Too Large',
    );
    expect(countLetIn()).toBe(letIn);
    const body = path === CONTROL_TRY_PATH ? '{"seconds":3,"remove":false}' : '{}';
    expect(await send(port, { Authorization: right }, { body })).toMatchObject({ status: 200 });
  });

  it.each([
    '',
    'nonsense',
    '[]',
    '{"names":[]}',
    '{"names":"one"}',
    '{"names":[""]}',
    '{"more":1}',
    '{"seconds":1e9,"remove":true}',
    '{"seconds":3,"remove":false,"contactId":"x"}',
  ])('by the body %s', async (body) => {
    expect(await send(access.port, { Authorization: right }, { body })).toMatchObject({
      status: 400,
    });
    expect(countLetIn()).toBe(letIn);
  });

  it.each([
    '{"waitSeconds":601}',
    '{"waitSeconds":-1}',
    '{"waitSeconds":1e99}',
    '{"seconds":61,"remove":false}',
  ])('by waiting for ever: %s', async (body) => {
    expect(await send(access.port, { Authorization: right }, { body })).toMatchObject({
      status: 400,
    });
  });
});
