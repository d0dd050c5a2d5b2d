// <sightline-status> in real Chromium, under a strict CSP: every state as the real client and the real recorder make it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { freePort } from '../rig/freePort.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { openStatusTab, statusRoutes, type StatusTab, type StatusTabOptions } from '../rig/statusPage.ts';

const POLL = { timeout: 30_000, interval: 50 };
const call = "{ contactId: 'call-1', channel: 'VOICE' }";

let display: Display;
let server: PageServer;
let browser: Browser;
let recorder: Recorder;
let tabs: StatusTab[] = [];

beforeAll(async () => {
  display = await startDisplay();
  server = await startPageServer({ routes: statusRoutes });
  browser = await startBrowser();
  recorder = await startRecorder({ display: display.display });
});
afterAll(async () => {
  await recorder.stop();
  await browser.stop();
  await server.stop();
  await display.stop();
});
afterEach(async () => {
  for (const tab of tabs) {
    // Everything worked under the page's policy.
    expect(await tab.run('violations')).toEqual([]);
    await tab.run('for (const { contactId } of contacts.contacts) contacts.stop(contactId)');
    const isConnected = (await tab.run('client.connection.kind')) === 'connected';
    if (isConnected) await expect.poll(() => tab.run('contacts.contacts.length'), POLL).toBe(0);
    await tab.close();
  }
  tabs = [];
});

async function open(options: Partial<StatusTabOptions> = {}): Promise<StatusTab> {
  const tab = await openStatusTab(browser, server, { port: recorder.port, ...options });
  tabs.push(tab);
  return tab;
}

const until = (tab: StatusTab, shown: object) => expect.poll(() => tab.shown(), POLL).toMatchObject(shown);

