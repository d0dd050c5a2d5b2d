// The built page side (dist/ccp) as routes of a page server, and tabs of a bare page that has nothing but a client and its
// contacts.
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { AppState, Client, Connection, ContactRecorder, ContactState } from '../../ccp/src/contract.ts';
import type { Browser } from './browser.ts';
import type { PageServer, Route } from './pageServer.ts';
import { agent } from './recorder.ts';

export const builtModule = fileURLToPath(new URL('../../dist/ccp/sightline-ccp.mjs', import.meta.url));
export const builtScript = fileURLToPath(new URL('../../dist/ccp/sightline-ccp.js', import.meta.url));

/** `?port=` of the recorder, `?agent=` for another agent, `?token` to fetch one from `/token` for each hello that needs it. */
export const CLIENT_PAGE = `<!doctype html><meta charset="utf-8"><title>Page</title>
<script src="/sightline-ccp.js"></script><script>
  const asked = new URLSearchParams(location.search);
  const identity = { ...${JSON.stringify(agent)}, ccpVersion: 'test' };
  if (asked.has('agent')) identity.agentArn = identity.instanceArn + '/agent/' + asked.get('agent');
  window.client = Sightline.createClient({
    identity,
    port: Number(asked.get('port')),
    ...(asked.has('token') ? { token: async () => (await fetch('/token')).text() } : {}),
  });
  window.contacts = Sightline.createContactRecorder(client);
  window.connections = [];
  window.statusEvents = [];
  client.subscribe(() => {
    if (connections.at(-1) !== client.connection) connections.push(client.connection);
  });
  client.onStatusEvent((event) => statusEvents.push(event));
</script>`;

/** The ES module, the classic script, and a page with the latter. */
export const ccpRoutes: Readonly<Record<string, Route>> = {
  '/sightline-ccp.mjs': { file: builtModule },
  '/sightline-ccp.js': { file: builtScript },
  '/client.html': CLIENT_PAGE,
};

/**
 * Lets a browser find those routes at an origin of the internet, as it would find a company's page: to the browser it is a
 * public page, whose access to this machine it restricts. Nothing leaves this machine.
 *
 * @param headers of the page, e.g. a Content-Security-Policy
 */
export async function serveAt(
  context: BrowserContext,
  origin: string,
  routes: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  await context.route(`${origin}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const page = routes[path] ?? (path === '/client.html' ? CLIENT_PAGE : undefined);
    if (page !== undefined) await route.fulfill({ body: page, contentType: 'text/html', headers });
    else if (path === '/sightline-ccp.js') await route.fulfill({ path: builtScript });
    else await route.fulfill({ status: 404 });
  });
}

interface ClientScope {
  readonly client: Client;
  readonly contacts: ContactRecorder;
  readonly connections: readonly Connection[];
}

type Command = Exclude<keyof ContactRecorder, 'contacts' | 'subscribe'>;

export interface ClientTab {
  readonly page: Page;
  connection(): Promise<Connection>;
  /** Every connection state since the page was loaded. */
  connections(): Promise<readonly Connection[]>;
  appState(): Promise<AppState | undefined>;
  contacts(): Promise<readonly ContactState[]>;
  contact(contactId: string): Promise<ContactState | undefined>;
  /** Calls a method of the page's contact recorder. */
  do<Name extends Command>(name: Name, ...args: Parameters<ContactRecorder[Name]>): Promise<void>;
  /** Waits for a state of the connection. */
  until(connection: Partial<Record<string, unknown>> & { kind: Connection['kind'] }): Promise<void>;
  /** Waits for a state of a contact; undefined: it is not in the list. */
  untilContact(contactId: string, state: ContactState['state'] | undefined): Promise<void>;
}

export interface ClientTabOptions {
  readonly port: number;
  readonly agent?: string;
  readonly token?: boolean;
}

/** Opens a tab with the page at `/client.html` of the server. */
export async function openClientTab(
  browser: Browser,
  server: Pick<PageServer, 'origin'>,
  { port, agent: name, token = false }: ClientTabOptions,
): Promise<ClientTab> {
  const query = new URLSearchParams({ port: String(port), ...(name === undefined ? {} : { agent: name }) });
  if (token) query.set('token', '');
  return clientTab(await browser.newPage(`${server.origin}/client.html?${query.toString()}`));
}

export function clientTab(page: Page): ClientTab {
  const tab: ClientTab = {
    page,
    connection: () => page.evaluate(() => (globalThis as unknown as ClientScope).client.connection),
    connections: () => page.evaluate(() => (globalThis as unknown as ClientScope).connections),
    appState: () => page.evaluate(() => (globalThis as unknown as ClientScope).client.appState),
    contacts: () => page.evaluate(() => (globalThis as unknown as ClientScope).contacts.contacts),
    contact: async (contactId) => (await tab.contacts()).find((one) => one.contactId === contactId),
    async do(name, ...args) {
      await page.evaluate(
        ([method, values]) => {
          const { contacts } = globalThis as unknown as ClientScope;
          return (contacts[method] as (...all: unknown[]) => unknown)(...values);
        },
        [name, args] as const,
      );
    },
    async until(connection) {
      await expect.poll(() => tab.connection(), { timeout: 30_000 }).toMatchObject(connection);
    },
    async untilContact(contactId, state) {
      await expect
        .poll(async () => (await tab.contact(contactId))?.state, { timeout: 30_000, interval: 20 })
        .toBe(state);
    },
  };
  return tab;
}
