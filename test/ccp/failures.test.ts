// What only the page can report, in real Chromium with the real client: posted once, in the recorder's own shape, through
// outages, reloads and several tabs; and never what the recorder says itself.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusEventSchema } from '../../main/shared/statusEvent.ts';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { ccpRoutes } from '../rig/ccpPackage.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { startFailureEndpoint, type FailureEndpoint } from '../rig/failureEndpoint.ts';
import { freePort } from '../rig/freePort.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { agent, startRecorder, type Recorder } from '../rig/recorder.ts';

const POLL = { timeout: 30_000, interval: 50 };
const TOKEN = 'secret-of-the-agent';
const HEADER = 'Bearer secret-of-the-endpoint';
const ATTRIBUTE = 'secret-of-the-customer';
const PAGE = `<!doctype html><meta charset="utf-8"><title>Page</title><script src="/sightline-ccp.js"></script><script>
  const asked = new URLSearchParams(location.search);
  const identity = { ...${JSON.stringify(agent)} };
  if (asked.has('agent')) identity.agentArn = identity.instanceArn + '/agent/' + asked.get('agent');
  window.client = Sightline.createClient({ identity, port: Number(asked.get('port')), token: () => '${TOKEN}' });
  window.contacts = Sightline.createContactRecorder(client);
  window.reporter = Sightline.reportFailures({
    ...{ client, contacts, identity },
    to: { url: asked.get('to'), headers: { authorization: '${HEADER}' }, afterSeconds: Number(asked.get('after')) },
  });
  window.record = (contactId, more) => contacts.record({
    ...{ contactId, channel: 'VOICE', queue: 'Sales', attributes: { card: '${ATTRIBUTE}' } }, ...more,
  });
  window.records = () => new Promise((resolve) => {
    const opening = indexedDB.open('sightline-failures', 1);
    opening.onsuccess = () => {
      const reading = opening.result.transaction('records').objectStore('records').getAll();
      reading.onsuccess = () => { opening.result.close(); resolve(reading.result); };
    };
  });
</script>`;

interface StoredRecord {
  readonly key: string;
  readonly dueAt: number;
  readonly event: object | null;
}

let display: Display;
let server: PageServer;
let browser: Browser;
let endpoint: FailureEndpoint;
let nothing: number;

beforeAll(async () => {
  display = await startDisplay();
  server = await startPageServer({ routes: { ...ccpRoutes, '/failures.html': PAGE } });
  nothing = await freePort();
});
afterAll(async () => {
  await server.stop();
  await display.stop();
});
// A fresh profile each: what one test leaves in IndexedDB must not be posted by the next.
beforeEach(async () => {
  browser = await startBrowser();
  endpoint = await startFailureEndpoint();
});
afterEach(async () => {
  await browser.stop();
  await endpoint.stop();
});

function open(options: { port?: number; after?: number; agent?: string; to?: string } = {}): Promise<Page> {
  const { port = nothing, after = 1, to = endpoint.url, agent: name } = options;
  const query = new URLSearchParams({ port: String(port), after: String(after), to });
  if (name !== undefined) query.set('agent', name);
  return browser.newPage(`${server.origin}/failures.html?${query.toString()}`);
}

const idsOf = (): string[] =>
  endpoint.events().map((event) => statusEventSchema.parse(event).detail.eventDeduplicationId);
const posted = (...ids: string[]) => expect.poll(idsOf, POLL).toEqual(ids);
const records = (page: Page): Promise<StoredRecord[]> => page.evaluate('records()');
const unposted = async (page: Page): Promise<string[]> =>
  (await records(page)).filter(({ event }) => event !== null).map(({ key }) => key);
const connection = (page: Page) => expect.poll(() => page.evaluate('client.connection.kind'), POLL);

/** Everything that is due now is posted: what came before is the proof that there was nothing else. */
async function lastPost(page: Page): Promise<void> {
  await page.evaluate("record('the-last')");
  await page.evaluate("contacts.stop('the-last')");
  await expect.poll(idsOf, POLL).toContainEqual(expect.stringContaining('the-last'));
}

