// The whole app as an agent has it: a real Electron with its tray, indicator and status window on a desktop with a
// panel, and contacts driven from a real page in a real browser. Its name says which Electron ran. With
// SIGHTLINE_PICTURES=FOLDER it writes screenshots of the whole screen there.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MACHINE_POLICY_FILE } from '../../main/policy/machine.ts';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import type { CcpTab } from '../rig/ccpPage.ts';
import { CCP_PAGE, openCcpTab } from '../rig/ccpPage.ts';
import type { ElectronApp } from '../rig/electronApp.ts';
import { findElectron, startElectronApp } from '../rig/electronApp.ts';
import { asSeenBy, withOwnEtc } from '../rig/mount.ts';
import { probe } from '../rig/mp4.ts';
import type { PageServer } from '../rig/pageServer.ts';
import { startPageServer } from '../rig/pageServer.ts';
import { agent, connectPage, readDeskEvents, readEvents, readPublished } from '../rig/recorder.ts';
import type { TrayDesk } from '../rig/trayDesk.ts';
import { missingForTrayDesk, startTrayDesk, toPalette } from '../rig/trayDesk.ts';
import { readZip } from '../rig/zip.ts';

const electron = await findElectron();
const missing = electron === null ? 'there is no Electron on this machine' : missingForTrayDesk();
const PILL = '^Sightline indicator$';
const pictures = process.env.SIGHTLINE_PICTURES;

const AGENT_PAGE = await readFile(new URL('../rig/agentPage.html', import.meta.url), 'utf8');

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error('it did not become so within 10 s');
    await sleep(100);
  }
}

/** In the page: resolves with the pill's text as soon as its label contains the text. */
const saying = (text: string): string => `new Promise((resolve) => {
  const look = () => {
    const pill = document.getElementById('pill');
    const said = pill === null || pill.hidden ? '' : document.querySelector('#label').textContent;
    if (!said.includes(${JSON.stringify(text)})) return;
    watch.disconnect();
    resolve({ said: pill.innerText.replace(/\\s+/g, ' ').trim(), at: Date.now() });
  };
  const watch = new MutationObserver(look);
  watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
})`;

