// `sightline review` as a program of its own, and a client that sends exactly what a test says: no browser, no fetch, which would
// correct or refuse what an attacker sends.
import { request as overHttp, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { request as overHttps } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { RecordingPage, RecordingRow, Session } from '../../review/contract.ts';
import { host, type Program } from './program.ts';

/** What a GET can ask of one recording, below `/api/recordings/<id>`. */
export const recordingAddresses = [
  ...[
    '',
    '/activity',
    '/audio?kind=redacted',
    '/download',
    '/keyframe?atMs=0',
    '/notes',
    '/transcript',
    '/video',
  ],
] as const;

export interface ReviewProgram {
  readonly port: number;
  /** What it printed: for one person with a token. */
  readonly link: URL;
  readonly program: Program;
  stop(): Promise<void>;
}

/** @param folder for everything that it writes @param args after `review` */
export async function startReview(folder: string, args: readonly string[]): Promise<ReviewProgram> {
  const program = await host.start({
    args: ['review', '--no-open', '--data-dir', join(folder, 'data'), ...args],
    ...{ display: null, environment: {}, wrapper: [] },
  });
  const ended = program.exited.then((code) => {
    throw new Error(`sightline review ended with ${code}: ${program.stderr()}`);
  });
  const [, text = ''] = await Promise.race([program.said(/^Review of .*: (http\S+)$/m), ended]);
  ended.catch(() => undefined);
  const link = new URL(text);
  return {
    ...{ program, link, port: Number(link.port) },
    async stop() {
      program.kill('SIGTERM');
      await program.exited;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: () => { readonly code?: string; readonly message?: string } & Record<string, unknown>;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** With a certificate that nobody vouches for. */
  readonly tls?: boolean;
}

/** One request, its path as it is. Host is 127.0.0.1 unless `headers` says otherwise. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, tls = false }: Asking = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false };
    const request = tls ? overHttps({ ...options, rejectUnauthorized: false }) : overHttp(options);
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({
          ...{ status: response.statusCode ?? 0, headers: response.headers, body: whole },
          json: () => JSON.parse(whole.toString('utf8')) as ReturnType<Answer['json']>,
        });
      });
    });
    request.end(body);
  });
}

/** Writes text to a new connection and reads until the server closes it. */
export function askRaw(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}

/** The cookie as a browser would send it back. */
export function cookieOf(answer: Answer): string {
  return (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1)[0]).join('; ');
}

export interface SignedIn {
  readonly port: number;
  readonly cookie: string;
  readonly session: Session;
  get(path: string, headers?: OutgoingHttpHeaders): Promise<Answer>;
  send(method: string, path: string, body: unknown, headers?: OutgoingHttpHeaders): Promise<Answer>;
  rows(): Promise<readonly RecordingRow[]>;
}

/** @param fixed headers of every request @param origin of the page */
export async function signedIn(
  port: number,
  fixed: OutgoingHttpHeaders,
  { origin = `http://127.0.0.1:${port}`, tls = false } = {},
): Promise<SignedIn> {
  const get: SignedIn['get'] = (path, headers = {}) =>
    ask(port, path, { headers: { ...fixed, ...headers }, tls });
  const answer = await get('/api/session');
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body.toString()}`);
  const session = answer.json() as unknown as Session;
  return {
    ...{ port, session, get, cookie: String(fixed.cookie ?? '') },
    send(method, path, body, headers = {}) {
      const ours = { origin, 'content-type': 'application/json', 'x-sightline-csrf': session.csrf };
      return ask(port, path, {
        ...{ method, tls, headers: { ...fixed, ...ours, ...headers } },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    },
    async rows() {
      return ((await get('/api/recordings')).json() as unknown as RecordingPage).rows;
    },
  };
}

/** Uses the printed link. */
export async function openLink({ port, link }: ReviewProgram): Promise<SignedIn> {
  const answer = await ask(port, `${link.pathname}${link.search}`);
  return signedIn(port, { cookie: cookieOf(answer) });
}