describe('a contact without a recorder', () => {
  it('is posted once, as a status event with the fields of the recorder’s own', async () => {
    const page = await open();
    await connection(page).toBe('not-running');
    const before = Date.now();
    await page.evaluate("record('c-1', { initialContactId: 'c-0' })");
    await posted('page:c-1:CLIENT_APP_NOT_RUNNING');
    const { instanceArn, agentArn } = agent;
    const contactArn = `${instanceArn}/contact/c-1`;
    const [event] = endpoint.events();
    expect(event).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      'detail-type': 'Screen Recording Status Changed',
      source: 'sightline',
      account: '123456789012',
      time: expect.any(String) as string,
      region: 'eu-central-1',
      resources: [contactArn, instanceArn],
      detail: {
        version: '1.0',
        recordingStatus: 'FAILED',
        eventDeduplicationId: 'page:c-1:CLIENT_APP_NOT_RUNNING',
        ...{ instanceArn, contactArn, agentArn },
        clientInfo: {
          appVersion: 'unknown',
          os: 'Linux',
          browser: expect.stringContaining('Chrome') as string,
        },
        sightline: { channel: 'VOICE', queue: 'Sales', initialContactId: 'c-0' },
        recordingInfo: { startTime: expect.any(String) as string },
        failureInfo: {
          code: 'CLIENT_APP_NOT_RUNNING',
          message: expect.stringContaining('Sightline was not running') as string,
          source: 'CLIENT',
        },
      },
    });
    const { detail } = statusEventSchema.parse(event);
    const startTime = 'recordingInfo' in detail ? Date.parse(detail.recordingInfo.startTime) : 0;
    expect(startTime).toBeGreaterThanOrEqual(before);
    expect(startTime).toBeLessThanOrEqual(Date.now());
    // Neither its end nor a reload is another event. (A reload before the page has seen the answer may post it again.)
    await expect.poll(() => unposted(page), POLL).toEqual([]);
    await page.evaluate("contacts.stop('c-1')");
    await page.reload();
    await connection(page).toBe('not-running');
    await page.evaluate("record('c-1')");
    await page.evaluate("contacts.stop('c-1')");
    await lastPost(page);
    expect(idsOf()).toEqual(['page:c-1:CLIENT_APP_NOT_RUNNING', 'page:the-last:CLIENT_APP_NOT_RUNNING']);
  });

  it('is posted when it ends, also before the time is over', async () => {
    const page = await open({ after: 600 });
    await connection(page).toBe('not-running');
    await page.evaluate("record('short')");
    await expect.poll(() => unposted(page), POLL).toEqual(['short:CLIENT_APP_NOT_RUNNING']);
    expect(endpoint.posts).toEqual([]);
    await page.evaluate("contacts.stop('short')");
    await posted('page:short:CLIENT_APP_NOT_RUNNING');
  });

  it('carries no token, no header of the endpoint, no attribute, and no long text', async () => {
    const page = await open();
    await page.evaluate("record('c-1', { queue: 'Q'.repeat(100_000) })");
    await posted('page:c-1:CLIENT_APP_NOT_RUNNING');
    const [post] = endpoint.posts;
    expect(post!.headers.authorization).toBe(HEADER);
    expect(post!.headers['content-type']).toBe('application/json');
    expect(post!.body.length).toBeLessThan(8192);
    const kept = JSON.stringify(await records(page));
    for (const secret of [TOKEN, HEADER, ATTRIBUTE]) {
      expect(post!.body).not.toContain(secret);
      expect(kept).not.toContain(secret);
    }
  });
});

