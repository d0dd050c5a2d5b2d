// Page authentication on the built program, against an endpoint that is strict and one that fails in every way: who gets
// in, what happens to what a page sends meanwhile, how often is asked, and where the token must not turn up.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestFailure } from '../../main/shared/protocol.ts';
import { startAuthServer, type AuthFault, type AuthServer } from '../rig/authServer.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { endWithUs } from '../rig/process.ts';
import { readZip } from '../rig/zip.ts';
import { agent, startRecorder, type AnyReply, type Page, type Recorder } from '../rig/recorder.ts';

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));
const GOOD = 'good-token-c4n4ry.eyJhbGciOi.J9';
const hello = (token?: string, more: object = {}) => ({
  protocol: 1,
  ...agent,
  ...(token === undefined ? {} : { token }),
  ...more,
});
let display: Display;
let endpoint: AuthServer;
let recorder: Recorder;
let home: string;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-auth-'));
  endpoint = await startAuthServer();
  stops.push(() => endpoint.close());
  endpoint.tokens.set(GOOD, { agentArn: agent.agentArn });
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await rm(home, { recursive: true, force: true });
  expect(endpoint.complaints).toEqual([]);
});

async function start(
  url: string,
  environment: Record<string, string> = {},
  flags: string[] = [],
): Promise<void> {
  recorder = await startRecorder({
    display: display.display,
    home,
    environment,
    flags: ['--auth', 'endpoint', '--auth-url', url, ...flags],
  });
  stops.push(() => recorder.stop());
}

const isRetryable = ({ error }: AnyReply) => (error as RequestFailure).retryable;
const open = (): Promise<Page> => recorder.connect({ hello: false });

describe('a page with a good token', () => {
  it('is let in and records, and is asked about once for all its reloads', async () => {
    await start(endpoint.url);
    const page = await open();
    expect(await page.request('hello', hello(GOOD))).toMatchObject({ ok: true, encoder: 'libopenh264' });
    await page.ask('contact.start', { contactId: 'c-1', channel: 'VOICE' });
    await page.close();
    endpoint.fault = { kind: 'status', status: 503 };
    const again = await open();
    expect(await again.request('hello', hello(GOOD))).toMatchObject({
      ok: true,
      recordings: [{ contactId: 'c-1' }],
    });
    await again.ask('contact.stop', { contactId: 'c-1' });
    await again.event('c-1', 'PUBLISHED');
    expect(endpoint.questions).toEqual([
      {
        token: GOOD,
        body: {
          agentArn: agent.agentArn,
          instanceArn: agent.instanceArn,
          instanceAlias: 'acme',
          origin: 'http://localhost:3000',
          appVersion: '0.1.0',
        },
      },
    ]);
  });

  it('is let in as its own agent only', async () => {
    await start(endpoint.url);
    const page = await open();
    const mallory = { agentArn: `${agent.instanceArn}/agent/mallory` };
    expect(await page.request('hello', hello(GOOD, mallory))).toMatchObject({
      ok: false,
      error: { code: 'CLIENT_AUTH_ERROR', retryable: false },
    });
    // Nor where the endpoint looks at the token alone.
    endpoint.fault = { kind: 'body', body: JSON.stringify({ allowed: true, agentArn: agent.agentArn }) };
    const other = await open();
    const eve = { agentArn: `${agent.instanceArn}/agent/eve` };
    const reply = await other.request('hello', hello(GOOD, eve));
    expect(reply.error?.message).toContain('another agent’s');
    expect(await other.request('hello', hello(GOOD))).toMatchObject({ ok: true });
  });

  it('is asked about again when the token has expired', async () => {
    await start(endpoint.url);
    endpoint.tokens.set(GOOD, {
      agentArn: agent.agentArn,
      expiresAt: new Date(Date.now() - 1000).toISOString(),
    });
    const page = await open();
    for (const count of [1, 2]) {
      await page.ask('hello', hello(GOOD));
      expect(endpoint.questions).toHaveLength(count);
    }
  });
});

