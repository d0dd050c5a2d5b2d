// Every state that the status window can show, each over real services: for its test and its screenshots.
import type { AppState } from '../../main/shared/names.ts';
import type { ShownState } from '../../main/shared/ipc.ts';
import type { Browser } from './browser.ts';
import { startDisplay } from './display.ts';
import { startPainter } from './painter.ts';
import { BUCKET, REGION, startStrictStore } from './s3Store.ts';
import type { Backstage, OpenWindow } from './statusWindow.ts';
import { backstageWithout, openStatusWindow, startBackstage } from './statusWindow.ts';
import { startXorgDummy } from './xorgDummy.ts';

export interface Scene {
  readonly name: string;
  readonly state: AppState;
  readonly window: OpenWindow;
  readonly backstage: Backstage;
}

const BILLING = { queue: 'Billing' };
const CALL = '5f2d7c1e-8a34-4f0b-9d55-1c0e6a7b2f31';
const TASK = '0e9b3a52-77c1-4a8e-b1d6-4f6c2d908a13';
const CHAT = 'b81c4a90-2e6f-4d1a-a7c3-90d2f4e85b16';

/** Plays them one after the other; each stands still while `look` looks at it. */
export async function playScenes(browser: Browser, look: (scene: Scene) => Promise<void>): Promise<void> {
  await playFolder(browser, look);
  await playTrouble(browser, look);
  await playUploads(browser, look);
  await playWithout(browser, look);
}

/** Two monitors, contacts that are recorded, suspended and paused, and what was uploaded to a folder. */
async function playFolder(browser: Browser, look: (scene: Scene) => Promise<void>): Promise<void> {
  const display = await startXorgDummy();
  await display.setOutputs([
    { x: 0, y: 0, width: 1280, height: 720, primary: true },
    { x: 1280, y: 0, width: 720, height: 1280, primary: false },
    { x: 2000, y: 300, width: 800, height: 600, primary: false },
  ]);
  const flags = { maxMonitors: '2', agentMaySuspend: 'yes' };
  const backstage = await startBackstage({ display: display.display, flags });
  const window = await openStatusWindow(browser, backstage.overview);
  const show = async (
    name: string,
    state: AppState,
    until: (state: ShownState) => boolean,
  ): Promise<void> => {
    await shown(backstage, (now) => now.state === state && until(now));
    await look({ name, state, window, backstage });
  };
  try {
    await show('idle', 'idle', ({ screen }) => screen.monitors.status === 'known');
    await backstage.ask('start', CALL, BILLING);
    await passed(4000);
    await backstage.ask('suspend', CALL, { reason: 'Card number' });
    await passed(2200);
    await show('suspended', 'suspended', () => true);
    await backstage.ask('resume', CALL);
    await passed(1500);
    await backstage.ask('start', CHAT, { channel: 'CHAT', queue: 'Claims' });
    await passed(1000);
    await show('recording', 'recording', ({ contacts }) => contacts.length === 2);
    await window.page.getByRole('button', { name: 'Suspend recording' }).click();
    await shown(backstage, ({ state }) => state === 'suspended');
    await passed(1200);
    await show('suspended-by-agent', 'suspended', () => true);
    await window.page.getByRole('button', { name: 'Resume recording' }).click();
    await shown(backstage, ({ state }) => state === 'recording');
    backstage.lock(true);
    await show('paused', 'paused', () => true);
    backstage.lock(false);
    await shown(backstage, ({ state }) => state === 'recording');
    await backstage.ask('stop', CALL);
    await backstage.ask('stop', CHAT);
    await window.page.getByRole('button', { name: 'Run checks' }).click();
    await show(
      'uploaded',
      'idle',
      ({ checks, recordings }) =>
        checks.status === 'done' && recordings.filter(({ status }) => status === 'PUBLISHED').length === 2,
    );
  } finally {
    await window.close();
    await backstage.stop();
    await display.stop();
  }
}

