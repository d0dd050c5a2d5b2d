// Any program of the agent's computer may listen on the port before Sightline does. Whatever it answers, the page stays
// responsive, asks no more often than it should, and never claims that something is recorded or suspended.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Client } from '../../ccp/src/contract.ts';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { ccpRoutes, openClientTab, type ClientTab } from '../rig/ccpPackage.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { call } from './bench.ts';

const HEALTH = JSON.stringify({ app: 'sightline', version: '1.0.0', protocol: 1 });
const HTML = '<img src=x onerror="document.title = 1">';
const hello = { protocol: 1, appVersion: '1', sessionId: 's', fps: 5, suspendMaxSeconds: 0, recordings: [] };
type Answer = (request: { id: string; type: string }, socket: WebSocket) => void;

let browser: Browser;
let pages: PageServer;
let port: number;
let health: (response: ServerResponse) => void;
let answer: Answer;
let onConnection: (socket: WebSocket) => void;
let connections: number;
let asked: number;

const http = createServer((request, response) => {
  asked += 1;
  response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
  health(response);
});
const sockets = new WebSocketServer({ server: http });
sockets.on('connection', (socket) => {
  connections += 1;
  onConnection(socket);
  socket.on('message', (data: Buffer) =>
    answer(JSON.parse(data.toString()) as { id: string; type: string }, socket),
  );
});

const ok: Answer = ({ id, type }, socket) =>
  socket.send(JSON.stringify({ re: id, ok: true, ...(type === 'hello' ? hello : {}) }));

beforeAll(async () => {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  ({ port } = http.address() as AddressInfo);
  pages = await startPageServer({ routes: ccpRoutes });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.stop();
  await pages.stop();
  http.closeAllConnections();
  http.close();
});
beforeEach(() => {
  health = (response) => response.end(HEALTH);
  answer = ok;
  onConnection = () => undefined;
  connections = 0;
  asked = 0;
});
afterEach(async () => {
  await Promise.all(browser.context.pages().map((page) => page.close()));
  for (const socket of sockets.clients) socket.terminate();
});

const open = (): Promise<ClientTab> => openClientTab(browser, pages, { port });

/** The page's own event loop: how long it takes for a turn. */
async function turnMs({ page }: ClientTab): Promise<number> {
  return page.evaluate(async () => {
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    return performance.now() - began;
  });
}

describe('the answer to the health fetch', () => {
  it('without an end is read no further than a few kilobytes', async () => {
    let sent = 0;
    let closed = false;
    health = (response) => {
      response.on('close', () => (closed = true));
      const chunk = 'x'.repeat(65_536);
      const write = (): void => {
        while (!closed && sent < 500e6 && response.write(chunk)) sent += chunk.length;
        response.once('drain', write);
      };
      write();
    };
    const tab = await open();
    await tab.until({ kind: 'refused', code: 'NOT_SIGHTLINE' });
    await expect.poll(() => closed).toBe(true);
    // What the system and the browser buffer.
    expect(sent).toBeLessThan(20e6);
  });

  it('that never comes is given up after five seconds', async () => {
    health = () => undefined;
    const began = Date.now();
    const tab = await open();
    await expect.poll(async () => (await tab.connection()).kind, { timeout: 15_000 }).not.toBe('connecting');
    expect(Date.now() - began).toBeGreaterThan(4500);
    expect(await tab.connection()).toEqual({ kind: 'not-running' });
  });

  it.each([
    ['no JSON', '<html>hello</html>', 200],
    ['another app', '{"app":"other","version":"1","protocol":1}', 200],
    ['an error', HEALTH, 500],
  ])('is %s', async (_, body, status) => {
    health = (response) => response.writeHead(status).end(body);
    const tab = await open();
    await tab.until({ kind: 'refused', code: 'NOT_SIGHTLINE' });
    expect(connections).toBe(0);
  });

  it('is a redirect: it is not followed with what the page would read', async () => {
    let followed = 0;
    pages.routes['/elsewhere'] = (_, response) => {
      followed += 1;
      response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(HEALTH);
    };
    health = (response) => response.writeHead(307, { Location: `${pages.origin}/elsewhere` }).end();
    const tab = await open();
    await tab.until({ kind: 'refused' });
    expect(followed).toBeLessThanOrEqual(1); // by the opaque fetch only
    expect(connections).toBe(0);
  });

  it('has HTML in its texts: they stay text, of a limited length', async () => {
    health = (response) =>
      response.writeHead(403).end(JSON.stringify({ code: HTML, message: HTML.repeat(50) }));
    const tab = await open();
    await tab.until({ kind: 'refused', code: 'UNKNOWN' });
    const connection = await tab.connection();
    expect(connection.kind === 'refused' && connection.message.length).toBe(1024);
    expect(await tab.page.title()).toBe('Page');
  });
});

