// Page authentication seen from a page in a real browser: refused, let in with a new token, and let in again after a
// reload while the endpoint is away.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthServer, type AuthServer } from '../rig/authServer.ts';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import { CCP_PAGE, openCcpTab } from '../rig/ccpPage.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { agent, startRecorder, type Recorder } from '../rig/recorder.ts';

let display: Display;
let endpoint: AuthServer;
let recorder: Recorder;
let server: PageServer;
let browser: Browser;

beforeAll(async () => {
  display = await startDisplay();
  endpoint = await startAuthServer();
  endpoint.tokens.set('good-token', { agentArn: agent.agentArn });
  const flags = ['--auth', 'endpoint', '--auth-url', endpoint.url];
  recorder = await startRecorder({ display: display.display, flags });
  server = await startPageServer({ routes: { '/ccp.html': CCP_PAGE } });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.stop();
  await server.stop();
  await recorder.stop();
  await endpoint.close();
  await display.stop();
});

describe('a page in Chromium, where policy wants a token', () => {
  it('is refused, signs in again, records, and comes back while the endpoint is away', async () => {
    const tab = await openCcpTab(browser, server, recorder.port);
    const contact = { contactId: 'with-a-token' };
    expect(await tab.ask('hello', { protocol: 1, ...agent, token: 'stale' })).toMatchObject({
      ok: false,
      error: { code: 'CLIENT_AUTH_ERROR', source: 'CLIENT', retryable: false },
    });
    expect(await tab.ask('contact.start', { ...contact, channel: 'VOICE' })).toMatchObject({
      error: { code: 'NOT_READY' },
    });
    const hello = { protocol: 1, ...agent, token: 'good-token' };
    expect(await tab.ask('hello', hello)).toMatchObject({ ok: true });
    expect(await tab.ask('contact.start', { ...contact, channel: 'VOICE' })).toMatchObject({ ok: true });
    endpoint.fault = { kind: 'status', status: 503 };
    await tab.page.reload();
    await tab.connect();
    expect(await tab.ask('hello', hello)).toMatchObject({ ok: true, recordings: [contact] });
    expect(await tab.ask('contact.stop', contact)).toMatchObject({ ok: true });
    // The origin is the browser's word, not the page's.
    expect(endpoint.questions.map(({ body }) => (body as { origin: string }).origin)).toEqual([
      server.origin,
      server.origin,
    ]);
    expect(endpoint.complaints).toEqual([]);
    await tab.page.close();
  });
});
