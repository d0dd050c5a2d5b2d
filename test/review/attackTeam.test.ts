// Attacks on a team's server: what an insider tries who has some rights and wants more, and what somebody tries who can reach the
// server beside its proxy.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditPage } from '../../review/contract.ts';
import { freePort } from '../rig/freePort.ts';
import { addReviewRecording } from '../rig/reviewFiles.ts';
import { ask, askRaw, recordingAddresses, signedIn, startReview } from '../rig/reviewProgram.ts';
import type { ReviewProgram, SignedIn } from '../rig/reviewProgram.ts';

const PUBLIC = 'https://review.example.com';
const SECRET = 'f'.repeat(64);
let folder: string;
let review: ReviewProgram;
let port: number;
const ids: Record<'a' | 'b', string> = { a: '', b: '' };
const as: Record<'viewer' | 'downloader' | 'mixed' | 'admin', SignedIn> = {} as never;

const access = {
  access: [
    { group: 'qa-a', role: 'viewer', prefixes: ['team-a/'] },
    { user: 'dora', role: 'downloader', prefixes: ['team-a/'] },
    { user: 'max', role: 'downloader', prefixes: ['team-a/'] },
    { user: 'max', role: 'viewer', prefixes: ['team-b/'] },
    { user: 'root', role: 'admin' },
    { user: 'leaving', role: 'viewer' },
  ],
};
const accessFile = (): string => join(folder, 'access.json');
/** As an editor does it. */
async function saveAccess(content: unknown): Promise<void> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(`${accessFile()}.new`, text, { mode: 0o600 });
  await rename(`${accessFile()}.new`, accessFile());
}