describe('a websocket', () => {
  it('that floods the page with pushes is closed, and the page stays responsive', async () => {
    const recordings = Array.from({ length: 5000 }, (_, n) => ({
      contactId: `c${n}`,
      recordingId: 'r',
      state: 'recording',
    }));
    answer = (request, socket) => {
      ok(request, socket);
      if (request.type !== 'hello') return;
      let rev = 0;
      const flood = (): void => {
        for (let i = 0; i < 200 && socket.readyState === socket.OPEN; i++)
          socket.send(
            JSON.stringify({
              type: 'app.state',
              rev: ++rev,
              state: 'recording',
              contacts: recordings.slice(0, 500),
              uploads: {},
              reason: { code: 'X', message: HTML },
            }),
          );
        if (socket.readyState === socket.OPEN) setImmediate(flood);
      };
      flood();
    };
    const tab = await open();
    await expect.poll(async () => (await tab.connections()).length, { timeout: 20_000 }).toBeGreaterThan(2);
    const seen = (await tab.connections()).map(({ kind }) => kind);
    expect(seen.slice(0, 3)).toEqual(['connecting', 'connected', 'connecting']);
    expect(await turnMs(tab)).toBeLessThan(500);
    expect((await tab.contacts()).length).toBe(0);
  });

  it.each([
    ['a huge frame', 'x'.repeat(1_000_000)],
    ['a binary frame', Buffer.alloc(1000)],
  ])('that sends %s is closed, and not opened again and again', async (_, frame) => {
    onConnection = (socket) => socket.send(frame);
    const tab = await open();
    await sleep(4000); // attempts are counted in this time
    expect(connections).toBeGreaterThan(1);
    expect(connections).toBeLessThan(8);
    expect(asked).toBeLessThan(8);
    expect(['connecting', 'refused']).toContain((await tab.connection()).kind);
  });

  it('that accepts every hello and closes at once is asked less and less often', async () => {
    answer = (request, socket) => {
      ok(request, socket);
      socket.close();
    };
    await open();
    await sleep(6000); // attempts are counted in this time
    expect(connections).toBeGreaterThan(2);
    expect(connections).toBeLessThan(8);
  });

  it('whose answers lack what they must have confirms nothing', async () => {
    answer = ok; // the answers to start and suspend have neither times nor ids
    const tab = await open();
    await tab.until({ kind: 'connected' });
    await tab.do('record', call);
    await tab.do('suspend', 'call-1', 'page');
    await sleep(1500); // longer than the first attempts
    expect(['starting', 'suspending']).toContain((await tab.contact('call-1'))?.state);
    await tab.do('resume', 'call-1', 'page');
    await sleep(500); // longer than an answer takes
    expect(['starting', 'suspending']).toContain((await tab.contact('call-1'))?.state);
  });

  it('that answers nothing after hello: requests end with TIMEOUT, and their number is limited', async () => {
    answer = (request, socket) => {
      if (request.type === 'hello') ok(request, socket);
    };
    const tab = await open();
    await tab.until({ kind: 'connected' });
    const codes = await tab.page.evaluate(async () => {
      const { client } = globalThis as unknown as { client: Client };
      const codeOf = (request: Promise<unknown>) =>
        request.then(
          () => 'ok',
          (error: unknown) => (error as { code: string }).code,
        );
      const stops = Array.from({ length: 300 }, () => codeOf(client.stop('call-1')));
      const suspended = await codeOf(client.suspend('call-1'));
      return { suspended, last: await stops.at(-1) };
    });
    expect(codes).toEqual({ suspended: 'TIMEOUT', last: 'TOO_MANY_REQUESTS' });
  });

  it('that never answers hello: nothing is sent but that', async () => {
    const types: string[] = [];
    answer = ({ type }) => void types.push(type);
    const tab = await open();
    await expect.poll(() => types).toEqual(['hello']);
    await tab.do('record', call);
    expect((await tab.connection()).kind).toBe('connecting');
    expect((await tab.contact('call-1'))?.state).toBe('waiting');
    // In doubt suspended: this may take effect before hello is answered.
    await tab.do('suspend', 'call-1', 'page');
    await expect.poll(() => types).toEqual(['hello', 'contact.suspend']);
  });
});