describe('what is sent while the token is being checked', () => {
  it('waits, and is carried out in its order', async () => {
    await start(endpoint.url);
    endpoint.fault = { kind: 'silent' };
    const page = await open();
    const replies = [
      page.request('hello', hello(GOOD)),
      page.request('contact.start', { contactId: 'c-2', channel: 'VOICE' }),
      page.request('contact.suspend', { contactId: 'c-2' }),
      page.request('contact.resume', { contactId: 'c-2' }),
      page.request('contact.stop', { contactId: 'unknown' }),
      page.request('ping'),
    ];
    await endpoint.asked(1);
    // A page of the same program that is not being checked is answered: what is held above is held on purpose.
    expect(await (await open()).request('ping')).toMatchObject({ error: { code: 'NOT_READY' } });
    expect(await recorder.events()).toEqual([]);
    expect(page.pushes).toEqual([]);
    endpoint.release();
    const codes = (await Promise.all(replies)).map(({ ok, error }) => error?.code ?? ok);
    expect(codes.slice(0, 1)).toEqual([true]);
    expect(codes.slice(4)).toEqual(['UNKNOWN_CONTACT', true]);
    await page.ask('contact.stop', { contactId: 'c-2' });
    expect((await recorder.events()).map(({ detail }) => detail.recordingStatus)).toContain('INITIATED');
  });

  it('is not carried out when the page is refused, and is answered', async () => {
    await start(endpoint.url);
    endpoint.fault = { kind: 'silent' };
    const page = await open();
    const replies = [
      page.request('hello', hello('bad-token')),
      page.request('contact.start', { contactId: 'c-3', channel: 'VOICE' }),
    ];
    await endpoint.asked(1);
    endpoint.release();
    const [greeting, started] = await Promise.all(replies);
    expect(greeting).toMatchObject({ ok: false, error: { code: 'CLIENT_AUTH_ERROR', retryable: false } });
    expect(started).toMatchObject({ ok: false, error: { code: 'NOT_READY' } });
    expect(await recorder.events()).toEqual([]);
  });

  it('holds 32 frames and no more', async () => {
    await start(endpoint.url);
    endpoint.fault = { kind: 'silent' };
    const page = await open();
    const greeting = page.request('hello', hello(GOOD));
    const pings = Array.from({ length: 32 }, () => page.request('ping'));
    expect(await page.request('ping')).toMatchObject({ ok: false, error: { code: 'NOT_READY' } });
    endpoint.release();
    await endpoint.asked(1);
    endpoint.release();
    expect((await Promise.all([greeting, ...pings])).every(({ ok }) => ok)).toBe(true);
  });

  it('suspends at once, whatever comes of the check', async () => {
    await start(endpoint.url);
    const first = await open();
    await first.ask('hello', hello(GOOD));
    await first.ask('contact.start', { contactId: 'c-4', channel: 'VOICE' });
    endpoint.fault = { kind: 'silent' };
    const second = await open();
    const greeting = second.request('hello', hello('another-token'));
    const suspended = second.request('contact.suspend', { contactId: 'c-4' });
    await first.push((push) => push.type === 'app.state' && push.state === 'suspended');
    endpoint.release();
    expect(await greeting).toMatchObject({ ok: false });
    expect(await suspended).toMatchObject({ ok: false, error: { code: 'NOT_READY' } });
    expect(await first.ask('status')).toMatchObject({ state: 'suspended' });
    await first.ask('contact.resume', { contactId: 'c-4' });
    await first.ask('contact.stop', { contactId: 'c-4' });
  });

  it('is dropped with a page that goes away: it does not become the agent of the desk', async () => {
    await start(endpoint.url);
    endpoint.tokens.set('bobs', { agentArn: `${agent.instanceArn}/agent/bob` });
    endpoint.fault = { kind: 'silent' };
    const bob = await open();
    bob.socket.send(
      JSON.stringify({
        id: '1',
        type: 'hello',
        ...hello('bobs', { agentArn: `${agent.instanceArn}/agent/bob` }),
      }),
    );
    await endpoint.asked(1);
    await bob.close();
    endpoint.release();
    endpoint.fault = null;
    const page = await open();
    expect(await page.request('hello', hello(GOOD))).toMatchObject({ ok: true });
  });
});

describe('a refusal', () => {
  it.each([
    ['without a token', undefined, 0],
    ['with an empty one', '', 0],
    ['with one that cannot be sent', 'line\r\nX-Evil: 1', 0],
    ['with one of 8,193 characters', 'x'.repeat(8193), 0],
    ['with a bad one', 'bad-token', 1],
  ])('%s is final, and asked about at most once in a while', async (_, token, asked) => {
    await start(endpoint.url);
    for (const page of [await open(), await open()]) {
      const reply = await page.request('hello', hello(token));
      expect(reply.error).toMatchObject({
        code: 'CLIENT_AUTH_ERROR',
        source: 'CLIENT',
        retryable: false,
      });
      expect(reply.error).not.toHaveProperty('retryAfterSeconds');
      expect(await page.request('status')).toMatchObject({ error: { code: 'NOT_READY' } });
    }
    expect(endpoint.questions).toHaveLength(asked);
  });

  it('does not keep a page from coming with a new token at once, but from trying one after the other', async () => {
    await start(endpoint.url);
    const page = await open();
    expect(await page.request('hello', hello('old'))).toMatchObject({ error: { retryable: false } });
    expect(await page.request('hello', hello('older'))).toMatchObject({ error: { retryable: false } });
    const reply = await page.request('hello', hello('oldest'));
    expect(reply.error).toMatchObject({ retryable: true });
    expect(endpoint.questions).toHaveLength(2);
  });
});