describe('the element', () => {
  it('shows that nothing is recorded, then the recording with its time, which a reload does not change', async () => {
    const tab = await open();
    await until(tab, { kind: 'idle', label: 'Not recording', elapsed: '', action: '', isOpen: false });
    await tab.run(`contacts.record(${call})`);
    await until(tab, { kind: 'recording', label: 'Recording', elapsed: '0:03' });
    await tab.page.reload();
    await tab.run(`contacts.record(${call})`);
    let first = '';
    await expect.poll(async () => (first ||= (await tab.shown()).elapsed), POLL).toMatch(/\d/);
    // At once, not after three seconds.
    expect(first).toMatch(/^0:(0[3-9]|1\d)$/);
  });

  it('is suspended and resumed by its button, with the keyboard', async () => {
    const tab = await open({ attributes: 'controls' });
    await tab.run(`contacts.record(${call})`);
    await until(tab, { kind: 'recording', action: 'Suspend recording' });
    await tab.page.keyboard.press('Tab');
    await tab.page.keyboard.press('Enter');
    await until(tab, { kind: 'suspended', detail: 'By this page', action: 'Resume recording', elapsed: '' });
    expect(await tab.run('client.appState.state')).toBe('suspended');
    // The focus is still on it.
    await tab.page.keyboard.press('Enter');
    await until(tab, { kind: 'recording', action: 'Suspend recording' });
  });

  it('says what suspends: a form with its reason, the flow, and what is not known', async () => {
    const tab = await open({ attributes: 'controls' });
    await tab.run(`contacts.record(${call})`);
    await until(tab, { kind: 'recording' });
    await tab.run("contacts.suspend('call-1', 'form:#card', 'Card number')");
    // A form's suspension is not the button's to end.
    await until(tab, {
      kind: 'suspended',
      detail: 'While you use a protected form: Card number',
      action: '',
    });
    await tab.run("contacts.resume('call-1', 'form:#card')");
    await until(tab, { kind: 'recording' });
    await tab.run("contacts.suspend('call-1', 'flow')");
    await until(tab, { kind: 'suspended', detail: 'By the contact’s flow', action: '' });
    // Another page, which knows nothing of the cause.
    await tab.close();
    tabs = [];
    const other = await open({ attributes: 'controls' });
    await other.run(`contacts.record(${call})`);
    await until(other, { kind: 'suspended', action: 'Resume recording' });
    expect((await other.shown()).detail).toContain('By another page, or before this page was reloaded');
    await other.page.getByRole('button', { name: 'Resume recording' }).click();
    await until(other, { kind: 'recording' });
  });

  it('lists several contacts under its details, which Escape closes', async () => {
    const tab = await open({ attributes: 'compact' });
    await tab.run(`contacts.record(${call}); contacts.record({ contactId: 'chat-1', channel: 'CHAT' })`);
    await until(tab, { kind: 'recording', contacts: ['Call: recording', 'Chat: recording'], isOpen: false });
    await tab.page.keyboard.press('Tab');
    await tab.page.keyboard.press('Space');
    await until(tab, { isOpen: true });
    await tab.page.keyboard.press('Escape');
    await until(tab, { isOpen: false });
    expect(await tab.run('element.shadowRoot.activeElement.id')).toBe('details');
  });

  it('says that Sightline is not running and what to do, and connects when it is there', async () => {
    const port = await freePort();
    const tab = await open({ port });
    await until(tab, {
      kind: 'not-running',
      label: 'Sightline is not running',
      detail: 'Your screen is not being recorded.',
      isOpen: true,
      code: 'Code: CLIENT_APP_NOT_RUNNING',
    });
    expect((await tab.shown()).steps[0]).toContain('Start Sightline');
    const late = await startRecorder({ display: display.display, flags: ['--port', String(port)] });
    try {
      await tab.page.getByRole('button', { name: 'Try again' }).click();
      await until(tab, { kind: 'idle', isOpen: false, code: '' });
      late.kill('SIGKILL');
      await late.exited;
      await until(tab, { kind: 'not-running' });
    } finally {
      await late.stop();
    }
  });

  it('says that another agent is signed in', async () => {
    const first = await recorder.connect();
    const tab = await open({ agent: 'bob' });
    await until(tab, { kind: 'refused', label: 'Not connected', code: 'Code: MULTIPLE_CCP_INTERACTION' });
    const { detail, steps } = await tab.shown();
    expect(detail).toContain('another agent is signed in');
    expect(steps[0]).toContain('Close all pages of the other agent');
    await first.close();
    await tab.run('client.connectNow()');
    await until(tab, { kind: 'idle' });
  });

  it('shows a problem of the recorder as what it means', async () => {
    const blind = await startRecorder({ display: null });
    try {
      const tab = await open({ port: blind.port });
      await tab.run(`contacts.record(${call})`);
      await until(tab, { kind: 'problem', label: 'Problem', isOpen: true });
      expect(await tab.shown()).toMatchObject({
        detail: 'The screen cannot be read. Sightline retries automatically.',
        code: 'Code: NO_DISPLAY',
      });
    } finally {
      await blind.stop();
    }
  });

  it('says that page and recorder have different versions', async () => {
    const newer = await startNewerRecorder();
    const tab = await open({ port: (newer.address() as AddressInfo).port });
    await until(tab, { kind: 'wrong-version', label: 'Update needed', isOpen: true });
    newer.close();
    newer.closeAllConnections();
  });
});

describe('what the element costs', () => {
  it('changes nothing while nothing is recorded, and only the time, once a second, while something is', async () => {
    const tab = await open();
    await until(tab, { kind: 'idle' });
    const changes = `new Promise((resolve) => {
      const seen = [];
      const observer = new MutationObserver((records) => {
        for (const { target } of records) seen.push((target.id ?? '') || target.parentElement.id);
      });
      observer.observe(element.shadowRoot, { subtree: true, childList: true, characterData: true });
      setTimeout(() => { observer.disconnect(); resolve(seen); }, 3000);
    })`;
    // It is drawn anew, with the same result: a live region would read it again.
    const again = '(element.texts = {}), (element.source = element.source)';
    expect(await tab.run(`setTimeout(() => { ${again} }, 500); ${changes}`)).toEqual([]);
    await tab.run(`contacts.record(${call})`);
    await until(tab, { kind: 'recording', elapsed: '0:01' });
    const seen = await tab.run<string[]>(changes);
    expect([...new Set(seen)]).toEqual(['elapsed']);
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen.length).toBeLessThanOrEqual(4);
  });
});

/** It answers as a recorder of the next protocol version would. */
async function startNewerRecorder(): Promise<Server> {
  const newer = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ app: 'sightline', version: '9.0.0', protocol: 2 }));
  });
  newer.on('upgrade', (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => newer.listen(0, '127.0.0.1', resolve));
  return newer;
}