describe('what the recorder knows', () => {
  let recorder: Recorder;
  beforeEach(async () => {
    recorder = await startRecorder({ display: display.display });
  });
  afterEach(async () => {
    await recorder.stop();
  });

  it('is not posted: recorded, failed to start, or lost by a crash in mid-contact', async () => {
    const page = await open({ port: recorder.port, after: 0 });
    await connection(page).toBe('connected');
    await page.evaluate("record('c-1')");
    await expect.poll(() => page.evaluate('contacts.contacts[0]?.state'), POLL).toBe('recording');
    recorder.kill('SIGKILL');
    await connection(page).toBe('not-running');
    // A contact of which it has never heard is.
    await page.evaluate("record('c-2')");
    await posted('page:c-2:CLIENT_APP_NOT_RUNNING');
    // Its version is known by now.
    expect(endpoint.events()[0]).toMatchObject({ detail: { clientInfo: { appVersion: '0.1.0' } } });
    await page.reload();
    await page.evaluate("record('c-1')");
    await page.evaluate("contacts.stop('c-1')");
    await lastPost(page);
    expect(idsOf().some((id) => id.includes('c-1'))).toBe(false);

    const blind = await startRecorder({ display: null });
    const other = await open({ port: blind.port, after: 0 });
    await other.evaluate("record('c-3')");
    await expect.poll(() => other.evaluate('contacts.contacts[0]?.error?.code'), POLL).toBe('NO_DISPLAY');
    await other.evaluate("contacts.stop('c-3')");
    await blind.stop();
    await lastPost(page);
    expect(idsOf().some((id) => id.includes('c-3'))).toBe(false);
  });

  it('is not posted when it comes in time', async () => {
    const port = await freePort();
    const page = await open({ port, after: 600 });
    await page.evaluate("record('c-1')");
    await expect.poll(() => unposted(page), POLL).toEqual(['c-1:CLIENT_APP_NOT_RUNNING']);
    const late = await startRecorder({ display: display.display, flags: ['--port', String(port)] });
    await expect.poll(() => page.evaluate('contacts.contacts[0]?.state'), POLL).toBe('recording');
    await expect.poll(() => records(page), POLL).toMatchObject([{ key: 'c-1', event: null }]);
    await page.evaluate("contacts.stop('c-1')");
    await late.stop();
    await connection(page).toBe('not-running');
    await lastPost(page);
    expect(idsOf()).toEqual(['page:the-last:CLIENT_APP_NOT_RUNNING']);
  });

  it('is announced by one of both where another agent is connected', async () => {
    const first = await recorder.connect();
    const page = await open({ port: recorder.port, agent: 'bob', after: 1 });
    await page.evaluate("record('early')");
    await connection(page).toBe('refused');
    await page.evaluate("record('late')");
    const announced = async (): Promise<string[]> => {
      const byRecorder = (await recorder.events()).map(({ detail }) => detail);
      const byPage = endpoint.events().map((event) => statusEventSchema.parse(event).detail);
      return [...byRecorder, ...byPage]
        .filter(({ agentArn }) => agentArn.endsWith('/bob'))
        .map(
          (detail) =>
            `${detail.contactArn.split('/').at(-1)} ${'failureInfo' in detail ? detail.failureInfo.code : ''}`,
        );
    };
    const code = 'MULTIPLE_CCP_INTERACTION';
    await expect
      .poll(async () => (await announced()).sort(), POLL)
      .toEqual([`early ${code}`, `late ${code}`]);
    await page.evaluate("contacts.stop('early'); contacts.stop('late')");
    // One that ends while its start is on the way may be announced by both.
    await page.evaluate("record('again')");
    await page.evaluate("contacts.stop('again')");
    await expect
      .poll(async () => [...new Set(await announced())].sort(), POLL)
      .toEqual([`again ${code}`, `early ${code}`, `late ${code}`]);
    await first.close();
  });
});

