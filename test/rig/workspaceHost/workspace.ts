// The Agent Workspace stand-in (host.js) with an app in its frame, each on an origin of its own, as on AWS. The app is a page with
// Amazon's real clients, bundled from npm as an app's developer would, and the built page-side package.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Frame, Page } from 'playwright-core';
import type { Browser } from '../browser.ts';
import { startPageServer, type PageServer, type Route } from '../pageServer.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Amazon's packages as one classic script with the global `AmazonConnect`. */
async function bundleAmazon(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('amazon.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'AmazonConnect',
    target: 'chrome120',
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

export interface WorkspaceContact {
  readonly contactId: string;
  /** As Amazon names it; `voice` unless told. */
  readonly type?: string;
  readonly subtype?: string;
  readonly initialContactId?: string;
  readonly queue?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface Workspace {
  readonly page: Page;
  /** The app's frame, also after it was reloaded. */
  app(): Frame;
  /** Resolves when the app has subscribed to its events. */
  ready(): Promise<void>;
  incoming(contact: WorkspaceContact): Promise<void>;
  connect(contactId: string): Promise<void>;
  hold(contactId: string): Promise<void>;
  acw(contactId: string): Promise<void>;
  clear(contactId: string): Promise<void>;
  miss(contactId: string): Promise<void>;
  /** The contact is cleared while the app cannot hear it. */
  forget(contactId: string): Promise<void>;
  /** Loads the app again; the workspace and its contacts stay. */
  reloadApp(): Promise<void>;
  close(): Promise<void>;
}

export interface WorkspaceServers {
  readonly host: PageServer;
  readonly app: PageServer;
  open(browser: Browser, options?: WorkspaceOptions): Promise<Workspace>;
  stop(): Promise<void>;
}

export interface WorkspaceOptions {
  /** Of the app's frame; `loopback-network` unless told. */
  readonly allow?: string;
  /** Requests (`contact/getQueue`) that are never answered, or that the workspace does not know. */
  readonly silent?: readonly string[];
  readonly missing?: readonly string[];
  /** After the app's path. */
  readonly appQuery?: string;
  /** Where the browser finds workspace and app, if not at the servers themselves (rig/forward.ts). */
  readonly origins?: { readonly host: string; readonly app: string };
}

/** @param routes of the app's origin; `/` is the app, and `/amazon.js` is there */
export async function startWorkspaceServers(routes: Record<string, Route>): Promise<WorkspaceServers> {
  const amazon = { body: await bundleAmazon(), contentType: 'text/javascript; charset=utf-8' };
  const app = await startPageServer({ routes: { ...routes, '/amazon.js': amazon } });
  const host = await startPageServer({
    routes: { '/': { file: here('host.html') }, '/host.js': { file: here('host.js') } },
  });
  return {
    host,
    app,
    open: (browser, options = {}) => openWorkspace(browser, { host, app }, options),
    async stop() {
      await host.stop();
      await app.stop();
    },
  };
}

async function openWorkspace(
  browser: Browser,
  servers: { readonly host: PageServer; readonly app: PageServer },
  { allow = 'loopback-network', silent = [], missing = [], appQuery = '', origins }: WorkspaceOptions,
): Promise<Workspace> {
  const host = origins?.host ?? servers.host.origin;
  const app = origins?.app ?? servers.app.origin;
  const query = new URLSearchParams({
    app: `${app}/${appQuery}`,
    allow,
    silent: silent.join(),
    missing: missing.join(),
  });
  const page = await browser.newPage(`${host}/?${query.toString()}`);
  const call = (verb: string, argument: unknown): Promise<void> =>
    page.evaluate(`workspace.${verb}(${JSON.stringify(argument)})`);
  const appFrame = (): Frame => {
    const frame = page.frames().find((one) => one.url().startsWith(app));
    if (frame === undefined) throw new Error('The app has no frame.');
    return frame;
  };
  return {
    page,
    app: appFrame,
    async ready() {
      await page.waitForFunction(`workspace.subscribed().includes('contact/cleared')`);
    },
    incoming: (contact) => call('incoming', contact),
    connect: (contactId) => call('connect', contactId),
    hold: (contactId) => call('hold', contactId),
    acw: (contactId) => call('acw', contactId),
    clear: (contactId) => call('clear', contactId),
    miss: (contactId) => call('miss', contactId),
    forget: (contactId) => call('forget', contactId),
    async reloadApp() {
      await appFrame().goto(`${app}/${appQuery}`);
    },
    close: () => page.close(),
  };
}