describe.skipIf(missing !== null)(
  missing === null ? `the app in ${electron!.name}` : `the app in a real Electron: left out, ${missing}`,
  () => {
    let desk: TrayDesk;
    let app: ElectronApp;
    let server: PageServer;
    let browser: Browser;
    let page: CcpTab;
    let folder: string;
    const ends: (() => unknown)[] = [];

    beforeAll(async () => {
      console.log(`The app runs in ${electron!.name}.`);
      folder = await mkdtemp(join(tmpdir(), 'sightline-app-test-'));
      ends.push(() => rm(folder, { recursive: true, force: true }));
      if (pictures !== undefined) await mkdir(pictures, { recursive: true });
      desk = await startTrayDesk();
      ends.push(() => desk.stop());
      server = await startPageServer({ routes: { '/ccp.html': CCP_PAGE + AGENT_PAGE } });
      ends.push(() => server.stop());
      app = await start();
      ends.push(() => app.dispose());
      browser = await startBrowser({
        display: desk.display,
        args: ['--window-position=0,0'],
      });
      ends.push(() => browser.stop());
      page = await openCcpTab(browser, server, app.port!);
      await browser.context.pages()[0]!.close();
      await page.page.setViewportSize({ width: 780, height: 700 });
      expect(await page.ask('hello', { protocol: 1, ...agent })).toMatchObject({ ok: true });
    });
    afterAll(async () => {
      for (const end of ends.reverse()) await end();
    });

    const start = (environment: Record<string, string> = {}, wrapper: string[] = []): Promise<ElectronApp> =>
      startElectronApp({
        electron: electron!,
        display: desk.display,
        environment: { ...desk.environment, HOME: folder, ...environment },
        wrapper,
      });

    /** Of the whole screen. */
    async function picture(name: string): Promise<void> {
      if (pictures === undefined) return;
      const whole = join(folder, 'whole.png');
      await desk.picture(whole);
      await toPalette(whole, join(pictures, `${name}.png`));
    }

    /** When nothing changes any more: the panel repaints a little later. */
    async function trayIcon(): Promise<string> {
      await sleep(700);
      return digest(await desk.trayIcon());
    }

    /** Resolves with all text of the status window once it contains the text; rejects with it if it does not. */
    const windowSays = (text: string, of: ElectronApp = app): Promise<string> =>
      of.evaluate(
        'index',
        `new Promise((resolve, reject) => {
          const said = () => (document.body === null ? '' : document.body.innerText);
          const look = () => said().includes(${JSON.stringify(text)}) && resolve(said());
          const options = { subtree: true, childList: true, attributes: true, characterData: true };
          new MutationObserver(look).observe(document, options);
          setTimeout(() => reject(new Error('The window says: ' + said())), 15000);
          look();
        })`,
      );

    const icons = new Map<string, string>();
    const digest = (pixels: Buffer): string => createHash('sha256').update(pixels).digest('hex');
    const contact = { contactId: '5f2d7c1e-8a34-4f0b-9d55-1c0e6a7b2f31' };

    it('rests in the tray, without a window and without a pill', async () => {
      icons.set('idle', await trayIcon());
      expect(await app.has('index')).toBe(false);
      expect(await app.has('indicator')).toBe(false);
      await picture('idle');
    });

    it('says REC on the screen once the first frame is in', async () => {
      const reply = page.ask('contact.start', { ...contact, channel: 'VOICE', queue: 'Billing' });
      const shown = await app.evaluate<{ said: string; at: number }>('indicator', saying('REC'));
      expect(await reply).toMatchObject({ ok: true });
      const { startTime } = (await reply) as { startTime: string };
      expect(shown.at).toBeGreaterThanOrEqual(Date.parse(startTime));
      console.log(`REC was shown ${shown.at - Date.parse(startTime)} ms after the first frame was grabbed`);
      icons.set('recording', await trayIcon());
      await picture('recording');
    });

    it('keeps the pill where it is put, and small if it is made small, but does not let it be closed', async () => {
      const first = await desk.placeOf(PILL);
      expect(first.x + first.width).toBeGreaterThan(1400);
      const grip = { x: first.x + 60, y: first.y + first.height / 2 };
      await desk.drag(grip, { x: grip.x - 300, y: grip.y - 200 });
      const moved = await desk.placeOf(PILL);
      expect(Math.abs(first.x - 300 - moved.x)).toBeLessThan(5);
      expect(Math.abs(first.y - 200 - moved.y)).toBeLessThan(5);
      await desk.click(moved.x + moved.width - 17, moved.y + moved.height / 2);
      await until(async () => (await desk.placeOf(PILL)).width < moved.width - 20);
      await picture('recording-small');
      // It ends what evaluates it.
      await Promise.race([app.evaluate('indicator', 'window.close()').catch(() => null), sleep(500)]);
      await app.evaluate('indicator', saying('REC'));
      await until(() => desk.isShown(PILL));
      const small = await desk.placeOf(PILL);
      await desk.click(small.x + small.width - 17, small.y + small.height / 2);
      await until(async () => Math.abs((await desk.placeOf(PILL)).width - first.width) < 3);
      expect(await app.has('index')).toBe(false); // dragging and shrinking are no clicks
      await desk.drag({ x: grip.x - 300, y: grip.y - 200 }, { x: grip.x, y: grip.y });
      await desk.moveMouseAway();
    });

    it('opens the window at a click on the pill, beside it', async () => {
      const pill = await desk.placeOf(PILL);
      await desk.click(pill.x + 60, pill.y + pill.height / 2);
      await windowSays(contact.contactId);
      await desk.window('^Sightline: ');
      await desk.moveMouseAway();
      await picture('opened');
      const window = await desk.placeOf('^Sightline: ');
      const isBeside = window.x + window.width <= pill.x || window.y + window.height <= pill.y;
      expect(isBeside, JSON.stringify({ window, pill })).toBe(true);
      await desk.closeWindow('^Sightline: ');
      await until(async () => !(await app.has('index')));
    });

    it('shows what it does in the status window, to an agent who starts it again', async () => {
      expect(await app.startAgain()).toBe(0);
      expect(await windowSays(contact.contactId)).toMatch(/Billing · Call · /);
      await desk.window('^Sightline: ');
      await desk.moveWindow('^Sightline: ', 800, 10);
      await picture('recording-window');
    });

    it('offers everything in the menu of the tray', async () => {
      await desk.openTrayMenu();
      await picture('recording-menu');
      await desk.key('Escape');
      await desk.moveMouseAway();
    });

    it('says SUSPENDED when capture has stopped, and REC again after it', async () => {
      expect(await page.ask('contact.suspend', { ...contact, reason: 'Card number' })).toMatchObject({
        ok: true,
      });
      const shown = await app.evaluate<{ said: string }>('indicator', saying('SUSPENDED'));
      expect(shown.said).toContain('by the page: Card number');
      expect(await windowSays('Suspended by the page')).toContain('Reason: Card number');
      // Its age, not that of the contact.
      expect(shown.said).toMatch(/ 00:0\d$/);
      icons.set('suspended', await trayIcon());
      await picture('suspended');
      expect(await page.ask('contact.resume', contact)).toMatchObject({ ok: true });
      await app.evaluate('indicator', saying('REC'));
      await sleep(1000);
    });

    it('uploads one MP4 and rests again', async () => {
      expect(await page.ask('contact.stop', contact)).toMatchObject({ ok: true });
      await windowSays('Uploaded');
      await page.page.waitForFunction(
        'window.pushes.some((one) => one.event?.detail.recordingStatus === "PUBLISHED")',
      );
      const [only, ...others] = await readPublished(app.sinkFolder);
      expect(others).toEqual([]);
      expect(only?.manifest.gaps.map(({ reason }) => reason)).toEqual(['suspended']);
      expect((await probe(only!.mp4)).codec).toBe('h264');
      expect(await trayIcon()).toBe(icons.get('idle'));
      await picture('uploaded');
    });

    it('has an icon of its own for each state in the tray', () => {
      expect(new Set(icons.values()).size).toBe(3);
    });

    it('gives its pages nothing but the bridge', async () => {
      const answers = await app.evaluate<Record<string, unknown>>(
        'index',
        `(async () => ({
          node: [typeof require, typeof process, typeof module, typeof Buffer],
          bridge: Object.keys(window.sightline).sort(),
          inline: (() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = 1';
            document.body.append(script);
            return typeof window.ran;
          })(),
          // Later, because what the DevTools evaluate may itself evaluate.
          evaluated: (setTimeout('window.evaluated = 1'), await new Promise((r) => setTimeout(r, 50)), typeof window.evaluated),
          fetched: await fetch('http://127.0.0.1:${app.port}/v1/health').then(() => 'answered', () => 'refused'),
          beside: await fetch('sightline://app/../preload/index.cjs').then((r) => String(r.ok), () => 'refused'),
          opened: window.open('https://connect.invalid/') === null || 'see below',
          microphone: await navigator.mediaDevices.getUserMedia({ audio: true }).then(() => 'granted', (e) => e.name),
          notifications: await Notification.requestPermission(),
        }))()`,
      );
      expect(answers).toMatchObject({
        node: ['undefined', 'undefined', 'undefined', 'undefined'],
        bridge: [
          ...['exportDiagnostics', 'getState', 'onState', 'openFolder', 'retryRecording', 'runChecks'],
          'suspend',
        ],
        inline: 'undefined',
        evaluated: 'undefined',
        fetched: 'refused',
        beside: 'refused',
        notifications: 'denied',
      });
      expect(['NotAllowedError', 'NotFoundError']).toContain(answers.microphone);
      const stays = `new Promise((resolve) => {
        location.href = 'https://connect.invalid/';
        setTimeout(() => resolve(location.href), 800);
      })`;
      expect(await app.evaluate('index', stays)).toBe('sightline://app/index.html');
    });

    it('runs the checks and exports the diagnostics from the window', async () => {
      await app.evaluate(
        'index',
        `[...document.querySelectorAll('button')].find((one) => one.innerText === 'Run checks').click()`,
      );
      await windowSays(' passed');
      await picture('checks');
      const asked = app.evaluate<{ status: string; file?: string }>(
        'index',
        'window.sightline.exportDiagnostics()',
      );
      await desk.window('Export diagnostics');
      await sleep(500);
      await picture('export');
      await desk.key('Return');
      const outcome = await asked;
      expect(outcome.status).toBe('saved');
      const entries = await readZip(outcome.file!);
      expect([...entries.keys()]).toContain('checks.json');
    });

    it('completes what is recorded when it quits, and notifies the page', async () => {
      const last = { contactId: 'quit-in-the-middle' };
      expect(await page.ask('contact.start', { ...last, channel: 'CHAT' })).toMatchObject({ ok: true });
      await app.evaluate('indicator', saying('REC'));
      await sleep(1000);
      expect(await readdir(app.dataDir)).toContain('policy-state.json');
      expect(await app.quit()).toBe(0);
      // What the start began has been stopped: nothing is left that describes a running Sightline.
      expect(await readdir(app.dataDir)).not.toContain('policy-state.json');
      const published = await readPublished(app.sinkFolder);
      expect(published.map(({ manifest }) => manifest.contact.contactId).sort()).toEqual(
        [contact.contactId, last.contactId].sort(),
      );
      const events = await readEvents(join(app.dataDir, 'status-events.ndjson'));
      expect(events.at(-1)?.detail.recordingStatus).toBe('PUBLISHED');
      const ended = await readDeskEvents(join(app.dataDir, 'status-events.ndjson'));
      expect(ended.map(({ detail }) => 'endInfo' in detail && detail.endInfo)).toMatchObject([
        { cause: 'terminated', contactWasOn: true },
      ]);
      await Promise.all(
        published.map(async ({ mp4 }) => expect((await stat(mp4)).size).toBeGreaterThan(1000)),
      );
    });

    it('shows what is wrong when its services cannot start, and ends nothing', async () => {
      const holder = createServer();
      await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
      const { port } = holder.address() as AddressInfo;
      const troubled = await start({ SIGHTLINE_PORT: String(port) });
      onTestFinished(async () => {
        await troubled.dispose();
        holder.close();
      });
      expect(troubled.port).toBe(null);
      expect(await windowSays('Sightline could not start', troubled)).toContain('CLIENT_CONNECTION_ERROR');
      const folded = await troubled.evaluate<string>('index', 'document.body.textContent');
      expect(folded).toContain(`Port ${port} is already in use`);
      await troubled.evaluate('indicator', saying('PROBLEM'));
      await sleep(700);
      await picture('not-started');
      expect(await troubled.quit()).toBe(0);
    });

    it('has a code for a policy that is not valid', async () => {
      const troubled = await start({ SIGHTLINE_PORT: 'five' });
      onTestFinished(() => troubled.dispose());
      expect(troubled.port).toBe(null);
      expect(await windowSays('Sightline could not start', troubled)).toContain(
        'Details for support: POLICY_INVALID',
      );
      expect(await troubled.quit()).toBe(0);
    });

    it('applies the machine’s policy for indicator and agent in the middle of a contact', async () => {
      const etc = join(folder, 'etc');
      await mkdir(etc);
      const steered = await start({}, withOwnEtc(etc));
      onTestFinished(() => steered.dispose());
      const set = async (policy: object): Promise<void> => {
        const file = asSeenBy(steered.pid, MACHINE_POLICY_FILE);
        await mkdir(dirname(file), { recursive: true });
        // With a machine policy the app's variables have no effect.
        const { dataDir, sinkFolder } = steered;
        const base = { port: 0, dataDir, sinkFolder, allowLoopbackOrigins: true };
        await writeFile(`${file}.new`, JSON.stringify({ ...base, ...policy }));
        await rename(`${file}.new`, file);
      };
      const ccp = await connectPage(steered.port!);
      await ccp.ask('contact.start', { contactId: 'steered', channel: 'VOICE' });
      await steered.evaluate('indicator', saying('REC'));
      expect(await desk.isShown(PILL)).toBe(true);
      await set({ indicator: 'off' });
      await until(async () => !(await desk.isShown(PILL)));
      await set({ indicator: 'required', agentMaySuspend: true });
      await until(() => desk.isShown(PILL));
      await desk.openTrayMenu();
      await picture('agent-may-suspend-menu');
      // The first command is: suspend.
      await desk.key('Down', 'Return');
      const shown = await steered.evaluate<{ said: string }>('indicator', saying('SUSPENDED'));
      expect(shown.said).toContain('by you');
      await steered.evaluate('indicator', `document.getElementById('suspend').click()`);
      await steered.evaluate('indicator', saying('REC'));
      // Policy decides in the main process: a page that asks all the same is refused.
      await set({ indicator: 'required', agentMaySuspend: false });
      const noButton = `document.getElementById('suspend').hidden`;
      await until(() => steered.evaluate<boolean>('indicator', noButton));
      expect(await steered.evaluate('indicator', 'window.sightlineIndicator.suspend(true)')).toBe(false);
      await steered.evaluate('indicator', saying('REC'));
      expect(await ccp.ask('status', {})).toMatchObject({ state: 'recording' });
      await ccp.ask('contact.stop', { contactId: 'steered' });
      await ccp.event('steered', 'PUBLISHED');
      await ccp.close();
      await desk.openTrayMenu();
      // The last command is: quit.
      await desk.key('Up', 'Return');
      expect(await steered.exited).toBe(0);
      const ended = await readDeskEvents(join(steered.dataDir, 'status-events.ndjson'));
      expect(ended.map(({ detail }) => 'endInfo' in detail && detail.endInfo.cause)).toEqual(['agent-quit']);
    });
  },
);
