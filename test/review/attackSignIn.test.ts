// Attacks on the local server's way in: stolen and used links, foreign names of the host, forged and doubled headers, path tricks.
// Each is sent to the built program as an attacker would send it.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addReviewRecording } from '../rig/reviewFiles.ts';
import {
  ask,
  askRaw,
  cookieOf,
  openLink,
  recordingAddresses,
  signedIn,
  startReview,
} from '../rig/reviewProgram.ts';
import type { Answer, ReviewProgram, SignedIn } from '../rig/reviewProgram.ts';

let folder: string;
let review: ReviewProgram;
/** Another one, and the answer to its link, opened by a browser in which an attacker has planted a cookie. */
let other: ReviewProgram;
let first: Answer;
const PLANTED = 'A'.repeat(43);
let me: SignedIn;
let id: string;
const auditLog = (): string => join(folder, 'audit.ndjson');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  await addReviewRecording(join(folder, 'library'), 'team-a', 1);
  const library = join(folder, 'library');
  [review, other] = await Promise.all([
    startReview(folder, [library, '--audit-log', auditLog()]),
    startReview(folder, [library, '--audit-log', join(folder, 'other.ndjson')]),
  ]);
  const cookie = `sightline-review-${other.port}=${PLANTED}`;
  first = await ask(other.port, `${other.link.pathname}${other.link.search}`, { headers: { cookie } });
  me = await openLink(review);
  id = (await me.rows())[0]!.id;
});
afterAll(async () => {
  await Promise.all([review.stop(), other.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const withHost = (name: string) => ({ cookie: me.cookie, host: name });

describe('the link', () => {
  it('sets a cookie that no script can read and no other site sends, and leaves the address bar', () => {
    expect(first.status).toBe(303);
    expect(first.headers.location).toBe('./');
    expect(first.headers['cache-control']).toBe('no-store');
    expect(first.headers['referrer-policy']).toBe('no-referrer');
    expect(first.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^sightline-review-${other.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
      ),
    ]);
  });

  it('gives each sign-in a new cookie: one that was planted before is worth nothing', async () => {
    expect(cookieOf(first)).not.toContain(PLANTED);
    const cookie = `sightline-review-${other.port}=${PLANTED}`;
    const after = await ask(other.port, '/api/session', { headers: { cookie } });
    expect(after.json().code).toBe('SIGN_IN_REQUIRED');
  });

  it('works once: whoever has it later gets nothing, and the log says so', async () => {
    const answer = await ask(review.port, `${review.link.pathname}${review.link.search}`);
    expect(answer.status).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.body.toString()).toContain('works once');
    expect(await readFile(auditLog(), 'utf8')).toContain('"action":"sign-in-refused"');
  });

  it('is in no log', async () => {
    const token = review.link.searchParams.get('token')!;
    const [, cookie = ''] = me.cookie.split('=');
    for (const secret of [token, cookie, me.session.csrf]) {
      expect(await readFile(auditLog(), 'utf8')).not.toContain(secret);
      expect(review.program.stderr()).not.toContain(secret);
    }
  });

  it('cannot be guessed at will: attempts are counted', async () => {
    const codes = await Promise.all(
      Array.from({ length: 15 }, (_, index) => ask(review.port, `/sign-in?token=${'x'.repeat(40)}${index}`)),
    );
    expect(codes.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(4);
    expect(codes.find(({ status }) => status === 429)?.headers['retry-after']).toMatch(/^\d+$/);
  });
});

describe('a session', () => {
  it.each(['/api/session', '/api/recordings', '/api/facets', '/api/audit', '/api/notes.csv'])(
    'is needed for %s',
    async (path) => {
      expect((await ask(review.port, path)).json().code).toBe('SIGN_IN_REQUIRED');
    },
  );

  it('is needed for each address of a recording', async () => {
    for (const rest of recordingAddresses)
      expect((await ask(review.port, `/api/recordings/${id}${rest}`)).status).toBe(401);
  });

  it('ends with sign-out, for whoever has a copy of the cookie', async () => {
    const someone = await signedIn(other.port, { cookie: cookieOf(first) });
    expect((await someone.send('POST', '/api/sign-out', null)).status).toBe(204);
    expect((await someone.get('/api/session')).status).toBe(401);
  });
});

describe('DNS rebinding', () => {
  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.0.0.1.evil.example:PORT',
    '[::1]:PORT',
    '0.0.0.0:PORT',
    'localhost.:PORT',
    'LOCALHOST.evil:PORT',
  ])('refuses Host "%s" although the cookie is right', async (name) => {
    const answer = await ask(review.port, '/api/session', {
      headers: withHost(name.replace('PORT', String(review.port))),
    });
    expect([400, 403]).toContain(answer.status);
    expect(answer.body.toString()).not.toContain('csrf');
  });

  it('answers its own two names', async () => {
    for (const name of ['127.0.0.1', 'localhost'])
      expect(
        (await ask(review.port, '/api/session', { headers: withHost(`${name}:${review.port}`) })).status,
      ).toBe(200);
  });

  it.each(['', 'Host:\r\n', 'Host: \r\n'])('refuses no host: %j', async (line) => {
    const text = `GET /api/session HTTP/1.1\r\n${line}Cookie: ${me.cookie}\r\nConnection: close\r\n\r\n`;
    expect(await askRaw(review.port, text)).toMatch(/^HTTP\/1\.1 40[03] /);
  });

  it('refuses a second host in the request line', async () => {
    const text = `GET http://evil.example/api/session HTTP/1.1\r\nHost: 127.0.0.1:${review.port}\r\nCookie: ${me.cookie}\r\n\r\n`;
    expect(await askRaw(review.port, text)).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe('headers that appear twice', () => {
  it.each([
    ['Host', '127.0.0.1:PORT', 'evil.example'],
    ['Cookie', 'a=b', 'c=d'],
    ['Origin', 'http://127.0.0.1:PORT', 'http://evil.example'],
    ['Range', 'bytes=0-1', 'bytes=2-3'],
    ['Sec-Fetch-Site', 'same-origin', 'cross-site'],
  ])('%s', async (name, first, second) => {
    const lines = [
      'GET /api/session HTTP/1.1',
      ...(name === 'Host' ? [] : [`Host: 127.0.0.1:${review.port}`]),
      `${name}: ${first.replace('PORT', String(review.port))}`,
      `${name}: ${second}`,
    ];
    expect(await askRaw(review.port, `${lines.join('\r\n')}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('refuses a request whose length is said in two ways (request smuggling)', async () => {
    const lines = [
      'POST /api/sign-out HTTP/1.1',
      `Host: 127.0.0.1:${review.port}`,
      ...[
        'Content-Length: 6',
        'Transfer-Encoding: chunked',
        '',
        '0',
        '',
        'GET /api/session HTTP/1.1',
        '',
        '',
      ],
    ];
    const answer = await askRaw(review.port, lines.join('\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('path tricks', () => {
  it.each([
    '/../../../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/%252e%252e%252fetc/passwd',
    '/..\\..\\etc\\passwd',
    '/assets/..%5c..%5cserver.mjs',
    '/server.mjs',
    '/page/../server.mjs',
    '/%00',
    '/api/recordings/..%2f..%2f/video',
    '/api/recordings/%00/video',
    '/api/recordings/../session',
    '/api//session',
    '//evil.example/api/session',
    '/API/session',
    '/api/session/',
    '/api/session;x=1',
  ])('%s finds nothing', async (path) => {
    const answer = await askRaw(
      review.port,
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${review.port}\r\nCookie: ${me.cookie}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).not.toMatch(/root:|csrf|import /);
  });

  it.each(['', 'x', '../../etc/passwd', 'constructor', '__proto__', 'A'.repeat(24), 'A'.repeat(2000)])(
    'an id "%s" that nobody has finds nothing',
    async (made) => {
      const answer = await me.get(`/api/recordings/${made}/video`);
      expect(answer.status).toBe(404);
    },
  );
});

describe('requests of other pages', () => {
  const sites = [
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { origin: 'null' },
    { origin: 'http://evil.example' },
    { origin: 'http://127.0.0.1:1' },
  ];
  it.each(sites)('cannot read with %j', async (headers) => {
    expect((await me.get('/api/session', headers)).json().code).toBe('FOREIGN_REQUEST');
    expect((await me.get(`/api/recordings/${id}/download`, headers)).status).toBe(403);
  });

  it('a link from elsewhere opens the page, which has no data in it', async () => {
    const answer = await me.get('/sign-in', {
      ...{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toContain('text/html');
  });

  it('cannot change anything without the page’s token, its origin, or with the type of a form', async () => {
    const path = `/api/recordings/${id}/actions`;
    const body = { action: 'snapshot', atMs: 1 };
    expect((await me.send('POST', path, body)).status).toBe(204);
    for (const headers of [
      { 'x-sightline-csrf': '' },
      { 'x-sightline-csrf': 'x'.repeat(43) },
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ])
      expect((await me.send('POST', path, body, headers)).json().code).toBe('FOREIGN_REQUEST');
    expect((await me.send('POST', path, body, { 'content-type': 'text/plain' })).json().code).toBe(
      'INVALID_REQUEST',
    );
    const plain = await ask(review.port, path, {
      ...{ method: 'POST', body: JSON.stringify(body) },
      headers: { cookie: me.cookie, 'x-sightline-csrf': me.session.csrf, 'content-type': 'application/json' },
    });
    expect(plain.json().code).toBe('FOREIGN_REQUEST');
  });

  it.each(['DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])('no method %s', async (method) => {
    expect((await ask(review.port, '/api/session', { method, headers: { cookie: me.cookie } })).status).toBe(
      400,
    );
  });
});

describe('the player’s address', () => {
  it.each(['document', 'empty', 'iframe', 'image', 'embed', 'object', 'script'])(
    'is none for a request for "%s"',
    async (destination) => {
      const answer = await me.get(`/api/recordings/${id}/video`, { 'sec-fetch-dest': destination });
      expect(answer.json().code).toBe('NOT_ALLOWED');
    },
  );
  it.each([{ 'sec-fetch-dest': 'video' }, { 'sec-fetch-dest': 'audio' }, {}])(
    'answers %j',
    async (headers) => {
      expect((await me.get(`/api/recordings/${id}/video`, headers)).status).toBe(200);
    },
  );
});

describe('answers', () => {
  it('cannot be framed, sniffed, kept, or read by other origins', async () => {
    const { headers } = await me.get('/api/session');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';");
    expect(headers).toMatchObject({
      'cache-control': 'private, no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['x-powered-by'] ?? headers.server).toBeUndefined();
  });
});
