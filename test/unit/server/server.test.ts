// The server itself, on a separate port, with a session that answers when the test wants.
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { MAX_PAGES, MAX_WAITING_PAGES } from '../../../main/server/connections.ts';
import type { GuardPolicy } from '../../../main/server/guard.ts';
import { PageServer } from '../../../main/server/server.ts';
import type { ServerOptions } from '../../../main/server/server.ts';
import { SightlineError, failure } from '../../../main/shared/errors.ts';
import type { ContactRequest, RecorderInfo } from '../../../main/shared/protocol.ts';
import { StatusHub } from '../../../main/status/hub.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';

const hello = { id: 'hello', type: 'hello', protocol: 1, agentArn: 'arn:a', instanceArn: 'arn:i' };

interface Reply {
  readonly re: string | null;
  readonly ok: boolean;
  readonly error?: { readonly code: string };
}

interface TestPage {
  readonly socket: WebSocket;
  readonly replies: Reply[];
  send(message: object): void;
  /** Resolves when so many replies have come. */
  replied(count: number): Promise<void>;
}

const recorder: RecorderInfo = {
  ...{ protocol: 1, appVersion: '0', fps: 5, maxMonitors: 1 },
  ...{ suspendMaxSeconds: 0, encoder: null },
};

/** A session that never answers a contact request. */
const session: ServerOptions['page']['session'] = {
  hello: () => Promise.resolve([]),
  pageLeft: () => undefined,
  contact: () => new Promise(() => undefined),
  recordings: () => [],
  isQuiet: true,
};

/** Resolves when the server has handled every frame sent so far, and its answers have arrived. */
async function untilHandled(page: TestPage): Promise<void> {
  const { socket, replies } = page;
  const count = replies.length;
  page.send({ id: 'ping', type: 'ping' });
  while (!replies.slice(count).some(({ re }) => re === 'ping')) await once(socket, 'message');
}

async function answersPing(socket: WebSocket): Promise<boolean> {
  socket.ping();
  await once(socket, 'pong');
  return socket.readyState === socket.OPEN;
}

