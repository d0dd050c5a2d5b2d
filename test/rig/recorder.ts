// The recorder as anyone would drive it from outside: the built `sightline serve` in a process of its own, known only
// by its `ready` line, the protocol and the folders; and a page's side of that protocol, spoken from Node.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { deskEventSchema, type AnyEvent, type DeskEvent } from '../../main/shared/deskEvent.ts';
import type { Failure } from '../../main/shared/errors.ts';
import { manifestSchema, type Manifest } from '../../main/shared/manifest.ts';
import type { Push } from '../../main/shared/protocol.ts';
import { statusEventSchema, type StatusEvent } from '../../main/shared/statusEvent.ts';
import { host } from './program.ts';
import type { OpenConnection } from './wineRelay.ts';

export interface RecorderOptions {
  /** `:N`, or null to start without any. */
  display: string | null;
  /** A folder for everything, kept after stop(); a temporary one that is removed unless told. */
  home?: string;
  /** More flags, e.g. `['--ffmpeg-path', '/x']`; later ones win. */
  flags?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Words before `node ... serve`, e.g. to run it in a namespace of its own. */
  wrapper?: readonly string[];
  /** Another build's `headless.mjs`. */
  program?: string;
}

export interface Recorder {
  readonly port: number;
  /** Of this system; under Wine the program itself believes in another one. */
  readonly pid: number;
  readonly home: string;
  readonly sinkFolder: string;
  readonly dataDir: string;
  /** What it has said on stderr so far. */
  stderr(): string;
  /** All status events of recordings in its file. */
  events(): Promise<StatusEvent[]>;
  /** The other events there: those of the desk. */
  deskEvents(): Promise<DeskEvent[]>;
  /** The manifests in the sink, each with the path of its MP4. */
  published(): Promise<{ mp4: string; manifestPath: string; manifest: Manifest }[]>;
  connect(options?: ConnectOptions): Promise<Page>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, waits for the end, removes a temporary home. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the recorder and waits for its `ready` line. Rejects with its own words when it ends before. */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'sightline-recorder-')));
  const dataDir = join(home, 'data');
  const sinkFolder = join(home, 'sink');
  const program = await host.start({
    args: [
      ...['serve', '--port', '0', '--data-dir', host.path(dataDir), '--sink-folder', host.path(sinkFolder)],
      '--allow-loopback-origins',
      ...(options.flags ?? []),
    ],
    display: options.display,
    environment: options.environment ?? {},
    wrapper: options.wrapper ?? [],
    ...(options.program === undefined ? {} : { program: options.program }),
  });
  const { exited } = program;
  const ready = await Promise.race([program.said(/^ready (\{.*\})\r?$/m), exited.then(() => null)]);
  if (ready === null) {
    if (options.home === undefined) await rm(home, { recursive: true, force: true });
    throw new Error(`sightline serve ended before it was ready:\n${program.stderr()}`);
  }
  // What it said on stderr before is in the other pipe, perhaps unread: one turn of the event loop reads it.
  await setImmediate();
  const { port } = JSON.parse(ready[1] ?? '') as { port: number };
  const recorder: Recorder = {
    port,
    pid: await program.pid(),
    home,
    sinkFolder,
    dataDir,
    stderr: () => program.stderr(),
    events: () => readEvents(join(dataDir, 'status-events.ndjson')),
    deskEvents: () => readDeskEvents(join(dataDir, 'status-events.ndjson')),
    published: () => readPublished(sinkFolder),
    connect: (connectOptions) => connectPage(port, connectOptions),
    kill: (signal) => program.kill(signal),
    exited,
    async stop() {
      program.kill('SIGTERM');
      const code = await exited;
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
      return code;
    },
  };
  return recorder;
}

/** Of recordings. Every line must be an event. */
export async function readEvents(file: string): Promise<StatusEvent[]> {
  return (await readAllEvents(file)).filter((one): one is StatusEvent => 'recordingStatus' in one.detail);
}

export async function readDeskEvents(file: string): Promise<DeskEvent[]> {
  return (await readAllEvents(file)).filter((one): one is DeskEvent => 'deskId' in one.detail);
}

async function readAllEvents(file: string): Promise<AnyEvent[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const schema = z.union([statusEventSchema, deskEventSchema]);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => schema.parse(JSON.parse(line)));
}

/** The finished recordings in a sink folder. */
export async function readPublished(folder: string): ReturnType<Recorder['published']> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const paths = names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
  return Promise.all(
    paths.sort().map(async (manifestPath) => ({
      mp4: manifestPath.replace(/\.json$/, '.mp4'),
      manifestPath,
      manifest: manifestSchema.parse(JSON.parse(await readFile(manifestPath, 'utf8'))),
    })),
  );
}

