// Everything for tests of the Streams bridge: a screen, the real recorder, real Chromium, the stand-in for Amazon Connect, and pages
// with the real Streams library and the built package. What is recorded is asked of the recorder, never of the page.
import { fileURLToPath } from 'node:url';
import type { Page as BrowserPage } from 'playwright-core';
import { expect } from 'vitest';
import type { Manifest } from '../../../main/shared/manifest.ts';
import type { RecordingState } from '../../../main/shared/names.ts';
import { startBrowser, type Browser } from '../browser.ts';
import { ccpRoutes } from '../ccpPackage.ts';
import { startDisplay, type Display } from '../display.ts';
import { startPageServer, type PageServer } from '../pageServer.ts';
import { startRecorder, type Page, type Recorder } from '../recorder.ts';
import { INSTANCE } from './agentState.ts';
import { startConnectStandIn, type ConnectStandIn } from './service.ts';

/** What the page's window has, for the functions that run there. */
export interface StreamsWindow {
  readonly sightline: {
    readonly client: {
      readonly appState: { state: string } | undefined;
      subscribe(listener: () => void): void;
      readonly connection: { kind: string };
      resume(contactId: string): Promise<unknown>;
    };
    readonly contacts: {
      readonly contacts: readonly {
        contactId: string;
        state: string;
        causes: readonly string[];
        startTime?: string;
      }[];
      idle(contactId: string): Promise<void>;
    };
    suspend(contactId?: string): void;
    resume(contactId?: string): void;
    suspendWhile(where: string, options?: object): () => void;
    close(): void;
  };
  readonly connect: {
    readonly core: {
      getAgentDataProvider(): { getAgentData(): { snapshot: { sequence: number } } };
      endedEventTracker: Set<string>;
    };
    readonly Agent: new () => { getContacts(): { getContactId(): string; accept(): void }[] };
  };
  attach(): void;
}

export interface StreamsTab {
  readonly page: BrowserPage;
  /** What the page logged. */
  readonly console: readonly string[];
  /** Resolves when the page has seen Connect's newest snapshot, and the recorder has everything that the page sent for it. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface TabOptions {
  /** Source of the options of `Sightline.streams`, without `port`. */
  readonly options?: string;
  /** The bridge is only made by `attach()`. */
  readonly late?: boolean;
  /** More HTML for the body. */
  readonly body?: string;
  /** Runs after the bridge was made, as `sightline`. */
  readonly script?: string;
}

export interface StreamsDesk {
  readonly browser: Browser;
  readonly display: Display;
  readonly server: PageServer;
  recorder: Recorder;
  connect: ConnectStandIn;
  /** Opens a page, and waits until its bridge is connected to the recorder (unless it is late). */
  open(options?: TabOptions): Promise<StreamsTab>;
  /** The same page in one more tab. */
  another(tab: StreamsTab): Promise<StreamsTab>;
  /** What the recorder says of a contact now; `none`: it is not being recorded. */
  stateOf(contactId: string): Promise<RecordingState | 'none'>;
  /** Resolves when the recorder says so. */
  becomes(contactId: string, state: RecordingState | 'none'): Promise<void>;
  /** The contact's status events so far. */
  statuses(contactId: string): Promise<string[]>;
  /** Resolves when the recording is published. */
  manifestOf(contactId: string): Promise<Manifest>;
  /** A call that is accepted and connected. */
  call(tab?: StreamsTab): Promise<string>;
  /** No contacts, no pages. */
  clean(): Promise<void>;
  stop(): Promise<void>;
}

const streams = fileURLToPath(
  new URL('../../../node_modules/amazon-connect-streams/release/connect-streams-min.js', import.meta.url),
);