async function bench(
  page: Partial<ServerOptions['page']> = {},
  guard: GuardPolicy = { allowedDomains: [], allowLoopbackOrigins: true },
) {
  const { log, lines } = keepingLogger();
  const asked: ContactRequest[] = [];
  const server = new PageServer({
    port: 0,
    guard,
    describePortOwner: () => Promise.resolve(null),
    onProblem: () => undefined,
    openedBy: 'first',
    page: {
      session: {
        ...session,
        contact: (request) => {
          asked.push(request);
          return session.contact(request);
        },
      },
      hub: new StatusHub(),
      readiness: { describe: () => Promise.resolve(recorder) },
      authentication: null,
      refusedContacts: { refuse: () => failure('MULTIPLE_CCP_INTERACTION', '') },
      onToken: () => undefined,
      ...page,
    },
    control: {
      dataDir: await temporaryFolder(),
      publisher: { retryNow: () => [] },
      recovery: Promise.resolve(),
      runChecks: () => null,
      trials: { run: () => Promise.reject(new Error('not asked')) },
    },
    log,
  });
  await server.open();
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= server.close());
  onTestFinished(close);
  const { port } = server;
  const open = async (): Promise<TestPage> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`, { origin: 'http://localhost:3000' });
    const replies: Reply[] = [];
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Reply | { type: string };
      if ('re' in message) replies.push(message);
    });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    return {
      ...{ socket, replies },
      send: (message) => socket.send(JSON.stringify(message)),
      replied: (count) =>
        vi.waitFor(() => expect(replies.length).toBeGreaterThanOrEqual(count), { timeout: 5000 }),
    };
  };
  const join = async (): Promise<TestPage> => {
    const joined = await open();
    joined.send(hello);
    await joined.replied(1);
    return joined;
  };
  return { port, server, asked, lines, open, join, close };
}

const start = (count: number): object => ({
  ...{ id: `s${count}`, type: 'contact.start' },
  ...{ contactId: `c${count}`, channel: 'TASK' },
});
const suspend = (count: number): object => ({
  id: `p${count}`,
  type: 'contact.suspend',
  contactId: `c${count}`,
});

describe('a hello', () => {
  it('whose recorder cannot be described is answered at its deadline, and the page may send another one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let describeRecorder: () => Promise<RecorderInfo> = () => new Promise(() => undefined);
    const { open } = await bench({ readiness: { describe: () => describeRecorder() } });
    const page = await open();
    page.send(hello);
    await untilHandled(page);
    await vi.advanceTimersByTimeAsync(30_000);
    await untilHandled(page);
    expect(page.replies).toMatchObject([
      { re: 'ping', error: { code: 'NOT_READY' } },
      { re: 'hello', error: { code: 'SERVICE_ISSUE' } },
      { re: 'ping', error: { code: 'NOT_READY' } },
    ]);
    describeRecorder = () => Promise.resolve(recorder);
    page.send({ ...hello, id: 'again' });
    await untilHandled(page);
    expect(page.replies.at(-2)).toMatchObject({ re: 'again', ok: true, suspendMaxSeconds: 0 });
  });

  it('that fails after the session has counted the page leaves no page behind', async () => {
    const counted = new Set<string>();
    const { open } = await bench({
      session: {
        ...session,
        hello: (pageId) => {
          counted.add(pageId);
          return Promise.reject(new SightlineError('SERVICE_ISSUE', 'The disk stalls.'));
        },
        pageLeft: (pageId) => counted.delete(pageId),
      },
    });
    const page = await open();
    page.send(hello);
    await page.replied(1);
    expect(page.replies).toMatchObject([{ re: 'hello', ok: false }]);
    expect(counted.size).toBe(0);
  });
});

it('pages whose origin policy no longer allows are disconnected, but not while anything is recorded', async () => {
  const guard = { allowedDomains: [], allowLoopbackOrigins: true };
  const busy = { ...session, isQuiet: false };
  const { server, join } = await bench({ session: busy }, guard);
  const { socket } = await join();
  guard.allowLoopbackOrigins = false;
  server.disconnectUnallowed();
  expect(await answersPing(socket)).toBe(true);
  busy.isQuiet = true;
  server.disconnectUnallowed();
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(1008);
});

describe('a page that does not wait for its answers', () => {
  it('has the 33rd request refused at once, and no suspend', async () => {
    const { asked, join } = await bench();
    const page = await join();
    for (let count = 0; count < 40; count += 1) page.send(start(count));
    for (let count = 0; count < 100; count += 1) page.send(suspend(count));
    await page.replied(1 + 8);
    await vi.waitFor(() => expect(asked.length).toBe(32 + 100), { timeout: 5000 });
    expect(page.replies.slice(1).map(({ re, error }) => [re, error?.code])).toEqual(
      Array.from({ length: 8 }, (_, index) => [`s${32 + index}`, 'TOO_MANY_REQUESTS']),
    );
    expect(asked.filter(({ type }) => type === 'contact.suspend')).toHaveLength(100);
  });

  it('suspends at once while its hello is being checked, however many frames wait there', async () => {
    const { asked, open } = await bench({
      authentication: { authenticate: () => new Promise(() => undefined) },
    });
    const page = await open();
    page.send(hello);
    for (let count = 0; count < 40; count += 1) page.send(start(count));
    page.send(suspend(7));
    await vi.waitFor(() => expect(asked).toMatchObject([{ type: 'contact.suspend', contactId: 'c7' }]), {
      timeout: 5000,
    });
    await page.replied(9);
    expect(new Set(page.replies.map(({ error }) => error?.code))).toEqual(new Set(['NOT_READY']));
  });
});

describe('more pages than there may be', () => {
  it('cost the oldest that has not said hello its connection, and never one that has', async () => {
    const { open, join } = await bench();
    const joined = await join();
    const waiting: TestPage[] = [];
    for (let count = 0; count < MAX_WAITING_PAGES + 3; count += 1) waiting.push(await open());
    for (const { socket } of waiting.slice(0, 3))
      await vi.waitFor(() => expect(socket.readyState).toBe(WebSocket.CLOSED), { timeout: 5000 });
    joined.send({ id: 'ping', type: 'ping' });
    await joined.replied(2);
    const stillOpen = waiting.map(({ socket }) => socket.readyState === WebSocket.OPEN);
    expect(stillOpen).toEqual(waiting.map((_, index) => index >= 3));
  });

  it('are refused, and one that has left makes room', async () => {
    const { join } = await bench();
    const pages: TestPage[] = [];
    for (let count = 0; count < MAX_PAGES; count += 1) pages.push(await join());
    expect(pages.every(({ replies }) => replies[0]?.ok)).toBe(true);
    const late = await join();
    expect(late.replies[0]?.error?.code).toBe('TOO_MANY_REQUESTS');
    pages[0]!.socket.terminate();
    await vi.waitFor(
      async () => {
        late.send(hello);
        await late.replied(late.replies.length + 1);
        expect(late.replies.at(-1)?.ok).toBe(true);
      },
      { timeout: 5000 },
    );
  });
});

it('ends in a second although peers keep their half of refused and unfinished connections', async () => {
  const { port, close } = await bench();
  const refused = `GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
  for (const text of ['', 'GET /v1 HT', refused]) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(text);
    if (text === refused) await once(socket, 'data');
  }
  const asked = performance.now();
  await close();
  expect(performance.now() - asked).toBeLessThan(1500);
});