describe('an endpoint that', () => {
  const faults: [string, AuthFault, string][] = [
    ['answers 500', { kind: 'status', status: 500 }, 'it answered 500'],
    ['answers 404', { kind: 'status', status: 404 }, 'it answered 404'],
    ['hangs up', { kind: 'hang-up' }, 'it cannot be reached (ECONNRESET)'],
    ['redirects', { kind: 'redirect', to: 'set below' }, 'it answered 307'],
    ['never ends', { kind: 'huge' }, 'its answer is too long'],
    ['answers no JSON', { kind: 'body', body: 'do-not-show' }, 'not of the form'],
    [
      'answers HTML',
      { kind: 'body', body: '<p>do-not-show', contentType: 'text/html' },
      'its answer is not JSON',
    ],
    ['answers something else', { kind: 'body', body: '{"allowed":"do-not-show"}' }, '(see allowed)'],
    ['is cut off', { kind: 'cut-off' }, 'it cannot be reached (ECONNRESET)'],
    ['does not answer', { kind: 'silent' }, 'it did not answer within 5 s'],
  ];
  it.each(faults)('%s lets nobody in, and the page may try again', async (_, fault, words) => {
    const elsewhere = await startAuthServer();
    stops.push(() => elsewhere.close());
    elsewhere.tokens.set(GOOD, { agentArn: agent.agentArn });
    await start(endpoint.url);
    endpoint.fault = fault.kind === 'redirect' ? { ...fault, to: elsewhere.url } : fault;
    const page = await open();
    const { error } = await page.request('hello', hello(GOOD));
    expect(error).toMatchObject({ code: 'CLIENT_AUTH_ERROR', retryable: true });
    // One, and up to a fifth more.
    expect([1, 2]).toContain((error as RequestFailure).retryAfterSeconds);
    expect(error?.message).toContain(words);
    expect(JSON.stringify(error) + recorder.stderr()).not.toContain('do-not-show');
    expect(elsewhere.questions).toEqual([]);
    // A page that asks at once, on this connection or another, is answered without asking.
    await page.request('hello', hello(GOOD));
    await (await open()).request('hello', hello(GOOD));
    expect(endpoint.questions).toHaveLength(1);
  });

  it('is not there, or has a certificate that nobody trusts, is not believed', async () => {
    await start('http://127.0.0.1:9/taps/client/auth');
    const page = await open();
    expect((await page.request('hello', hello(GOOD))).error).toMatchObject({ retryable: true });
    const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
    const words =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1';
    execFileSync(
      'openssl',
      [...words.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
      { stdio: 'ignore' },
    );
    const secret = await startAuthServer({
      key: await readFile(key, 'utf8'),
      cert: await readFile(cert, 'utf8'),
    });
    stops.push(() => secret.close());
    secret.tokens.set(GOOD, { agentArn: agent.agentArn });
    await recorder.stop();
    // The variable that switches the checks off elsewhere in Node does not here.
    await start(secret.url, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    const { error } = await (await open()).request('hello', hello(GOOD));
    expect(error?.message).toContain('(DEPTH_ZERO_SELF_SIGNED_CERT)');
    expect(secret.questions).toEqual([]);
    await recorder.stop();
    await start(secret.url, { SIGHTLINE_CA_FILE: cert });
    expect(await (await open()).request('hello', hello(GOOD))).toMatchObject({ ok: true });
  });

  it('is slow is asked about four pages at a time, and once about the same', async () => {
    await start(endpoint.url);
    endpoint.fault = { kind: 'silent' };
    const same = await Promise.all([open(), open()]);
    const greetings = same.map((page) => page.request('hello', hello(GOOD)));
    const others = await Promise.all(['a', 'b', 'c'].map(() => open()));
    const refusals = others.map((page, index) => page.request('hello', hello(`token-${index}`)));
    await endpoint.asked(4);
    const fifth = await (await open()).request('hello', hello('token-5'));
    expect(fifth.error).toMatchObject({
      code: 'CLIENT_AUTH_ERROR',
      retryable: true,
      retryAfterSeconds: 1,
    });
    endpoint.release();
    expect((await Promise.all(greetings)).map(({ ok }) => ok)).toEqual([true, true]);
    expect((await Promise.all(refusals)).map(isRetryable)).toEqual([false, false, false]);
    expect(endpoint.questions).toHaveLength(4);
  });
});

describe('the token', () => {
  it('turns up nowhere: files, stderr, command line, environment, diagnostics, errors', async () => {
    await start(endpoint.url, {}, ['--log-level', 'debug']);
    const bad = 'bad-token-c4n4ry-ffff';
    const page = await open();
    const refused = await page.request('hello', hello(bad));
    endpoint.fault = { kind: 'hang-up' };
    const unreachable = await page.request('hello', hello(`${bad}-2`));
    endpoint.fault = null;
    const second = await open();
    await second.ask('hello', hello(GOOD));
    await second.ask('contact.start', { contactId: 'c-5', channel: 'VOICE' });
    await second.ask('contact.stop', { contactId: 'c-5' });
    await second.event('c-5', 'PUBLISHED');
    const bundle = join(home, 'bundle.zip');
    const made = spawnSync(
      process.execPath,
      [program, 'diagnostics', '--out', bundle, '--data-dir', recorder.dataDir],
      { encoding: 'utf8' },
    );
    const said = [
      JSON.stringify([refused, unreachable, second.pushes]),
      recorder.stderr(),
      await readFile(`/proc/${recorder.pid}/cmdline`, 'latin1'),
      await readFile(`/proc/${recorder.pid}/environ`, 'latin1'),
      made.stdout + made.stderr,
    ];
    const names = await readdir(home, { recursive: true, withFileTypes: true });
    const files = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    expect(files.some((file) => file.endsWith('sightline.log'))).toBe(true);
    for (const file of files) said.push(await readFile(file, 'latin1'));
    expect(made.status).toBe(0);
    const entries = await readZip(bundle);
    expect(entries.size).toBeGreaterThan(3);
    for (const content of entries.values()) said.push(content.toString('latin1'));
    expect(said.filter((text) => text.includes('c4n4ry'))).toEqual([]);
    expect(recorder.stderr()).toContain('"outcome":"refused"');
  });
});

describe('doctor', () => {
  /** Not spawnSync: the endpoint answers in this process. */
  async function check(url: string): Promise<{ verdict: string; evidence: string }> {
    const args = [program, 'doctor', '--json', '--data-dir', join(home, 'd'), '--display', display.display];
    const child = spawn(process.execPath, [...args, '--auth', 'endpoint', '--auth-url', url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    endWithUs(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await once(child, 'close');
    const { checks } = JSON.parse(text) as { checks: { name: string; verdict: string; evidence: string }[] };
    return checks.find(({ name }) => name === 'authentication')!;
  }

  it('looks whether the endpoint is there, and lets nobody in without a token', async () => {
    const host = new URL(endpoint.url).host;
    expect(await check(endpoint.url)).toMatchObject({
      verdict: 'ok',
      evidence: `the endpoint ${host} answered 401 to a request without a token (tried by this command: no Sightline is running)`,
    });
    endpoint.fault = { kind: 'body', body: '{}' };
    expect(await check(endpoint.url)).toMatchObject({ verdict: 'failed' });
    endpoint.fault = { kind: 'status', status: 502 };
    expect(await check(endpoint.url)).toMatchObject({ verdict: 'warning' });
    expect(await check('http://127.0.0.1:9/')).toMatchObject({ verdict: 'failed' });
    expect(endpoint.questions.map(({ token }) => token)).toEqual([null, null, null]);
  });
});

describe('policy', () => {
  it('that names no endpoint does not start; an alias names the default', () => {
    const run = (...flags: string[]) =>
      spawnSync(
        process.execPath,
        [program, 'serve', '--port', '0', '--data-dir', join(home, 'd'), '--auth', 'endpoint', ...flags],
        { encoding: 'utf8' },
      );
    const nobody = run();
    expect(nobody.status).toBe(64);
    expect(nobody.stderr).toContain('Set "authUrl" or "instanceAlias"');
    const plain = run('--auth-url', 'http://acme.my.connect.aws/taps/client/auth');
    expect(plain.status).toBe(64);
    expect(plain.stderr).toContain('must be an https URL');
  });
});