/** A display that does not answer, and one that is gone in the middle of a call. */
async function playTrouble(browser: Browser, look: (scene: Scene) => Promise<void>): Promise<void> {
  const display = await startDisplay();
  const backstage = await startBackstage({ display: display.display });
  const window = await openStatusWindow(browser, backstage.overview);
  try {
    await shown(backstage, ({ screen }) => screen.monitors.status === 'known');
    display.kill('SIGSTOP');
    const starting = backstage.ask('start', CALL);
    await shown(backstage, ({ state }) => state === 'starting');
    await look({ name: 'starting', state: 'starting', window, backstage });
    display.kill('SIGCONT');
    await starting;
    await passed(1500);
    display.kill('SIGKILL');
    await shown(backstage, ({ state }) => state === 'problem');
    await passed(1000);
    await look({ name: 'problem', state: 'problem', window, backstage });
  } finally {
    await window.close();
    await backstage.stop();
    await display.stop();
  }
}

/** A bucket behind a slow line, and one that refuses. */
async function playUploads(browser: Browser, look: (scene: Scene) => Promise<void>): Promise<void> {
  const display = await startDisplay();
  const painter = await startPainter({ display: display.display, scene: 'busy' });
  const store = await startStrictStore();
  const before = { ...process.env };
  process.env['AWS_ACCESS_KEY_ID'] = store.credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = store.credentials.secretAccessKey;
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  const s3 = {
    sink: 's3',
    s3Bucket: BUCKET,
    s3Endpoint: store.endpoint,
    s3PathStyle: 'yes',
    awsRegion: REGION,
  };
  const backstage = await startBackstage({
    display: display.display,
    flags: { ...s3, uploadLimitKbit: '300' },
    exportDiagnostics: () => Promise.resolve({ status: 'saved', file: 'sightline-diagnostics.zip' }),
  });
  const window = await openStatusWindow(browser, backstage.overview);
  try {
    await backstage.ask('start', CALL);
    await passed(4000);
    // The upload limit applies while another contact is active.
    await backstage.ask('start', CHAT, { channel: 'CHAT' });
    await backstage.ask('stop', CALL);
    await shown(backstage, ({ uploads }) =>
      uploads.some(({ state, progress }) => state === 'sending' && (progress?.bytesPerSecond ?? 0) > 0),
    );
    await look({ name: 'sending', state: 'recording', window, backstage });
    await backstage.ask('stop', CHAT);
    const isUploaded = ({ recordings }: ShownState): boolean =>
      recordings.every(({ status }) => status === 'PUBLISHED');
    await shown(backstage, isUploaded);
    store.strict?.inject({ kind: 'accessDenied', times: 1000 });
    await backstage.ask('start', TASK);
    await passed(1000);
    await backstage.ask('stop', TASK);
    await shown(backstage, ({ uploads }) =>
      uploads.some(({ state, failed }) => state === 'resting' && failed),
    );
    await look({ name: 'refused', state: 'idle', window, backstage });
    store.strict?.clearFaults();
    // The automatic retry may be first, and the button gone.
    void window.page
      .getByRole('button', { name: /^Retry now/ })
      .click()
      .catch(() => undefined);
    await shown(backstage, isUploaded);
  } finally {
    await window.close();
    await backstage.stop();
    process.env = before;
    await store.stop();
    await painter.stop();
    await display.stop();
  }
}

async function playWithout(browser: Browser, look: (scene: Scene) => Promise<void>): Promise<void> {
  const backstage = backstageWithout({
    code: 'CLIENT_CONNECTION_ERROR',
    message:
      'Port 5431 is already in use by process 4711 (amazon-connect). End that program, or set another "port" here and in the page.',
  });
  const window = await openStatusWindow(browser, backstage.overview);
  try {
    await look({ name: 'not-started', state: 'problem', window, backstage });
  } finally {
    await window.close();
  }
}

/** Resolves when the window's state is so; rejects with the state when it does not become so. */
export async function shown(
  { overview }: Backstage,
  isSo: (state: ShownState) => boolean,
  withinMs = 20_000,
): Promise<ShownState> {
  if (isSo(overview.shown())) return overview.shown();
  return new Promise((resolve, reject) => {
    const end = overview.watch((state) => {
      if (!isSo(state)) return;
      clearTimeout(deadline);
      end();
      resolve(state);
    });
    const deadline = setTimeout(() => {
      end();
      reject(new Error(`The state did not become so: ${JSON.stringify(overview.shown())}`));
    }, withinMs);
  });
}

/** How long to record: the length of what is shown, not a wait for something to happen. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
