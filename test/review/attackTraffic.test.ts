// Attacks by amount: ranges, bodies, connections and requests that are too many, too large or too slow. The built program, real
// sockets; what takes minutes there is tested with shorter times on the same server in this process.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../main/platform/log.ts';
import type { IndexState } from '../../review/contract.ts';
import { rates } from '../../review/server/http/limits.ts';
import { AuditLog } from '../../review/server/http/audit/log.ts';
import { NotesStore } from '../../review/server/http/notes/store.ts';
import { OneTimeLinks } from '../../review/server/http/oneTimeLinks.ts';
import { serverLimits, startServer, type ServerLimits } from '../../review/server/http/server.ts';
import type { Library } from '../../review/server/library/ports.ts';
import { addReviewRecording, type ReviewFile } from '../rig/reviewFiles.ts';
import { ask, askRaw, cookieOf, openLink, signedIn, startReview } from '../rig/reviewProgram.ts';
import type { ReviewProgram, SignedIn } from '../rig/reviewProgram.ts';

let folder: string;
let review: ReviewProgram;
let me: SignedIn;
let small: string;
let large: string;
let file: ReviewFile;
const LARGE_BYTES = 64 * 1024 * 1024;
const auditLog = (): string => join(folder, 'audit.ndjson');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  file = await addReviewRecording(join(folder, 'library'), 'team-a', 1);
  await addReviewRecording(join(folder, 'library'), 'team-b', 2, new Uint8Array(LARGE_BYTES));
  review = await startReview(folder, [join(folder, 'library'), '--audit-log', auditLog()]);
  me = await openLink(review);
  for (const { id, agent } of await me.rows())
    if (agent === 'agent-of-team-a') small = id;
    else large = id;
});
afterAll(async () => {
  await review.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('ranges', () => {
  const size = 64 * 1024;
  const get = (range: string, headers = {}) =>
    me.get(`/api/recordings/${small}/video`, { range, ...headers });

  it.each([
    ['bytes=0-', 0, size - 1],
    ['bytes=5-5', 5, 5],
    ['bytes=100-199', 100, 199],
    ['bytes=-10', size - 10, size - 1],
    [`bytes=-${size * 2}`, 0, size - 1],
    ['bytes=65530-99999999999', 65_530, size - 1],
  ])('%s is answered, clamped to the file, with its very bytes', async (range, start, end) => {
    const answer = await get(range);
    expect(answer.status).toBe(206);
    expect(answer.headers['content-range']).toBe(`bytes ${start}-${end}/${size}`);
    expect(answer.body.equals(file.bytes.subarray(start, end + 1))).toBe(true);
  });

  it.each([
    'bytes=0-1,2-3',
    `bytes=${Array.from({ length: 1000 }, () => '0-').join(',')}`,
    'bytes=5-4',
    `bytes=${size}-`,
    'bytes=-0',
    'bytes=-',
    'bytes=--5',
    'bytes=0x10-',
    'bytes=1e3-',
    'bytes=0-1 ',
    'bytes= 0-1,',
    'bytes=99999999999999999999-',
    'items=0-1',
  ])('%s is refused', async (range) => {
    const answer = await get(range);
    // A blank at the end is no part of a header's value (RFC 9110, 5.5).
    if (range === 'bytes=0-1 ') expect(answer.body).toHaveLength(2);
    else expect(answer.json().code).toBe('RANGE_NOT_SATISFIABLE');
  });

  it('are forgotten when the file is another one by now', async () => {
    const { etag } = (await get('bytes=0-1')).headers;
    expect((await get('bytes=0-1', { 'if-range': etag })).status).toBe(206);
    expect((await get('bytes=0-1', { 'if-range': '"another"' })).status).toBe(200);
  });

  it('HEAD answers without the file', async () => {
    const head = await ask(review.port, `/api/recordings/${large}/video`, {
      method: 'HEAD',
      headers: { cookie: me.cookie },
    });
    expect(head.headers['content-length']).toBe(String(LARGE_BYTES));
    expect(head.body).toHaveLength(0);
  });
});

/** A reader that asks for the large recording and reads nothing. */
function slowReader(port: number, cookie: string): Promise<{ socket: Socket; head: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.once('close', () => reject(new Error('closed')));
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      resolve({ socket, head: chunk.toString('latin1').split('\r\n', 1)[0] ?? '' });
    });
    const at = `/api/recordings/${large}/video`;
    socket.write(`GET ${at} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`);
  });
}