/** @param options.flags for `sightline serve` */
export async function startStreamsDesk(options: { flags?: readonly string[] } = {}): Promise<StreamsDesk> {
  const flags = options.flags ?? [];
  const display = await startDisplay({ width: 640, height: 360 });
  const [browser, server, recorder, connect] = await Promise.all([
    startBrowser(),
    startPageServer({ routes: { ...ccpRoutes, '/streams.js': { file: streams } } }),
    startRecorder({ display: display.display, flags }),
    startConnectStandIn(),
  ]);
  let pages = 0;
  let observer: { of: Recorder; page: Page } | undefined;

  /** Those that are open, as the recorder says. */
  async function recordings(): Promise<{ contactId: string; state: RecordingState }[]> {
    if (observer?.of !== desk.recorder) {
      const page = await desk.recorder.connect({ hello: identity(desk.connect) });
      observer = { of: desk.recorder, page };
    }
    const reply = await observer.page.ask<{ recordings: { contactId: string; state: RecordingState }[] }>(
      'status',
    );
    return reply.recordings;
  }

  const desk: StreamsDesk = {
    browser,
    display,
    server,
    recorder,
    connect,
    async open(tabOptions = {}) {
      const path = `/${++pages}.html`;
      server.routes[path] = pageOf(desk.connect.ccpUrl, desk.recorder.port, tabOptions);
      return openTab(desk, `${server.origin}${path}`, tabOptions.late !== true);
    },
    another: (tab) => openTab(desk, tab.page.url(), true),
    async stateOf(contactId) {
      return (await recordings()).find((one) => one.contactId === contactId)?.state ?? 'none';
    },
    async becomes(contactId, state) {
      await expect.poll(() => desk.stateOf(contactId), { interval: 20 }).toBe(state);
    },
    async statuses(contactId) {
      return (await desk.recorder.events())
        .filter((event) => event.detail.contactArn.endsWith(`/${contactId}`))
        .map((event) => event.detail.recordingStatus);
    },
    async manifestOf(contactId) {
      await expect.poll(() => desk.statuses(contactId), { interval: 50 }).toContain('PUBLISHED');
      const published = await desk.recorder.published();
      return published.find(({ manifest }) => manifest.contact.contactId === contactId)!.manifest;
    },
    async call(tab) {
      const contactId = desk.connect.ring();
      desk.connect.accept(contactId);
      await tab?.settled();
      return contactId;
    },
    async clean() {
      for (const contactId of [...desk.connect.contacts.keys()]) desk.connect.clear(contactId);
      for (const page of browser.context.pages().slice(1)) await page.close();
      for (const { contactId } of await recordings())
        await observer?.page.request('contact.stop', { contactId });
    },
    async stop() {
      await browser.stop();
      await Promise.all([server.stop(), desk.connect.stop(), desk.recorder.stop()]);
      await display.stop();
    },
  };
  return desk;
}

/** Who the page says that it is. */
export function identity(connect: ConnectStandIn): { agentArn: string; instanceArn: string } {
  return { agentArn: connect.agentArn, instanceArn: INSTANCE };
}

async function openTab(desk: StreamsDesk, url: string, isConnected: boolean): Promise<StreamsTab> {
  const page = await desk.browser.context.newPage();
  const console: string[] = [];
  page.on('console', (message) => console.push(message.text()));
  page.on('pageerror', (error) => console.push(`uncaught: ${error.message}`));
  await page.goto(url);
  const tab: StreamsTab = {
    page,
    console,
    async settled() {
      await page.waitForFunction(
        (sequence) => {
          const { connect } = globalThis as unknown as StreamsWindow;
          try {
            return connect.core.getAgentDataProvider().getAgentData().snapshot.sequence >= sequence;
          } catch {
            return false; // no agent yet
          }
        },
        desk.connect.sequence,
        { polling: 20 },
      );
      await page.evaluate(async () => {
        const { sightline } = globalThis as unknown as StreamsWindow;
        const { client, contacts } = sightline;
        if (client.connection.kind !== 'connected') return;
        for (const { contactId } of contacts.contacts) await contacts.idle(contactId);
        // Answered after everything that was sent before it.
        await client.resume('nobody-s-contact').catch(() => undefined);
      });
    },
    close: () => page.close(),
  };
  if (isConnected) {
    await page.waitForFunction(
      () => {
        const { sightline } = globalThis as unknown as StreamsWindow;
        return sightline.client.connection.kind === 'connected';
      },
      undefined,
      { polling: 20 },
    );
  }
  return tab;
}

function pageOf(
  ccpUrl: string,
  port: number,
  { options = '{}', late = false, body = '', script = '' }: TabOptions,
): string {
  return `<!doctype html><meta charset="utf-8"><title>Custom CCP</title>
<div id="ccp"></div>${body}
<script src="/streams.js"></script><script src="/sightline-ccp.js"></script>
<script>
  connect.core.initCCP(document.getElementById('ccp'), { ccpUrl: ${JSON.stringify(ccpUrl)}, loginPopup: false });
  window.attach = () => {
    window.sightline = Sightline.streams(connect, { port: ${port}, ...(${options}) });
    ${script}
  };
  ${late ? '' : 'attach();'}
</script>`;
}

/** Runs in the page, without anything around it. */
export function inPage<T>(tab: StreamsTab, act: (page: StreamsWindow) => T): Promise<T> {
  return tab.page.evaluate(`(${act.toString()})(window)`);
}
