// A page such as a CCP developer might write first (no library, just the protocol), and its tabs in a real browser.
import type { Page as BrowserPage } from 'playwright-core';
import type { Push } from '../../main/shared/protocol.ts';
import type { Browser } from './browser.ts';
import type { PageServer } from './pageServer.ts';

export const CCP_PAGE = `<!doctype html><meta charset="utf-8"><title>CCP</title><script>
  window.open_ = (port) => new Promise((resolve, reject) => {
    const socket = new WebSocket('ws://127.0.0.1:' + port + '/v1');
    const waiting = new Map();
    let count = 0;
    window.pushes = [];
    window.ask = (type, fields) => new Promise((done) => {
      const id = 'r' + ++count;
      waiting.set(id, done);
      socket.send(JSON.stringify({ id, type, ...fields }));
    });
    socket.onopen = () => resolve('open');
    socket.onclose = (event) => reject(new Error('closed with ' + event.code));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.re) waiting.get(message.re)(message);
      else window.pushes.push(message);
    };
  });
</script>`;

export type Ask = (type: string, fields?: object) => Promise<Record<string, unknown>>;

export interface CcpTab {
  readonly page: BrowserPage;
  readonly ask: Ask;
  /** Opens the websocket again, after a reload. */
  connect(): Promise<void>;
  pushes(): Promise<Push[]>;
}

interface CcpScope {
  ask: Ask;
  open_(port: number): Promise<string>;
  pushes: Push[];
}

/** A tab with the page at `/ccp.html` of the server, its websocket open. */
export async function openCcpTab(browser: Browser, server: PageServer, port: number): Promise<CcpTab> {
  const page = await browser.newPage(`${server.origin}/ccp.html`);
  const connect = async (): Promise<void> => {
    await page.evaluate((to) => (globalThis as unknown as CcpScope).open_(to), port);
  };
  await connect();
  return {
    page,
    connect,
    ask: (type, fields = {}) =>
      page.evaluate(
        ([name, rest]) => (globalThis as unknown as CcpScope).ask(name as string, rest as object),
        [type, fields],
      ),
    pushes: () => page.evaluate(() => (globalThis as unknown as CcpScope).pushes),
  };
}