export interface ConnectOptions {
  origin?: string;
  host?: string;
  /** Of the upgrade; without it the page sends none, as no browser does. */
  userAgent?: string;
  /** Who connects; a program of this host's system unless told. */
  open?: OpenConnection;
  /** The frames of `hello`; false to send none. */
  hello?: Readonly<Record<string, unknown>> | false;
}

export const agent = {
  agentArn:
    'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555/agent/alice',
  instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555',
  instanceAlias: 'acme',
  agentUsername: 'alice',
  browser: 'the test rig',
} as const;

export type AnyReply = Record<string, unknown> & { re: string | null; ok: boolean; error?: Failure };

export interface Page {
  readonly socket: WebSocket;
  /** Pushes in the order of their arrival. */
  readonly pushes: Push[];
  /** Sends a request and resolves with its reply, whatever it says. */
  request(type: string, fields?: Readonly<Record<string, unknown>>): Promise<AnyReply>;
  /** As request, but rejects unless it says ok. */
  ask<T = AnyReply>(type: string, fields?: Readonly<Record<string, unknown>>): Promise<T>;
  /** Sends a raw frame and resolves with the next reply that has no `re` of ours. */
  raw(data: string | Uint8Array): Promise<AnyReply>;
  /** Resolves with the first push that matches, past or to come. */
  push<T extends Push>(matches: (push: Push) => push is T): Promise<T>;
  push(matches: (push: Push) => boolean): Promise<Push>;
  /** The status event of a contact, past or to come. */
  event(contactId: string, status: StatusEvent['detail']['recordingStatus']): Promise<StatusEvent>;
  readonly closed: Promise<number>;
  close(): Promise<void>;
}

/** Opens a page's socket and says hello. Rejects with the HTTP status when the upgrade is refused. */
export async function connectPage(port: number, options: ConnectOptions = {}): Promise<Page> {
  const connection = await (options.open ?? ((to) => host.connect(to)))(port);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`, {
    createConnection: () => connection,
    origin: options.origin ?? 'http://localhost:3000',
    headers: {
      ...(options.host === undefined ? {} : { Host: options.host }),
      ...(options.userAgent === undefined ? {} : { 'User-Agent': options.userAgent }),
    },
  });
  const pushes: Push[] = [];
  const watchers = new Set<() => void>();
  const waiting = new Map<string, (reply: AnyReply) => void>();
  const strays: ((reply: AnyReply) => void)[] = [];
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as AnyReply | Push;
    if ('type' in message) {
      pushes.push(message as Push);
      for (const look of [...watchers]) look();
      return;
    }
    const waiter = message.re === null ? undefined : waiting.get(message.re);
    if (waiter !== undefined) waiter(message);
    else strays.shift()?.(message);
  });
  // Not events.once: it rejects at an error, which nobody would handle here while the handshake goes on.
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_, response) =>
      reject(new Error(`refused with ${response.statusCode ?? '?'}`)),
    );
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);

  let count = 0;
  const page: Page = {
    socket,
    pushes,
    request(type, fields = {}) {
      const id = String(++count);
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, type, ...fields }));
      });
    },
    async ask<T>(type: string, fields?: Readonly<Record<string, unknown>>) {
      const reply = await page.request(type, fields);
      if (!reply.ok) throw new Error(`${type}: ${JSON.stringify(reply.error)}`);
      return reply as T;
    },
    raw(data) {
      return new Promise((resolve) => {
        strays.push(resolve);
        socket.send(data);
      });
    },
    push(matches: (push: Push) => boolean): Promise<Push> {
      return new Promise((resolve) => {
        const look = (): boolean => {
          const found = pushes.find(matches);
          if (found === undefined) return false;
          watchers.delete(look);
          resolve(found);
          return true;
        };
        if (!look()) watchers.add(look);
      });
    },
    async event(contactId, status) {
      const push = await page.push(
        (one) =>
          one.type === 'recording.status' &&
          one.event.detail.recordingStatus === status &&
          one.event.detail.contactArn.endsWith(`/contact/${contactId}`),
      );
      if (push.type !== 'recording.status') throw new Error('unreachable');
      return push.event;
    },
    closed,
    async close() {
      socket.close();
      await closed;
    },
  };
  if (options.hello !== false) await page.ask('hello', { protocol: 1, ...agent, ...options.hello });
  return page;
}
