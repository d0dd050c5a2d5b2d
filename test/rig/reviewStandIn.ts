// Answers review/contract.ts with generated recordings, for tests of the page alone: states that a real library cannot be brought into at
// will, and a hundred thousand rows at once. Strict: it refuses what the contract forbids, so that the page cannot rely on leniency.
// It serves the built page under the policy of the real server.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  MAX_ROWS,
  problems,
  reviewErrorCodes,
  sortKeys,
  type AuditEntry,
  type IndexState,
  type KeyFrame,
  type RecordingPage,
  type RecordingRow,
  type ReviewErrorCode,
  type Role,
} from '../../review/contract.ts';
import { generateRows } from './reviewRows.ts';

const page = fileURLToPath(new URL('../../dist/review/page', import.meta.url));
const CSRF = 'the-token-of-the-session';
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; " +
  "font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

export interface ReviewStandIn {
  readonly origin: string;
  /** Of the recordings, each request that the page made: `GET recordings?...`. */
  readonly requests: string[];
  /** May be changed between requests. */
  readonly state: {
    rows: RecordingRow[];
    index: IndexState;
    role: Role;
    signedIn: boolean;
    /** Every request is answered with this. */
    failure: { code: ReviewErrorCode; message: string } | null;
    /** Answers begin after this. */
    wait: Promise<unknown> | null;
    /** Answers with key frames do. */
    keyFrameWait: Promise<unknown> | null;
    chain: 'intact' | 'broken';
  };
  stop(): Promise<void>;
}

export interface StandInOptions {
  readonly rows?: number;
  readonly role?: Role;
  /** What each recording shows, one after the other; without them NO_VIDEO. */
  readonly keyFrames?: readonly KeyFrame[];
  /** When the generated recordings end. */
  readonly now?: Date;
}