describe('events that cannot be posted', () => {
  it('wait while the endpoint fails, and are posted in order when it works', async () => {
    endpoint.answer = 503;
    const page = await open({ after: 0 });
    await page.evaluate("record('c-1')");
    await expect.poll(() => endpoint.posts.length, POLL).toBeGreaterThan(0);
    endpoint.answer = 0;
    await page.evaluate("record('c-2')");
    await expect.poll(() => endpoint.posts.some(({ answer }) => answer === 0), POLL).toBe(true);
    endpoint.answer = 204;
    await posted('page:c-1:CLIENT_APP_NOT_RUNNING', 'page:c-2:CLIENT_APP_NOT_RUNNING');
    await expect.poll(() => unposted(page), POLL).toEqual([]);
  });

  it('do not keep others back when one is refused', async () => {
    endpoint.answer = 400;
    const page = await open({ after: 0 });
    await page.evaluate("record('c-1'); record('c-2')");
    await expect.poll(() => new Set(endpoint.posts.map(({ body }) => body)).size, POLL).toBe(2);
  });

  it('wait while the browser is offline', async () => {
    const page = await open({ after: 0 });
    await connection(page).toBe('not-running');
    await browser.context.setOffline(true);
    await page.evaluate("record('c-1')");
    await expect.poll(() => unposted(page), POLL).toEqual(['c-1:CLIENT_APP_NOT_RUNNING']);
    expect(endpoint.posts).toEqual([]);
    await browser.context.setOffline(false);
    await posted('page:c-1:CLIENT_APP_NOT_RUNNING');
  });

  it('survive the page, whether they are due or not', async () => {
    endpoint.answer = 503;
    const page = await open({ after: 2 });
    await page.evaluate("record('c-1')");
    await expect.poll(() => unposted(page), POLL).toEqual(['c-1:CLIENT_APP_NOT_RUNNING']);
    // Not due yet, so that it is not sent now; and no later page has the contact.
    await page.goto('about:blank');
    expect(endpoint.posts).toEqual([]);
    endpoint.answer = 204;
    await open();
    await posted('page:c-1:CLIENT_APP_NOT_RUNNING');
  });

  it('are sent when the page closes', async () => {
    endpoint.answer = 503;
    const page = await open({ after: 0 });
    await page.evaluate("record('c-1')");
    await expect.poll(() => endpoint.posts.length, POLL).toBe(3);
    // The next attempt would be in two seconds at the soonest.
    endpoint.answer = 204;
    await page.goto('about:blank');
    await expect.poll(idsOf, { timeout: 1500 }).toEqual(['page:c-1:CLIENT_APP_NOT_RUNNING']);
  });

  it('of several tabs are posted by one', async () => {
    const tabs = await Promise.all([open(), open(), open()]);
    for (const page of tabs) await page.evaluate("record('shared')");
    await posted('page:shared:CLIENT_APP_NOT_RUNNING');
    for (const page of tabs) await page.evaluate("contacts.stop('shared')");
    await lastPost(tabs[2]);
    expect(idsOf()).toEqual(['page:shared:CLIENT_APP_NOT_RUNNING', 'page:the-last:CLIENT_APP_NOT_RUNNING']);
  });

  it('are bounded in number and age', async () => {
    // Nothing answers there.
    const page = await open({ after: 0, to: `http://127.0.0.1:${await freePort()}/` });
    await connection(page).toBe('not-running');
    await page.evaluate("record('c-1')");
    await expect.poll(() => unposted(page), POLL).toEqual(['c-1:CLIENT_APP_NOT_RUNNING']);
    await page.evaluate(`for (let n = 2; n <= 230; n++) { record('c-' + n); }`);
    await expect.poll(() => unposted(page), POLL).toContain('c-230:CLIENT_APP_NOT_RUNNING');
    await page.evaluate("contacts.stop('c-1')");
    await page.evaluate("record('c-231')");
    await expect.poll(() => unposted(page), POLL).toContain('c-231:CLIENT_APP_NOT_RUNNING');
    expect(await unposted(page)).toHaveLength(200);
    // Its own end does not bring back what was dropped.
    expect(await unposted(page)).not.toContain('c-1:CLIENT_APP_NOT_RUNNING');
    await page.evaluate(`new Promise((resolve) => {
      const opening = indexedDB.open('sightline-failures', 1);
      opening.onsuccess = () => {
        const transaction = opening.result.transaction('records', 'readwrite');
        const store = transaction.objectStore('records');
        const reading = store.getAll();
        reading.onsuccess = () => {
          for (const one of reading.result.filter(({ event }) => event !== null).slice(1)) store.put({ ...one, addedAt: one.addedAt - 8 * 86_400_000 });
        };
        transaction.oncomplete = () => { opening.result.close(); resolve(); };
      };
    })`);
    await page.goto('about:blank');
    await lastPost(await open());
    expect(idsOf()).toHaveLength(2);
  });

  it('are kept in memory where there is no IndexedDB', async () => {
    const page = await browser.context.newPage();
    await page.addInitScript(
      `Object.defineProperty(globalThis, 'indexedDB', { get() { throw new Error('no'); } })`,
    );
    const query = new URLSearchParams({ port: String(nothing), after: '0', to: endpoint.url });
    await page.goto(`${server.origin}/failures.html?${query.toString()}`);
    await page.evaluate("record('c-1')");
    await posted('page:c-1:CLIENT_APP_NOT_RUNNING');
  });
});

describe('an endpoint', () => {
  it.each([
    ['http://it.example.com/failures', 'https'],
    ['ftp://127.0.0.1/failures', 'https'],
    ['https://user:password@it.example.com/', 'password'],
  ])('%s is not accepted', async (url, why) => {
    const page = await open();
    const error = await page.evaluate<string>(`{
      let said = '';
      try {
        Sightline.reportFailures({ client, contacts, identity, to: { url: ${JSON.stringify(url)} } });
      } catch (error) {
        said = error.name + ' ' + error.message;
      }
      said
    }`);
    expect(error).toContain('TypeError');
    expect(error).toContain(why);
    expect(error).not.toContain('user:password');
  });

  it('that redirects gets nothing posted elsewhere', async () => {
    const elsewhere: string[] = [];
    server.routes['/redirect'] = (_, response) =>
      void response.writeHead(307, { location: '/elsewhere' }).end();
    server.routes['/elsewhere'] = (request, response) => {
      elsewhere.push(request.method ?? '');
      response.writeHead(204).end();
    };
    let asked = 0;
    const page = await open({ to: '/redirect', after: 0 });
    page.on('request', (request) => {
      if (request.url().endsWith('/redirect')) asked += 1;
    });
    await page.evaluate("record('c-1')");
    await expect.poll(() => asked, POLL).toBeGreaterThan(1);
    expect(elsewhere).toEqual([]);
    expect(await unposted(page)).toEqual(['c-1:CLIENT_APP_NOT_RUNNING']);
  });
});
