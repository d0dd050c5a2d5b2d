// The bridge for Agent Workspace apps: Amazon's real clients in a frame of another origin, against a stand-in for the workspace,
// and the real recorder. What is recorded is asked of the recorder, never of the page.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { ccpRoutes } from '../rig/ccpPackage.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import {
  startWorkspaceServers,
  type Workspace,
  type WorkspaceOptions,
  type WorkspaceServers,
} from '../rig/workspaceHost/workspace.ts';

const POLL = { timeout: 30_000, interval: 50 };
const APP = `<!doctype html><html lang="en"><meta charset="utf-8"><title>App</title><sightline-status></sightline-status>
<script src="/amazon.js"></script><script src="/sightline-ccp.js"></script><script>
  const asked = new URLSearchParams(location.search);
  const { provider } = AmazonConnect.AmazonConnectApp.init({ onCreate: async () => {} });
  window.asked = [];
  const choices = {
    all: () => true,
    sales: ({ queue }) => queue === 'Sales',
    later: async ({ attributes }) => attributes?.consent === 'yes',
    fails: () => { throw new Error('broken'); },
    none: () => ({ percent: 0 }),
    queue: Sightline.queue('Sales', 'Support'),
  };
  window.sightline = Sightline.workspace({
    contactClient: new AmazonConnect.ContactClient({ provider }),
    agentClient: new AmazonConnect.AgentClient({ provider }),
    port: Number(asked.get('port')),
    alias: 'acme',
    attributes: ['consent', 'reason'],
    record: choices[asked.get('record') ?? 'all'],
    throughACW: asked.has('through'),
  });
</script></html>`;

let display: Display;
let servers: WorkspaceServers;
let browser: Browser;
let recorder: Recorder;
let watcher: Page;
let workspace: Workspace;

beforeAll(async () => {
  display = await startDisplay();
  servers = await startWorkspaceServers({ ...ccpRoutes, '/': APP });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.stop();
  await servers.stop();
  await display.stop();
});
beforeEach(async () => {
  recorder = await startRecorder({ display: display.display });
  watcher = await recorder.connect();
});
afterEach(async () => {
  await workspace.close();
  await watcher.close();
  await recorder.stop();
});

async function open(query: Record<string, string> = {}, options: WorkspaceOptions = {}): Promise<void> {
  const asked = new URLSearchParams({ port: String(recorder.port), ...query });
  workspace = await servers.open(browser, { appQuery: `?${asked.toString()}`, ...options });
  await workspace.ready();
}

/** contactId and state of every open recording. */
async function recordings(): Promise<string[]> {
  const { recordings: open_ } = await watcher.ask<{ recordings: { contactId: string; state: string }[] }>(
    'status',
  );
  return open_.map(({ contactId, state }) => `${contactId} ${state}`).sort();
}
const recorded = (...expected: string[]) => expect.poll(recordings, POLL).toEqual(expected);
const run = <T>(code: string): Promise<T> => workspace.app().evaluate<T>(code);

async function manifests(count: number) {
  await expect.poll(async () => (await recorder.published()).length, POLL).toBe(count);
  return (await recorder.published()).map(({ manifest }) => manifest);
}

/** A contact that comes and ends afterwards shows that the earlier ones are not recorded. */
async function nothingElse(count: number): Promise<void> {
  await workspace.incoming({ contactId: 'the-last' });
  await workspace.connect('the-last');
  await recorded('the-last recording');
  await workspace.clear('the-last');
  await manifests(count + 1);
}