export async function startReviewStandIn(options: StandInOptions = {}): Promise<ReviewStandIn> {
  const rows = generateRows(options.rows ?? 10_000, options.now ?? new Date());
  const updatedAt = (options.now ?? new Date()).toISOString();
  const state: ReviewStandIn['state'] = {
    rows,
    index: { state: 'ready', indexed: rows.length, total: rows.length, updatedAt },
    role: options.role ?? 'viewer',
    signedIn: true,
    failure: null,
    wait: null,
    keyFrameWait: null,
    chain: 'intact',
  };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const refused = error instanceof Refusal ? error : new Refusal('UNKNOWN', String(error));
      response
        .writeHead(reviewErrorCodes[refused.code], { 'content-type': 'application/json' })
        .end(JSON.stringify({ code: refused.code, message: refused.message }));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    state,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (!url.pathname.startsWith('/api/')) return serveFile(url.pathname, response);
    const path = url.pathname.slice('/api/'.length);
    requests.push(`${request.method} ${path}${url.search}`);
    await state.wait;
    if (path.includes('/keyframe')) await state.keyFrameWait;
    if (state.failure !== null) throw new Refusal(state.failure.code, state.failure.message);
    if (!state.signedIn) throw new Refusal('SIGN_IN_REQUIRED', 'The session has ended. Sign in again.');
    const changes = request.method !== 'GET';
    if (changes && request.headers['x-sightline-csrf'] !== CSRF) {
      throw new Refusal('FOREIGN_REQUEST', 'The request has no token.');
    }
    const found = api(`${request.method} ${path}`, url.searchParams);
    const status = found === null ? 204 : 200;
    const isText = typeof found === 'string';
    response
      .writeHead(status, {
        'content-type': isText ? 'text/csv' : 'application/json',
        'cache-control': 'no-store',
        ...(isText ? { 'content-disposition': 'attachment; filename="notes.csv"' } : {}),
      })
      .end(found === null ? undefined : isText ? found : JSON.stringify(found));
  }

  function api(request: string, query: URLSearchParams): object | string | null {
    const recording = /^GET recordings\/([^/]+)\/keyframe$/.exec(request)?.[1];
    if (recording !== undefined) return keyFrame(recording, query);
    switch (request) {
      case 'GET session':
        return {
          user: 'anna.berg',
          role: state.role,
          may: { download: state.role !== 'viewer', readAudit: state.role === 'admin' },
          csrf: CSRF,
          library: 's3://acme-recordings/connect/acme',
          appVersion: '0.1.0',
        };
      case 'GET recordings':
        return list(query);
      case 'GET facets':
        return { agents: mostFrequent(state.rows, 'agent'), queues: mostFrequent(state.rows, 'queue') };
      case 'POST refresh':
        return state.index;
      case 'POST sign-out':
        state.signedIn = false;
        return null;
      case 'GET notes.csv':
        if (state.role === 'viewer') throw new Refusal('NOT_ALLOWED', 'Your role does not allow this.');
        list(query, ['offset', 'limit']);
        return 'contactId,note\r\n';
      case 'GET audit':
        return { entries: auditEntries(query), chain: state.chain };
      default:
        if (/^POST recordings\/[^/]+\/actions$/.test(request)) return null;
        throw new Refusal('NOT_FOUND', 'There is no such address.');
    }
  }

  function list(query: URLSearchParams, forbidden: readonly string[] = []): RecordingPage {
    const known = ['text', 'agent', 'queue', 'channel', 'from', 'to', 'minDurationMs', 'maxDurationMs'];
    known.push('suspended', 'problem', 'trials', 'sort', 'descending', 'offset', 'limit');
    for (const name of new Set(query.keys())) {
      const allowed = known.includes(name) && !forbidden.includes(name) && query.getAll(name).length === 1;
      if (!allowed) throw new Refusal('INVALID_REQUEST', `The parameter ${name} is not known.`);
    }
    const number = (name: string, most: number): number | undefined => {
      const text = query.get(name);
      if (text === null) return undefined;
      if (!/^\d+$/.test(text) || Number(text) > most) throw new Refusal('INVALID_REQUEST', `Bad ${name}.`);
      return Number(text);
    };
    const oneOf = <T extends string>(name: string, values: readonly T[]): T | undefined => {
      const text = query.get(name);
      if (text === null) return undefined;
      const value = values.find((one) => one === text);
      if (value === undefined) throw new Refusal('INVALID_REQUEST', `Bad ${name}.`);
      return value;
    };
    const moment = (name: string): number | undefined => {
      const text = query.get(name);
      if (text !== null && new Date(text).toISOString() !== text)
        throw new Refusal('INVALID_REQUEST', `Bad ${name}.`);
      return text === null ? undefined : Date.parse(text);
    };
    const yes = (name: string): boolean => oneOf(name, ['true', 'false']) === 'true';
    const words = (query.get('text') ?? '')
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    const [from, to] = [moment('from'), moment('to')];
    const [shortest, longest] = [number('minDurationMs', 1e12), number('maxDurationMs', 1e12)];
    const problem = oneOf('problem', ['any', ...problems]);
    const found = state.rows.filter((row) => {
      const time = Date.parse(row.startTime);
      const text = [row.contactId, row.agent, row.queue, row.channel].join(' ').toLowerCase();
      return (
        words.every((word) => text.includes(word)) &&
        (query.get('agent') ?? row.agent) === row.agent &&
        (query.get('queue') ?? row.queue) === row.queue &&
        (oneOf('channel', ['VOICE', 'CHAT', 'TASK']) ?? row.channel) === row.channel &&
        time >= (from ?? 0) &&
        time < (to ?? Infinity) &&
        row.durationMs >= (shortest ?? 0) &&
        row.durationMs <= (longest ?? Infinity) &&
        (!yes('suspended') || row.suspensions > 0) &&
        (problem === undefined ||
          (problem === 'any' ? row.problems.length > 0 : row.problems.includes(problem))) &&
        (yes('trials') || !row.trial)
      );
    });
    const sort = oneOf('sort', sortKeys) ?? 'startTime';
    const sign = yes('descending') ? -1 : 1;
    found.sort((a, b) => sign * compare(a[sort], b[sort]));
    const offset = number('offset', 1e7) ?? 0;
    const rows = found.slice(offset, offset + (number('limit', MAX_ROWS) ?? MAX_ROWS));
    return { rows, offset, total: found.length, index: state.index };
  }

  function keyFrame(id: string, query: URLSearchParams): KeyFrame {
    const position = state.rows.findIndex((row) => row.id === id);
    if (position < 0) throw new Refusal('NOT_FOUND', 'There is no such recording.');
    if (!/^\d+$/.test(query.get('atMs') ?? '')) throw new Refusal('INVALID_REQUEST', 'Bad atMs.');
    const frames = options.keyFrames ?? [];
    const frame = frames[position % Math.max(1, frames.length)];
    if (frame === undefined) throw new Refusal('NO_VIDEO', 'This recording has no video.');
    return frame;
  }

  function auditEntries(query: URLSearchParams): AuditEntry[] {
    if (state.role !== 'admin') throw new Refusal('NOT_ALLOWED', 'Your role does not allow this.');
    const first = Math.min(250, Number(query.get('before') ?? 251) - 1);
    const actions = ['sign-in', 'list', 'view', 'listen', 'download', 'refused', 'notes', 'verify'] as const;
    const limit = Number(query.get('limit') ?? 100);
    return Array.from({ length: Math.min(limit, first) }, (_, index) => {
      const number = first - index;
      const row = state.rows[number % state.rows.length];
      const action = actions[number % actions.length]!;
      const about = action === 'sign-in' || action === 'list' ? undefined : row;
      return {
        number,
        time: new Date(Date.UTC(2026, 2, 2, 9, 0, number * 7)).toISOString(),
        user: number % 3 === 0 ? 'ben' : 'anna.berg',
        role: 'downloader',
        action,
        address: '10.20.0.17',
        ...(about === undefined ? {} : { recordingId: about.id, contactId: about.contactId }),
        ...(action === 'list' ? { details: { text: 'billing', found: 312 } } : {}),
        ...(action === 'refused' ? { details: { request: 'download', code: 'NOT_ALLOWED' } } : {}),
      };
    });
  }
}

class Refusal extends Error {
  constructor(
    readonly code: ReviewErrorCode,
    message: string,
  ) {
    super(message);
  }
}

function compare(a: string | number | null, b: string | number | null): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '') < String(b ?? '') ? -1 : 1;
}

function mostFrequent(rows: readonly RecordingRow[], field: 'agent' | 'queue'): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = row[field];
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 200)
    .map(([value]) => value);
}

async function serveFile(pathname: string, response: ServerResponse): Promise<void> {
  const name = pathname === '/' ? '/index.html' : pathname;
  const body = /^\/(index\.html|assets\/[\w.-]+)$/.test(name)
    ? await readFile(join(page, name)).catch(() => null)
    : null;
  if (body === null) {
    response.writeHead(404).end();
    return;
  }
  response
    .writeHead(200, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': name === '/index.html' ? 'no-store' : 'public, max-age=31536000, immutable',
    })
    .end(body);
}
