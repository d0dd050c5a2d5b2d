// Contacts of a page with the client alone, against the real recorder: what the page wants happens, whatever comes between.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import type { ClientTab } from '../rig/ccpPackage.ts';
import { ccpRoutes, openClientTab } from '../rig/ccpPackage.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import type { PageServer } from '../rig/pageServer.ts';
import { startPageServer } from '../rig/pageServer.ts';
import type { Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

const call = { contactId: 'call-1', channel: 'VOICE' } as const;

let display: Display;
let server: PageServer;
let browser: Browser;
let recorder: Recorder;
let tabs: ClientTab[];

beforeAll(async () => {
  display = await startDisplay();
  server = await startPageServer({ routes: ccpRoutes });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.stop();
  await server.stop();
  await display.stop();
});
beforeEach(async () => {
  recorder = await startRecorder({ display: display.display });
  tabs = [];
});
afterEach(async () => {
  for (const { page } of tabs) await page.close();
  await recorder.stop();
});

async function open(): Promise<ClientTab> {
  const tab = await openClientTab(browser, server, { port: recorder.port });
  tabs.push(tab);
  return tab;
}

async function theOnlyRecording() {
  await expect.poll(() => recorder.published(), { timeout: 30_000 }).toHaveLength(1);
  const [published] = await recorder.published();
  return published!.manifest;
}

describe('a contact', () => {
  it('is recorded, suspended for two causes, resumed with the last, and stopped', async () => {
    const tab = await open();
    await tab.do('record', { ...call, queue: 'Billing', initialContactId: 'call-0' });
    await tab.untilContact('call-1', 'recording');
    await tab.do('suspend', 'call-1', 'page');
    await tab.do('suspend', 'call-1', 'form:#card');
    await tab.untilContact('call-1', 'suspended');
    expect(await tab.contact('call-1')).toMatchObject({ causes: ['page', 'form:#card'], error: null });
    await tab.do('resume', 'call-1', 'page');
    await tab.do('idle', 'call-1');
    expect(await tab.contact('call-1')).toMatchObject({ state: 'suspended', causes: ['form:#card'] });
    await tab.do('resume', 'call-1', 'form:#card');
    await tab.untilContact('call-1', 'recording');
    await tab.do('stop', 'call-1');
    await tab.untilContact('call-1', undefined);
    const { gaps, contact } = await theOnlyRecording();
    expect(contact).toMatchObject({ contactId: 'call-1', initialContactId: 'call-0', queue: 'Billing' });
    expect(gaps).toMatchObject([{ reason: 'suspended' }]);
  });
});
