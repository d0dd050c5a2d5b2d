// A team's server without a proxy: personal keys over HTTPS; and starts that would not be safe.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../rig/freePort.ts';
import { runOrThrow } from '../rig/process.ts';
import { builtProgram, host } from '../rig/program.ts';
import { addReviewRecording } from '../rig/reviewFiles.ts';
import { ask, cookieOf, signedIn, startReview } from '../rig/reviewProgram.ts';

const PUBLIC = 'https://review.example.com';
const access = { access: [{ user: 'root', role: 'admin' }] };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  await addReviewRecording(join(folder, 'library'), 'team-a', 1);
  await writeFile(join(folder, 'access.json'), JSON.stringify(access), { mode: 0o600 });
  await writeFile(join(folder, 'secret'), 'f'.repeat(64), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('personal keys over HTTPS', () => {
  it('open a session, once they are right; without them there is none; a removed key ends it', async () => {
    const tlsPort = await freePort();
    const keys = join(folder, 'keys.json');
    await writeFile(keys, JSON.stringify({ access: [{ user: 'kay', role: 'viewer' }] }), { mode: 0o600 });
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=review.example.com', '-days', '1'];
    await runOrThrow('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ]);
    const made = await runOrThrow(process.execPath, [
      builtProgram,
      'review',
      '--new-key',
      'kay',
      '--access',
      keys,
      '--public-url',
      PUBLIC,
    ]);
    const link = new URL(made.stdout.toString().trim());
    expect(link.pathname).toBe('/sign-in');
    const secret = link.hash.slice(1);
    expect(await readFile(keys, 'utf8')).toContain(createHash('sha256').update(secret).digest('hex'));
    expect(await readFile(keys, 'utf8')).not.toContain(secret);
    const team = await startReview(folder, [
      ...[
        join(folder, 'library'),
        '--serve',
        '--public-url',
        PUBLIC,
        '--port',
        String(tlsPort),
        '--access',
        keys,
      ],
      ...['--tls-cert', cert, '--tls-key', key, '--audit-log', join(folder, 'tls.ndjson')],
    ]);
    try {
      const form = {
        host: 'review.example.com',
        origin: PUBLIC,
        'content-type': 'application/x-www-form-urlencoded',
      };
      const enter = (text: string, headers = {}) =>
        ask(tlsPort, '/sign-in', {
          method: 'POST',
          headers: { ...form, ...headers },
          body: `key=${text}`,
          tls: true,
        });
      expect((await enter('x'.repeat(43))).status).toBe(401);
      // Another site signs somebody in as itself, to read what is noted there.
      expect((await enter(secret, { origin: 'https://evil.example' })).status).toBe(403);
      const answer = await enter(secret);
      expect(answer.status).toBe(303);
      expect(answer.headers['set-cookie']?.[0]).toMatch(
        /^__Host-sightline-review=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      );
      expect(answer.headers['strict-transport-security']).toContain('max-age');
      const fixed = { host: 'review.example.com', cookie: cookieOf(answer) };
      const kay = await signedIn(tlsPort, fixed, { origin: PUBLIC, tls: true });
      expect(kay.session).toMatchObject({ user: 'kay', role: 'viewer' });
      // Headers of a proxy count for nothing here.
      expect(
        (
          await kay.get('/api/session', {
            'x-forwarded-user': 'root',
            'x-sightline-proxy-secret': 'f'.repeat(64),
          })
        ).json().user,
      ).toBe('kay');
      await writeFile(keys, JSON.stringify({ access: [{ user: 'kay', role: 'admin' }], keys: [] }), {
        mode: 0o600,
      });
      expect((await kay.get('/api/session')).status).toBe(401);
      expect(await readFile(join(folder, 'tls.ndjson'), 'utf8')).not.toContain(secret);
    } finally {
      await team.stop();
    }
  });
});

describe('what does not start', () => {
  it.each([
    [
      'without an access file',
      ['--public-url', PUBLIC, '--tls-cert', 'x', '--tls-key', 'y'],
      'needs --access',
    ],
    ['without TLS and without a proxy', ['--public-url', PUBLIC, '--access', 'ACCESS'], 'sign-in proxy'],
    [
      'with an address without TLS',
      ['--public-url', 'http://review.example.com', '--access', 'ACCESS', '--proxy-secret-file', 'SECRET'],
      'over TLS only',
    ],
    [
      'with a secret that is too short',
      ['--public-url', PUBLIC, '--access', 'ACCESS', '--proxy-secret-file', 'SHORT'],
      'too short',
    ],
    [
      'with an access file that everybody may change',
      ['--public-url', PUBLIC, '--access', 'OPEN', '--proxy-secret-file', 'SECRET'],
      'can be changed by other users',
    ],
  ])('%s', async (_, args, text) => {
    await writeFile(join(folder, 'short'), 'abc', { mode: 0o600 });
    await writeFile(join(folder, 'open.json'), JSON.stringify(access));
    await runOrThrow('chmod', ['666', join(folder, 'open.json')]);
    const places: Record<string, string> = {
      ...{
        ACCESS: join(folder, 'access.json'),
        SECRET: join(folder, 'secret'),
        SHORT: join(folder, 'short'),
        OPEN: join(folder, 'open.json'),
      },
    };
    const { code, stderr } = await host.run({
      args: [
        'review',
        '--data-dir',
        join(folder, 'data'),
        join(folder, 'library'),
        '--serve',
        ...args.map((one) => places[one] ?? one),
      ],
      ...{ display: null, environment: {}, wrapper: [] },
    });
    expect(stderr).toContain(text);
    expect(code).not.toBe(0);
  });
});
