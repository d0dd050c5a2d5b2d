// What the tests of contacts share: a desk with block codes, a recorder that can be killed and started again on its port, and
// tabs in a real browser.
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import type { ClientTab, ClientTabOptions } from '../rig/ccpPackage.ts';
import { ccpRoutes, openClientTab } from '../rig/ccpPackage.ts';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { freePort } from '../rig/freePort.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import type { PageServer } from '../rig/pageServer.ts';
import { startPageServer } from '../rig/pageServer.ts';
import type { Recorder, RecorderOptions } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import { decodeRecording } from '../rig/recordingFrames.ts';

export const call = { contactId: 'call-1', channel: 'VOICE' } as const;
export const other = { contactId: 'chat-2', channel: 'CHAT' } as const;

export interface Bench {
  readonly desk: Desk;
  readonly server: PageServer;
  readonly browser: Browser;
  /** Of the present test; the next call's recorder has the same port and data. */
  recorder(options?: Partial<RecorderOptions>): Promise<Recorder>;
  readonly running: Recorder;
  /** SIGKILL, and the end. */
  kill(): Promise<void>;
  open(options?: Partial<ClientTabOptions>): Promise<ClientTab>;
  /** The only recording, once it is published, with its frames. */
  published(): Promise<Awaited<ReturnType<typeof judged>>>;
}

/** Registers the hooks. Each test starts its recorder itself. */
export function useBench(): Bench {
  let desk: Desk;
  let server: PageServer;
  let browser: Browser;
  let recorder: Recorder | null = null;
  let home: string;
  let port: number;
  beforeAll(async () => {
    desk = await startDesk({ monitors: oneMonitor });
    server = await startPageServer({ routes: ccpRoutes });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.stop();
    await server.stop();
    await desk.stop();
  });
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'sightline-ccp-'));
    port = await freePort();
  });
  afterEach(async () => {
    await desk.showSensitive(false);
    await Promise.all(browser.context.pages().map((page) => page.close()));
    await recorder?.stop();
    recorder = null;
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });
  const running = (): Recorder => {
    if (recorder === null) throw new Error('no recorder is running');
    return recorder;
  };
  return {
    get desk() {
      return desk;
    },
    get server() {
      return server;
    },
    get browser() {
      return browser;
    },
    get running() {
      return running();
    },
    async recorder({ flags = [], ...options } = {}) {
      const all = ['--port', String(port), ...flags];
      recorder = await startRecorder({ display: desk.display, home, flags: all, ...options });
      return recorder;
    },
    async kill() {
      running().kill('SIGKILL');
      await running().exited;
      recorder = null;
    },
    open: (options = {}) => openClientTab(browser, server, { port, ...options }),
    async published() {
      await expect.poll(() => running().published(), { timeout: 30_000 }).toHaveLength(1);
      const [found] = await running().published();
      return judged(found!);
    },
  };
}

async function judged({ mp4, manifest }: Awaited<ReturnType<Recorder['published']>>[number]) {
  expect(await decodesCleanly(mp4)).toBe('');
  const frames = await decodeRecording(mp4, manifest);
  const phases = new Set(frames.flatMap(({ codes }) => [...codes.values()].map((code) => code?.phase)));
  const leaked = Math.max(...frames.map(({ sensitiveShare }) => sensitiveShare));
  return { manifest, phases, leaked, reasons: manifest.gaps.map(({ reason }) => reason) };
}

/** A few frames' worth: what is recorded meanwhile is the test's subject. */
export async function record(ms = 600): Promise<void> {
  await sleep(ms);
}