describe('a contact of an Agent Workspace app', () => {
  it('is recorded from its connected event to its after-contact work, on hold too', async () => {
    await open();
    const attributes = { reason: 'Refund', consent: 'yes', card: 'secret' };
    await workspace.incoming({ contactId: 'c-1', initialContactId: 'c-0', queue: 'Billing', attributes });
    expect(await recordings()).toEqual([]);
    await workspace.connect('c-1');
    await recorded('c-1 recording');
    await workspace.hold('c-1');
    // The element finds the bridge by itself.
    const label = workspace.app().locator('sightline-status #label');
    await expect.poll(() => label.textContent(), POLL).toBe('Recording');
    expect(await recordings()).toEqual(['c-1 recording']);
    await workspace.acw('c-1');
    await recorded();
    const [manifest] = await manifests(1);
    expect(manifest!.contact).toMatchObject({
      contactId: 'c-1',
      channel: 'VOICE',
      initialContactId: 'c-0',
      queue: 'Billing',
      attributes: { reason: 'Refund', consent: 'yes' },
    });
    expect(JSON.stringify(manifest)).not.toContain('secret');
    await workspace.clear('c-1');
    await nothingElse(1);
  });

  it('is recorded through after-contact work where the page wants that', async () => {
    await open({ through: '' });
    await workspace.incoming({ contactId: 'c-1' });
    await workspace.connect('c-1');
    await recorded('c-1 recording');
    await workspace.acw('c-1');
    await workspace.incoming({ contactId: 'c-2', type: 'chat', subtype: 'connect:Chat' });
    await workspace.connect('c-2');
    await recorded('c-1 recording', 'c-2 recording');
    await workspace.clear('c-1');
    await recorded('c-2 recording');
    await workspace.clear('c-2');
    await manifests(2);
  });

  it('of each channel is recorded, several at once, and emails are not', async () => {
    await open();
    for (const type of ['voice', 'queue_callback', 'chat', 'task', 'email']) {
      await workspace.incoming({ contactId: type, type });
      await workspace.connect(type);
    }
    await recorded('chat recording', 'queue_callback recording', 'task recording', 'voice recording');
    for (const type of ['voice', 'queue_callback', 'chat', 'task']) await workspace.acw(type);
    const channels = (await manifests(4)).map(({ contact }) => `${contact.contactId} ${contact.channel}`);
    expect(channels.sort()).toEqual([...['chat CHAT', 'queue_callback VOICE', 'task TASK', 'voice VOICE']]);
  });

  it('that is missed leaves nothing', async () => {
    await open();
    await workspace.incoming({ contactId: 'missed' });
    await workspace.miss('missed');
    await workspace.clear('missed');
    await nothingElse(0);
  });
});

describe('which contacts are recorded', () => {
  it('is decided with their queue, also by the helper of the Streams bridge', async () => {
    for (const record of ['sales', 'queue']) {
      await open({ record });
      await workspace.incoming({ contactId: `${record}-1`, queue: 'Elsewhere' });
      await workspace.connect(`${record}-1`);
      await workspace.incoming({ contactId: `${record}-2`, queue: 'Sales' });
      await workspace.connect(`${record}-2`);
      await recorded(`${record}-2 recording`);
      await workspace.acw(`${record}-1`);
      await workspace.acw(`${record}-2`);
      await recorded();
      await workspace.close();
    }
    await manifests(2);
  });

  it('can be decided later, and a decision that comes too late records nothing', async () => {
    await open({ record: 'later' });
    await workspace.incoming({ contactId: 'no', attributes: { consent: 'no' } });
    await workspace.connect('no');
    await workspace.incoming({ contactId: 'ended', attributes: { consent: 'yes' } });
    // In one go, before any answer.
    await workspace.page.evaluate("workspace.connect('ended'); workspace.acw('ended')");
    await workspace.incoming({ contactId: 'yes', attributes: { consent: 'yes' } });
    await workspace.connect('yes');
    await recorded('yes recording');
    await workspace.acw('yes');
    await manifests(1);
  });

  it('is every contact where the decision fails, and none of a sample of 0 percent', async () => {
    await open({ record: 'fails' });
    await workspace.incoming({ contactId: 'c-1' });
    await workspace.connect('c-1');
    await recorded('c-1 recording');
    await workspace.acw('c-1');
    await workspace.close();
    await open({ record: 'none' });
    await workspace.incoming({ contactId: 'c-2' });
    await workspace.connect('c-2');
    await expect.poll(() => run('sightline.client.connection.kind'), POLL).toBe('connected');
    await workspace.acw('c-2');
    await manifests(1);
  });

  it('must be said: the app cannot see what the flow asks for', async () => {
    await open();
    const error = await run<string>(`{
      let said = '';
      try {
        Sightline.workspace({ contactClient: {}, agentClient: {} });
      } catch (error) {
        said = error.message;
      }
      said
    }`);
    expect(error).toContain('needs "record"');
  });
});

