// Broker and authorizer under attack, over HTTP, with a real identity provider's kinds of tokens. STS is a counter here: what counts is
// that nothing reaches it. docs/aws-services.md lists what is refused.
import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBroker, type RoleRequest } from '../../cloud/broker/broker.ts';
import { openAccess } from '../../cloud/access.ts';
import { serveHttp, type LocalHttp } from '../../cloud/local/http.ts';
import type { HttpHandler } from '../../cloud/http/lambda.ts';
import { brokerSettings, type Environment } from '../../cloud/settings.ts';
import { agent } from '../rig/recorder.ts';
import { AUDIENCE, startIssuer, unsigned, type Issuer } from '../rig/cloud/tokens.ts';

const other = { instanceArn: agent.instanceArn.replace('1111', '9999') };
const question = {
  recordingId: '0a1b2c3d-0000-4000-8000-000000000000',
  contactId: 'c-1',
  agentArn: agent.agentArn,
  instanceArn: agent.instanceArn,
  bucket: 'recordings',
  keyPrefix: 'connect/acme/ScreenRecordings/2026/01/02/c-1_20260102T030405Z',
};
const authorization = {
  agentArn: agent.agentArn,
  instanceArn: agent.instanceArn,
  instanceAlias: 'acme',
  origin: 'https://acme.my.connect.aws',
  appVersion: '0.1.0',
};
const SECRET = 'AWS-SECRET-never-in-a-log';

let issuer: Issuer;
let http: LocalHttp;
let uptime = 0;
const roles: RoleRequest[] = [];
const handlers: HttpHandler[] = [];
const lines: Readonly<Record<string, unknown>>[] = [];

beforeAll(async () => {
  issuer = await startIssuer({ agentArn: agent.agentArn, sub: 'alice' });
  http = await startWith({});
});
afterAll(async () => {
  await http.close();
  await issuer.close();
});
beforeEach(() => {
  roles.length = 0;
  lines.length = 0;
  // The buckets are full again.
  uptime += 3_600_000;
});

