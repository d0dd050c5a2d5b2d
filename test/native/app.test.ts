// The app in the pinned Electron, driven by Playwright where that Electron is there, on the desktop that is there: also on a real
// Windows, in the release workflow. In `npm test` it runs on Linux, in the Electron of the tests.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import type { ElectronApp } from '../rig/electronApp.ts';
import { findElectron, startElectronApp } from '../rig/electronApp.ts';
import { orLeftOut } from '../rig/leftOut.ts';
import { connectPage, readPublished } from '../rig/recorder.ts';

const electron = await findElectron();
const why = electron === null ? 'there is no Electron on this machine' : null;
const contactId = 'a1b2c3d4-0001-4000-8000-00000000a002';

describe.skipIf(why !== null)(orLeftOut(`the app in ${electron?.name ?? 'Electron'}`, why), () => {
  let display: Display | null = null;
  let home: string;
  let app: ElectronApp;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'sightline-native-app-'));
    if (process.platform !== 'win32') display = await startDisplay({ width: 1280, height: 720 });
    const homes = { HOME: home, USERPROFILE: home, LOCALAPPDATA: home };
    app = await startElectronApp({
      electron: electron!,
      display: display?.display ?? '',
      environment: homes,
    });
  });
  afterAll(async () => {
    await app.dispose();
    await display?.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 300 });
  });

  const pill = (text: string): Promise<boolean> =>
    app.evaluate(
      'indicator',
      `document.querySelector('#label').textContent.includes(${JSON.stringify(text)})`,
    );

  it('records a contact, with the indicator on the screen', async () => {
    const page = await connectPage(app.port!);
    await page.ask('contact.start', { contactId, channel: 'VOICE' });
    await expect.poll(() => pill('REC'), { timeout: 15_000 }).toBe(true);
    await page.ask('contact.suspend', { contactId });
    await expect.poll(() => pill('SUSPENDED'), { timeout: 15_000 }).toBe(true);
    await page.ask('contact.resume', { contactId });
    await expect.poll(() => pill('REC'), { timeout: 15_000 }).toBe(true);
    await page.ask('contact.stop', { contactId });
    await page.event(contactId, 'PUBLISHED');
    const [published] = await readPublished(app.sinkFolder);
    expect(published?.manifest.contact.contactId).toBe(contactId);
    await page.close();
  });

  it('opens its window when it is started again', async () => {
    expect(await app.startAgain()).toBe(0);
    const heading = `document.querySelector('h1') !== null || document.body.innerText !== ''`;
    await expect.poll(() => app.evaluate('index', heading), { timeout: 15_000 }).toBe(true);
  });
});