function proxied(user: string, groups = ''): OutgoingHttpHeaders {
  return {
    ...{ host: 'review.example.com', 'x-sightline-proxy-secret': SECRET, 'x-forwarded-user': user },
    ...{ 'x-forwarded-groups': groups, 'x-forwarded-for': '6.6.6.6, 192.0.2.7' },
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  const library = join(folder, 'library');
  await addReviewRecording(library, 'team-a', 1);
  await addReviewRecording(library, 'team-b', 2);
  await saveAccess(access);
  await writeFile(join(folder, 'secret'), `${SECRET}\n`, { mode: 0o600 });
  port = await freePort();
  review = await startReview(folder, [
    ...[library, '--serve', '--public-url', PUBLIC, '--port', String(port), '--access', accessFile()],
    ...['--proxy-secret-file', join(folder, 'secret'), '--audit-log', join(folder, 'audit.ndjson')],
  ]);
  const sign = (user: string, groups?: string) => signedIn(port, proxied(user, groups), { origin: PUBLIC });
  as.viewer = await sign('vera', 'other,qa-a');
  as.downloader = await sign('dora');
  as.mixed = await sign('max');
  as.admin = await sign('root');
  for (const { id, agent } of await as.admin.rows()) ids[agent === 'agent-of-team-a' ? 'a' : 'b'] = id;
});
afterAll(async () => {
  await review.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('headers of the proxy', () => {
  it('say who it is, and a role for a part of the library', () => {
    expect(as.viewer.session).toMatchObject({
      user: 'vera',
      role: 'viewer',
      may: { download: false, readAudit: false },
    });
    expect(as.admin.session).toMatchObject({ role: 'admin', may: { download: true, readAudit: true } });
  });

  it.each([
    ['no secret', { 'x-sightline-proxy-secret': undefined }],
    ['an empty secret', { 'x-sightline-proxy-secret': '' }],
    ['a wrong secret', { 'x-sightline-proxy-secret': 'e'.repeat(64) }],
    ['half of the secret', { 'x-sightline-proxy-secret': SECRET.slice(0, 32) }],
    ['the secret and more', { 'x-sightline-proxy-secret': `${SECRET} ` + 'f' }],
  ])('count for nothing with %s', async (_, change) => {
    const given = Object.entries({ ...proxied('root'), ...change }).filter(
      ([, value]) => value !== undefined,
    );
    const answer = await ask(port, '/api/session', { headers: Object.fromEntries(given) });
    expect(answer.json().code).toBe('SIGN_IN_REQUIRED');
  });

  it.each(['X-Forwarded-User', 'X-Forwarded-Groups', 'X-Sightline-Proxy-Secret', 'X-Forwarded-For'])(
    'a second %s, which a careless proxy would pass on, is refused',
    async (name) => {
      const own = Object.entries(proxied('vera', 'qa-a')).map(([key, value]) => `${key}: ${String(value)}`);
      const lines = ['GET /api/session HTTP/1.1', ...own, `${name}: root`, 'Connection: close', '', ''];
      expect(await askRaw(port, lines.join('\r\n'))).toMatch(/^HTTP\/1\.1 400 /);
    },
  );

  it.each(['', 'nobody', 'ro\tot', 'ROOT', 'root,vera', 'vera\u202e'])(
    'user "%s" has no access',
    async (user) => {
      const answer = await ask(port, '/api/session', {
        headers: proxied(Buffer.from(user, 'utf8').toString('latin1')),
      });
      expect([401, 403]).toContain(answer.status);
    },
  );

  it('a name of a user is no name of a group, and the other way round', async () => {
    for (const headers of [proxied('qa-a'), proxied('someone', 'root,dora')])
      expect((await ask(port, '/api/session', { headers })).json().code).toBe('NOT_ALLOWED');
  });

  it('count only from the proxy’s address', async () => {
    const other = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
    const second = await freePort();
    const exposed = await startReview(folder, [
      ...[join(folder, 'library'), '--serve', '--public-url', PUBLIC, '--port', String(second)],
      ...['--access', accessFile(), '--proxy-secret-file', join(folder, 'secret')],
      ...['--proxy-address', other ?? '192.0.2.1', '--audit-log', join(folder, 'exposed.ndjson')],
    ]);
    try {
      // From 127.0.0.1, which is another program than the proxy here.
      expect((await ask(second, '/api/session', { headers: proxied('root') })).status).toBe(401);
    } finally {
      await exposed.stop();
    }
  });

  it('the address in the log is what the proxy saw, not what the client claims', async () => {
    const { entries } = (await as.admin.get('/api/audit')).json() as unknown as AuditPage;
    expect(new Set(entries.filter(({ user }) => user === 'vera').map(({ address }) => address))).toEqual(
      new Set(['192.0.2.7']),
    );
  });
});

describe('another team’s recordings', () => {
  it('are not in the list, the filters, or the total', async () => {
    const list = (await as.viewer.get('/api/recordings')).json();
    expect(list.total).toBe(1);
    expect(JSON.stringify([list, (await as.viewer.get('/api/facets')).json()])).not.toContain('team-b');
    expect((await as.viewer.get('/api/recordings?text=team-b&agent=agent-of-team-b')).json().total).toBe(0);
  });

  it('are not found by their id, exactly as one that is not there', async () => {
    for (const rest of recordingAddresses) {
      const [theirs, nobodys] = await Promise.all(
        [ids.b, 'B'.repeat(24)].map((id) => as.viewer.get(`/api/recordings/${id}${rest}`)),
      );
      expect(theirs!.status).toBe(404);
      expect(theirs!.body).toEqual(nobodys!.body);
    }
    for (const [method, rest] of [
      ['POST', 'verify'],
      ['POST', 'actions'],
      ['PUT', 'notes'],
    ] as const)
      expect((await as.viewer.send(method, `/api/recordings/${ids.b}/${rest}`, {})).status).toBe(404);
  });

  it('are tried: the log says by whom', async () => {
    const { entries } = (await as.admin.get('/api/audit')).json() as unknown as AuditPage;
    expect(entries).toContainEqual(
      expect.objectContaining({
        user: 'vera',
        action: 'refused',
        details: expect.objectContaining({ code: 'NOT_FOUND' }) as object,
      }),
    );
  });

  it('may be watched and still not downloaded: a role counts for its own part only', async () => {
    expect(as.mixed.session.may.download).toBe(true);
    expect((await as.mixed.get(`/api/recordings/${ids.a}/download`)).status).toBe(200);
    expect((await as.mixed.get(`/api/recordings/${ids.b}/video`)).status).toBe(200);
    expect((await as.mixed.get(`/api/recordings/${ids.b}/download`)).json().code).toBe('NOT_ALLOWED');
    expect((await as.mixed.get(`/api/recordings/${ids.b}/audio?kind=original`)).json().code).toBe(
      'NOT_ALLOWED',
    );
  });
});

describe('a viewer', () => {
  it('watches, and neither downloads, exports, nor hears what was not redacted', async () => {
    const at = `/api/recordings/${ids.a}`;
    expect((await as.viewer.get(`${at}/video`, { 'sec-fetch-dest': 'video' })).status).toBe(200);
    for (const path of [`${at}/download`, `${at}/audio?kind=original`, '/api/notes.csv', '/api/audit'])
      expect((await as.viewer.get(path)).json().code).toBe('NOT_ALLOWED');
    for (const destination of ['empty', 'document'])
      expect((await as.viewer.get(`${at}/video`, { 'sec-fetch-dest': destination })).status).toBe(403);
  });

  it('writes notes under no other name, and changes nobody else’s', async () => {
    const path = `/api/recordings/${ids.a}/notes`;
    const [mine, theirs] = [crypto.randomUUID(), crypto.randomUUID()];
    const note = { atMs: 1000, text: 'polite', score: { criterion: 'greeting', points: 9 } };
    const first = await as.downloader.send(
      'PUT',
      path,
      { entries: [{ ...note, id: theirs, author: 'root' }] },
      { 'if-match': 'none' },
    );
    expect(first.json().entries).toMatchObject([{ author: 'dora' }]);
    const version = String(first.json().version);
    const changed = {
      entries: [
        { ...note, id: theirs, text: 'rude' },
        { ...note, id: mine },
      ],
    };
    expect((await as.viewer.send('PUT', path, changed, { 'if-match': version })).json().code).toBe(
      'NOT_ALLOWED',
    );
    expect((await as.viewer.send('PUT', path, { entries: [] }, { 'if-match': version })).json().code).toBe(
      'NOT_ALLOWED',
    );
    const added = {
      entries: [
        { ...note, id: theirs },
        { ...note, id: mine, author: 'dora', changedAt: '2001-01-01T00:00:00Z' },
      ],
    };
    const second = await as.viewer.send('PUT', path, added, { 'if-match': version });
    expect((second.json().entries as { author: string }[]).map(({ author }) => author)).toEqual([
      'dora',
      'vera',
    ]);
    // Somebody who has not seen that yet.
    expect((await as.downloader.send('PUT', path, added, { 'if-match': version })).json().code).toBe(
      'NOTES_CHANGED',
    );
  });

  it('has another session’s token for nothing', async () => {
    const answer = await as.viewer.send(
      'POST',
      `/api/recordings/${ids.a}/actions`,
      { action: 'snapshot', atMs: 0 },
      {
        'x-sightline-csrf': as.admin.session.csrf,
      },
    );
    expect(answer.json().code).toBe('FOREIGN_REQUEST');
  });
});

describe('the access file', () => {
  it('takes access with the next request, and cuts the video that is open', async () => {
    await addReviewRecording(join(folder, 'library'), 'team-a', 3, new Uint8Array(32 * 1024 * 1024));
    await as.admin.send('POST', '/api/refresh', null);
    await expect.poll(async () => (await as.admin.rows()).length).toBe(3);
    const large = (await as.admin.rows()).find(({ sizeBytes }) => sizeBytes > 1024 * 1024)!.id;
    const leaving = proxied('leaving');
    const socket = connect(port, '127.0.0.1').pause();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    const lines = Object.entries(leaving).map(([name, value]) => `${name}: ${String(value)}`);
    socket.write(`GET /api/recordings/${large}/video HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    await saveAccess({ access: access.access.filter(({ user }) => user !== 'leaving') });
    expect((await ask(port, '/api/session', { headers: leaving })).json().code).toBe('NOT_ALLOWED');
    socket.resume();
    await closed;
    expect(socket.bytesRead).toBeLessThan(32 * 1024 * 1024);
  });

  it.each([
    ['is not JSON', '{'],
    ['has an unknown role', { access: [{ user: 'vera', role: 'owner' }] }],
    ['names nobody', { access: [{ role: 'admin' }] }],
    [
      'has a prefix that is the beginning of another team’s',
      { access: [{ user: 'vera', role: 'viewer', prefixes: ['team'] }] },
    ],
    ['has an admin of a part', { access: [{ user: 'vera', role: 'admin', prefixes: ['team-a/'] }] }],
  ])('that %s changes nothing, and the log says so', async (_, content) => {
    const before = review.program.stderr().length;
    await saveAccess(content);
    expect((await as.admin.get('/api/session')).status).toBe(200);
    expect((await as.viewer.get('/api/audit')).status).toBe(403);
    expect(review.program.stderr().slice(before)).toContain('the access file is not valid');
    await saveAccess(access);
  });
});