function startWith(more: Environment): Promise<LocalHttp> {
  const env: Environment = {
    INSTANCES: JSON.stringify([
      { instanceArn: agent.instanceArn, bucket: 'recordings', keyPrefix: 'connect/acme/ScreenRecordings' },
    ]),
    TOKEN_ISSUER: issuer.issuer,
    TOKEN_JWKS_URL: issuer.jwksUrl,
    TOKEN_AUDIENCE: AUDIENCE,
    ROLE_ARN: 'arn:aws:iam::123456789012:role/uploads',
    ...more,
  };
  const broker = createBroker({
    access: openAccess(env),
    settings: brokerSettings(env),
    assumeRole(role) {
      roles.push(role);
      return Promise.resolve({
        ...{ accessKeyId: 'ASIATEST', secretAccessKey: SECRET, sessionToken: 'session' },
        expiration: new Date(Date.now() + 900_000),
      });
    },
    log: (line) => lines.push(line),
    uptimeMs: () => uptime,
  });
  handlers.push(broker);
  return serveHttp(broker);
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

async function post(path: string, token: string | null, body: unknown, to = http): Promise<Answer> {
  const response = await fetch(`${to.origin}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as Answer['body'], headers: response.headers };
}

const ask = (token: string | null, change: object = {}): Promise<Answer> =>
  post('/credentials', token, { ...question, ...change });
const authorize = (token: string | null, change: object = {}): Promise<Answer> =>
  post('/authorize', token, { ...authorization, ...change });

describe('an agent’s own token', () => {
  it.each(['RS256', 'ES256'] as const)(
    'signed with %s gets credentials for this recording only',
    async (alg) => {
      const { status, body, headers } = await ask(await issuer.token({}, alg));
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(Object.keys(body).sort()).toEqual([
        'accessKeyId',
        'expiration',
        'mayPutEvents',
        'secretAccessKey',
        'sessionToken',
      ]);
      const [role, ...more] = roles;
      expect(more).toEqual([]);
      expect(role).toMatchObject({ sessionName: 'alice@0a1b2c3d', durationSeconds: 900 });
      expect(role!.policy).toContain(`arn:aws:s3:::recordings/${question.keyPrefix}.mp4`);
    },
  );

  it('is accepted by the authorizer, until it expires but at most for 15 minutes', async () => {
    const exp = Math.floor(Date.now() / 1000) + 300;
    const soon = await authorize(await issuer.token({ exp }));
    expect(soon).toMatchObject({ status: 200, body: { allowed: true, agentArn: agent.agentArn } });
    expect(soon.body['expiresAt']).toBe(new Date(exp * 1000).toISOString());
    const { body } = await authorize(await issuer.token({ exp: 1e12 }));
    expect(Date.parse(String(body['expiresAt']))).toBeLessThanOrEqual(Date.now() + 900_000);
  });
});

const hour = (hours: number): number => Math.floor(Date.now() / 1000) + hours * 3600;
describe.each([
  ['credentials', ask],
  ['authorize', authorize],
] as const)('POST /%s refuses', (_, send) => {
  it.each<[string, number, string, () => Promise<string | null>]>([
    ['no token', 401, 'TOKEN_MISSING', () => Promise.resolve(null)],
    ['text that is no token', 401, 'TOKEN_NOT_VALID', () => Promise.resolve('hunter2')],
    ['an expired token', 401, 'TOKEN_EXPIRED', () => issuer.token({ exp: hour(-1) })],
    ['a token without an expiry', 401, 'TOKEN_NOT_VALID', () => issuer.token({ exp: undefined })],
    ['a token that is not yet valid', 401, 'TOKEN_NOT_VALID', () => issuer.token({ nbf: hour(1) })],
    ['another audience', 401, 'TOKEN_NOT_VALID', () => issuer.token({ aud: 'another-app' })],
    ['no audience', 401, 'TOKEN_NOT_VALID', () => issuer.token({ aud: undefined })],
    ['another issuer', 401, 'TOKEN_NOT_VALID', () => issuer.token({ iss: 'https://evil.example' })],
    ['a forged signature', 401, 'TOKEN_NOT_VALID', () => issuer.forged()],
    ['key confusion (HS256 with the public key)', 401, 'TOKEN_NOT_VALID', () => issuer.confused()],
    [
      'a changed payload',
      401,
      'TOKEN_NOT_VALID',
      async () => {
        const [head, , signature] = (await issuer.token()).split('.');
        const claims = Buffer.from(JSON.stringify({ agentArn: agent.agentArn, exp: hour(9) })).toString(
          'base64url',
        );
        return `${head}.${claims}.${signature}`;
      },
    ],
    ['no agent in the token', 401, 'TOKEN_NAMES_NO_AGENT', () => issuer.token({ agentArn: undefined })],
    [
      'a list of agents in the token',
      401,
      'TOKEN_NAMES_NO_AGENT',
      () => issuer.token({ agentArn: [agent.agentArn] }),
    ],
  ])('%s', async (_name, status, code, token) => {
    expect(await send(await token())).toMatchObject({ status, body: { code } });
    expect(roles).toEqual([]);
  });

  it.each(['none', 'None', 'NONE', 'nOnE', ''])('alg "%s"', async (alg) => {
    const claims = { iss: issuer.issuer, aud: AUDIENCE, agentArn: agent.agentArn, exp: hour(1) };
    expect(await send(unsigned(alg, claims))).toMatchObject({
      status: 401,
      body: { code: 'TOKEN_NOT_VALID' },
    });
    expect(roles).toEqual([]);
  });

  it('an instance that is not served', async () => {
    const asked = { ...other, agentArn: `${other.instanceArn}/agent/alice` };
    const token = await issuer.token({ agentArn: asked.agentArn });
    expect(await send(token, asked)).toMatchObject({ status: 403, body: { code: 'INSTANCE_NOT_SERVED' } });
  });

  it.each(['', '/../alice', '/a/b', '/*', '/a\n'])('an agent ARN with %j for an id', async (id) => {
    const agentArn = `${agent.instanceArn}/agent${id}`;
    const answer = await send(await issuer.token({ agentArn }), { agentArn });
    expect(answer).toMatchObject({ status: 403, body: { code: 'AGENT_NOT_OF_INSTANCE' } });
  });

  it('a body that is too large, none, or of other types', async () => {
    const token = await issuer.token();
    expect(await send(token, { more: 'x'.repeat(10_000) })).toMatchObject({ status: 413 });
    expect(await send(token, { more: 'x'.repeat(1_000_000) })).toMatchObject({ status: 413 });
    expect(await send(token, { agentArn: 'x'.repeat(513) })).toMatchObject({ status: 400 });
    expect(await send(token, { agentArn: { $ne: '' } })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', message: 'Not valid: agentArn.' },
    });
  });
});

it('refuses what is no JSON, other methods and other paths', async () => {
  const token = await issuer.token();
  for (const text of ['', '{', '[]', 'null', '"x"'])
    expect(await post('/credentials', token, text)).toMatchObject({ status: 400 });
  expect(await post('/credentials/', token, question)).toMatchObject({ status: 404 });
  expect(await post('/__proto__', token, question)).toMatchObject({ status: 404 });
  const got = await fetch(`${http.origin}/credentials`, { headers: { authorization: `Bearer ${token}` } });
  expect(got.status).toBe(405);
});

it('refuses a token again that was good before it expired', async () => {
  const token = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 3 - 60 }); // within the clock skew
  expect(await ask(token)).toMatchObject({ status: 200 });
  await expect.poll(async () => (await ask(token)).body['code'], { timeout: 8000 }).toBe('TOKEN_EXPIRED');
});

describe('another agent’s token', () => {
  const bobArn = agent.agentArn.replace('alice', 'bob');

  it('gets no credentials, and is not accepted', async () => {
    const bob = await issuer.token({ agentArn: bobArn, sub: 'bob' });
    expect(await ask(bob)).toMatchObject({ status: 403, body: { code: 'OTHER_AGENT' } });
    expect(await authorize(bob)).toMatchObject({ status: 200, body: { allowed: false } });
    expect(roles).toEqual([]);
  });

  it('may write, and never look, where shared desks are allowed to', async () => {
    const shared = await startWith({ ALLOW_OTHER_AGENTS: 'true', ALLOW_HEAD: 'true' });
    const bob = await issuer.token({ agentArn: bobArn, sub: 'bob' });
    expect(await post('/credentials', bob, question, shared)).toMatchObject({ status: 200 });
    expect(await post('/credentials', await issuer.token(), question, shared)).toMatchObject({ status: 200 });
    expect(roles.map(({ policy }) => policy.includes('s3:GetObject'))).toEqual([false, true]);
    await shared.close();
  });
});

it.each([
  [
    '..',
    { keyPrefix: 'connect/acme/ScreenRecordings/../../bpo/2026/01/02/c-1_20260102T030405Z' },
    'KEY_NOT_ALLOWED',
  ],
  [
    'an encoded slash',
    { keyPrefix: `connect%2facme/ScreenRecordings/2026/01/02/c-1_20260102T030405Z` },
    'KEY_NOT_ALLOWED',
  ],
  ['another contact’s key', { contactId: 'c-2' }, 'KEY_NOT_ALLOWED'],
  ['another bucket', { bucket: 'recordings-of-others' }, 'BUCKET_NOT_ALLOWED'],
])('refuses %s', async (_, change, code) => {
  expect(await ask(await issuer.token(), change)).toMatchObject({ status: 403, body: { code } });
  expect(roles).toEqual([]);
});

it('never writes a token or a secret into its log or an error', async () => {
  const token = await issuer.token();
  const answers = [await ask(token), await ask(`${token}x`), await ask(token, { contactId: '../x' })];
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 400]);
  const said = JSON.stringify([lines, answers.slice(1)]);
  expect(lines).toHaveLength(3);
  expect(said).not.toContain(SECRET);
  for (const part of token.split('.')) expect(said).not.toContain(part);
});

it('answers 503, which the recorder retries, while the issuer’s keys or STS are out of reach', async () => {
  issuer.failWith = 500;
  const fresh = await startWith({});
  expect(await post('/credentials', await issuer.token(), question, fresh)).toMatchObject({
    status: 503,
    body: { code: 'KEYS_UNAVAILABLE' },
  });
  issuer.failWith = null;
  expect(await post('/credentials', await issuer.token(), question, fresh)).toMatchObject({ status: 200 });
  await fresh.close();
});

it('does not fetch keys for each unknown key id', async () => {
  const before = issuer.fetches;
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'unknown' })).toString('base64url');
  const [, claims, signature] = (await issuer.token()).split('.');
  for (let count = 0; count < 50; count++)
    expect(await ask(`${header}.${claims}.${signature}`)).toMatchObject({ status: 401 });
  expect(issuer.fetches - before).toBeLessThanOrEqual(1);
});

it('1,000 requests at once by one agent: its burst passes, the rest is refused, another agent is served', async () => {
  const token = await issuer.token();
  const bob = { agentArn: agent.agentArn.replace('alice', 'bob') };
  const bobsToken = await issuer.token(bob);
  const sockets = new Agent({ keepAlive: true, maxSockets: 32 });
  const send = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const request = httpRequest(`${http.origin}/credentials`, { method: 'POST', agent: sockets, headers });
      request.on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      request.on('error', reject).end(JSON.stringify(question));
    });
  const began = performance.now();
  const flood = Promise.all(Array.from({ length: 1000 }, send));
  const bobBegan = performance.now();
  const bobsAnswer = await ask(bobsToken, bob);
  const bobMs = performance.now() - bobBegan;
  const statuses = await flood;
  const seconds = (performance.now() - began) / 1000;
  sockets.destroy();
  const passed = statuses.filter((status) => status === 200).length;
  console.log(
    `1,000 requests by one agent in ${seconds.toFixed(2)} s (${Math.round(1000 / seconds)}/s): ${passed} credentials, ` +
      `${1000 - passed} times 429; another agent meanwhile after ${Math.round(bobMs)} ms`,
  );
  expect(passed).toBe(60);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(bobsAnswer.status).toBe(200);
  expect(roles).toHaveLength(61);
  // The client's and the rig's time count as well; the recorder waits 10 s.
  expect(bobMs).toBeLessThan(5000);
});

it('refuses 1,000 requests of one agent within the second in one container', async () => {
  const event = {
    rawPath: '/credentials',
    headers: { authorization: `Bearer ${await issuer.token()}` },
    body: JSON.stringify(question),
    requestContext: { http: { method: 'POST' } },
  };
  const [handler] = handlers;
  await handler!(event); // the keys are fetched
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: 1000 }, () => handler!(event)));
  const ms = performance.now() - began;
  console.log(
    `1,000 requests by one agent to the handler alone: ${Math.round(ms)} ms, ${roles.length} calls of STS`,
  );
  expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(941);
  expect(roles).toHaveLength(60);
});