describe('open streams', () => {
  it('of one user are few, and each makes room when its reader leaves', async () => {
    const readers = await Promise.all(Array.from({ length: 60 }, () => slowReader(review.port, me.cookie)));
    const open = readers.filter(({ head }) => head.includes(' 200 '));
    expect(open).toHaveLength(serverLimits.streams.perUser);
    expect(readers.filter(({ head }) => head.includes(' 429 '))).toHaveLength(60 - open.length);
    // The rest of the server answers meanwhile.
    expect((await me.get('/api/recordings')).status).toBe(200);
    for (const { socket } of readers) socket.destroy();
    await expect.poll(async () => (await me.get(`/api/recordings/${small}/video`)).status).toBe(200);
  });
});

describe('bodies and headers', () => {
  it('that are too large are refused before they are read', async () => {
    const path = `/api/recordings/${small}/actions`;
    expect((await me.send('POST', path, 'x'.repeat(20_000))).json().code).toBe('TOO_LARGE');
    const claimed = [
      `PUT /api/recordings/${small}/notes HTTP/1.1`,
      ...[
        `Host: 127.0.0.1:${review.port}`,
        `Origin: http://127.0.0.1:${review.port}`,
        `Cookie: ${me.cookie}`,
      ],
      ...[`X-Sightline-Csrf: ${me.session.csrf}`, 'Content-Type: application/json', 'If-Match: none'],
      ...['Content-Length: 999999999999', 'Connection: close', '', '{'],
    ];
    expect(await askRaw(review.port, claimed.join('\r\n'))).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('in pieces without a length are counted', async () => {
    const head = [
      `POST /api/recordings/${small}/actions HTTP/1.1`,
      ...[
        `Host: 127.0.0.1:${review.port}`,
        `Origin: http://127.0.0.1:${review.port}`,
        `Cookie: ${me.cookie}`,
      ],
      ...[
        `X-Sightline-Csrf: ${me.session.csrf}`,
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
        '',
        '',
      ],
    ].join('\r\n');
    const piece = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    expect(await askRaw(review.port, head + piece.repeat(8))).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    [
      'many notes',
      {
        entries: Array.from({ length: 501 }, () => ({
          id: crypto.randomUUID(),
          atMs: null,
          text: '',
          score: null,
        })),
      },
    ],
    [
      'a long note',
      { entries: [{ id: crypto.randomUUID(), atMs: null, text: 'x'.repeat(4001), score: null }] },
    ],
    [
      'an id twice',
      {
        entries: Array.from({ length: 2 }, () => ({
          id: '11111111-1111-4111-8111-111111111111',
          atMs: null,
          text: '',
          score: null,
        })),
      },
    ],
    [
      'points beyond ten',
      { entries: [{ id: crypto.randomUUID(), atMs: null, text: '', score: { criterion: 'a', points: 11 } }] },
    ],
    ['a list', []],
    ['nothing', null],
    ['deep nesting', `{"entries":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('notes with %s are refused', async (_, body) => {
    const answer = await me.send('PUT', `/api/recordings/${small}/notes`, body, { 'if-match': 'none' });
    expect(answer.json().code).toBe('INVALID_REQUEST');
  });

  it('headers that are too large or too many end the connection', async () => {
    const host = `Host: 127.0.0.1:${review.port}\r\n`;
    expect(await askRaw(review.port, `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(40_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await askRaw(review.port, `GET /${'x'.repeat(5000)} HTTP/1.1\r\n${host}\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  it.each([
    'limit=201',
    'limit=0',
    'offset=-1',
    'offset=1e9',
    'sort=password',
    'text=a&text=b',
    'unknown=1',
    'from=yesterday',
    `text=${'x'.repeat(301)}`,
    'channel[]=VOICE',
  ])('the query ?%s is refused', async (query) => {
    expect((await me.get(`/api/recordings?${query}`)).json().code).toBe('INVALID_REQUEST');
  });
});

describe('10,000 requests', () => {
  it('are counted and refused; memory, audit log and other requests stay as they were', async () => {
    const pid = await review.program.pid();
    const memory = async (): Promise<number> =>
      Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
    const text = `GET /api/session HTTP/1.1\r\nHost: 127.0.0.1:${review.port}\r\nCookie: ${me.cookie}\r\n\r\n`;
    const close = text.replace(/\r\n\r\n$/, '\r\nConnection: close\r\n\r\n');
    const statuses = new Map<string, number>();
    const began = performance.now();
    const flood = async (): Promise<number> => {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const answers = await askRaw(review.port, text.repeat(499) + close);
          for (const [status] of answers.matchAll(/HTTP\/1\.1 \d{3}/g))
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }),
      );
      return memory();
    };
    // The first half lets the heap grow to the size of such a flood; what grows after that would grow without end.
    const before = await flood();
    const after = await flood();
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(10_000);
    // A slow machine needs several of the limit's periods.
    const { points, seconds } = rates.user;
    const periods = Math.ceil((performance.now() - began) / (seconds * 1000)) + 1;
    expect(statuses.get('HTTP/1.1 200')).toBeLessThanOrEqual(periods * points);
    expect(statuses.get('HTTP/1.1 429')).toBe(10_000 - (statuses.get('HTTP/1.1 200') ?? 0));
    expect(statuses.get('HTTP/1.1 429')).toBeGreaterThan(0);
    expect(after).toBeLessThan(before + 100 * 1024);
    const log = await readFile(auditLog(), 'utf8');
    expect(log.split('\n').filter((line) => line.includes('TOO_MANY_REQUESTS')).length).toBeLessThan(10);
    await expect.poll(async () => (await me.get('/api/session')).status, { timeout: 15_000 }).toBe(200);
  });
});

describe('slow connections', () => {
  const state: IndexState = { state: 'ready', indexed: 0, total: 0, updatedAt: null };
  /** Nothing is read from it here. */
  const library: Library = {
    ...{ name: 'none', state, refresh: () => Promise.resolve(), facets: () => ({ agents: [], queues: [] }) },
    list: () => ({ rows: [], offset: 0, total: 0, index: state }),
    ...{ rows: () => [], find: () => null, close: () => Promise.resolve() },
  };

  async function quickServer(limits: Partial<ServerLimits>) {
    const audit = await AuditLog.open(join(folder, `${crypto.randomUUID()}.ndjson`), silentLogger);
    const links = new OneTimeLinks();
    const server = await startServer({
      ...{ library, audit, notes: new NotesStore(join(folder, 'notes')), log: silentLogger },
      ...{ mayDownload: true, appVersion: '0', host: '127.0.0.1', port: 0, tls: null, publicUrl: null },
      ...{ pageFolder: join(folder, 'none'), isOurs: null, signIn: { kind: 'local', user: 'me', links } },
      limits: { ...serverLimits, ...limits },
    });
    return { server, links, close: () => server.close().then(() => audit.close()) };
  }

  it('that send their headers or their body drop by drop are cut', async () => {
    const { server, close } = await quickServer({ headersMs: 200, requestMs: 400 });
    try {
      expect(await askRaw(server.port, 'GET / HTTP/1.1\r\nHost: ')).toMatch(/^HTTP\/1\.1 408 /);
      const head = `POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nOrigin: http://127.0.0.1:${server.port}\r\n`;
      expect(await askRaw(server.port, `${head}Content-Length: 10\r\n\r\nkey`)).toMatch(
        /^HTTP\/1\.1 (408|400) |^$/,
      );
    } finally {
      await close();
    }
  });

  it('on which nothing moves are cut', async () => {
    const { server, close } = await quickServer({ stallMs: 200 });
    try {
      expect(await askRaw(server.port, '')).toBe('');
    } finally {
      await close();
    }
  });

  it('of one address are limited', async () => {
    const { server, close } = await quickServer({ connectionsPerAddress: 5 });
    try {
      const sockets = Array.from({ length: 30 }, () => connect(server.port, '127.0.0.1'));
      const closed = new Set<Socket>();
      for (const socket of sockets) {
        socket.on('error', () => undefined);
        socket.once('close', () => closed.add(socket));
      }
      await expect.poll(() => closed.size).toBe(25);
      for (const socket of sockets) socket.destroy();
      await expect
        .poll(() =>
          ask(server.port, '/sign-in').then(
            ({ status }) => status,
            () => 0,
          ),
        )
        .toBe(401);
    } finally {
      await close();
    }
  });

  it('sessions end when nobody uses them, and after their time', async () => {
    const session = { idleMs: 60_000, absoluteMs: 250, perUser: 2, total: 3 };
    const { server, links, close } = await quickServer({ session });
    const open = async () => cookieOf(await ask(server.port, `/sign-in?token=${links.make()}`));
    try {
      const [first, second, third] = [await open(), await open(), await open()];
      // The oldest of one user makes room.
      expect((await ask(server.port, '/api/session', { headers: { cookie: first } })).status).toBe(401);
      const kept = await signedIn(server.port, { cookie: third });
      expect(second).not.toBe(third);
      await expect.poll(async () => (await kept.get('/api/session')).status).toBe(401);
    } finally {
      await close();
    }
  });
});