describe('a workspace', () => {
  it('that does not answer what is asked of it delays the recording, and does not prevent it', async () => {
    await open(
      {},
      { silent: ['contact/getQueue'], missing: ['contact/getAttributes', 'contact/listContacts'] },
    );
    await workspace.incoming({ contactId: 'c-1', queue: 'Sales', attributes: { reason: 'Refund' } });
    await workspace.connect('c-1');
    await recorded('c-1 recording');
    await workspace.acw('c-1');
    const [manifest] = await manifests(1);
    expect(manifest!.contact.queue).toBeUndefined();
  });
});

describe('an app that is loaded again', () => {
  it('continues the recording of a connected contact, and stops it when it ends', async () => {
    await open();
    await workspace.incoming({ contactId: 'c-1' });
    await workspace.connect('c-1');
    await recorded('c-1 recording');
    await workspace.reloadApp();
    await workspace.ready();
    await expect.poll(() => run('sightline.contacts.contacts[0]?.state'), POLL).toBe('recording');
    await workspace.hold('c-1');
    await workspace.acw('c-1');
    await recorded();
    expect(await manifests(1)).toHaveLength(1);
  });

  it('stops what ended while it was loading, and what is in after-contact work', async () => {
    await open({ through: '' });
    for (const contactId of ['cleared', 'after-work', 'running']) {
      await workspace.incoming({ contactId });
      await workspace.connect(contactId);
    }
    await recorded('after-work recording', 'cleared recording', 'running recording');
    await workspace.acw('after-work');
    // Between the two loads nobody hears it.
    await workspace.app().goto('about:blank');
    await workspace.forget('cleared');
    await workspace.page.evaluate(
      `document.querySelector('iframe').src = ${JSON.stringify(`${servers.app.origin}/?port=${recorder.port}`)}`,
    );
    await workspace.ready();
    // This time without after-contact work.
    await recorded('running recording');
    await workspace.acw('running');
    await manifests(3);
  });

  it('does not record a contact that only rings', async () => {
    await open();
    await workspace.incoming({ contactId: 'ringing' });
    await workspace.reloadApp();
    await workspace.ready();
    await workspace.incoming({ contactId: 'c-1' });
    await workspace.connect('c-1');
    await recorded('c-1 recording');
    await workspace.connect('ringing');
    await recorded('c-1 recording', 'ringing recording');
    await workspace.acw('c-1');
    await workspace.acw('ringing');
    await manifests(2);
  });
});

describe('the bridge', () => {
  it('suspends and resumes all contacts, also those that come', async () => {
    await open();
    await workspace.incoming({ contactId: 'c-1' });
    await workspace.connect('c-1');
    await recorded('c-1 recording');
    await run('sightline.suspend()');
    await recorded('c-1 suspended');
    await workspace.incoming({ contactId: 'c-2', type: 'chat' });
    await workspace.connect('c-2');
    await recorded('c-1 suspended', 'c-2 suspended');
    await run('sightline.resume()');
    await recorded('c-1 recording', 'c-2 recording');
    await workspace.acw('c-1');
    await workspace.acw('c-2');
    for (const { gaps } of await manifests(2)) expect(gaps).toMatchObject([{ reason: 'suspended' }]);
  });

  it('leaves the workspace when it is closed', async () => {
    await open();
    await run('sightline.close()');
    await expect.poll(() => workspace.page.evaluate('workspace.subscribed()'), POLL).toEqual([]);
    expect(await run('sightline.client.connection.kind')).toBe('closed');
  });
});
