// A flow's suspend, through the relay, to a real page in Chromium and the real recorder: the caller learns what is true.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { useBench, call } from '../ccp/bench.ts';
import type { ClientTab } from '../rig/ccpPackage.ts';
import { agent } from '../rig/recorder.ts';
import { startTestCloud, type TestCloud } from '../rig/cloud/localCloud.ts';

const bench = useBench();
let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud({ RELAY_DEADLINE_MS: '8000' });
});
afterAll(() => cloud.close());
afterEach(() => bench.running.kill('SIGCONT'));

const contact = { ContactId: 'call-1', InitialContactId: 'call-1' };

/** Each contact has its own: what a flow wanted of it is remembered. */
let count = 0;
async function recordingTab(): Promise<{ tab: ClientTab; contact: typeof contact }> {
  await bench.recorder();
  const tab = await bench.open();
  const contactId = `call-${++count}`;
  await tab.do('record', { ...call, contactId });
  await tab.untilContact(contactId, 'recording');
  await openRelay(tab);
  await untilSubscribed(tab, [contactId]);
  return { tab, contact: { ContactId: contactId, InitialContactId: contactId } };
}

async function openRelay(tab: ClientTab): Promise<void> {
  const options = JSON.stringify({ url: cloud.relayUrl, token: await cloud.pageToken() });
  await tab.page.evaluate(`{
    const { url, token } = ${options};
    window.relay = Sightline.relay({ contacts, identity }, { url, token: () => token });
  }`);
}

async function untilSubscribed(tab: ClientTab, contacts: string[]): Promise<void> {
  await expect.poll(() => tab.page.evaluate('relay.state')).toBe('subscribed');
  const last = (): unknown => cloud.lines.findLast(({ event }) => event === 'desk-subscribed')?.['contacts'];
  await expect.poll(last).toBe(contacts.length);
}

/** What the recorder itself says now. */
async function stateOf(contactId: string): Promise<string | undefined> {
  const page = await bench.running.connect();
  const { recordings } = await page.ask<{ recordings: { contactId: string; state: string }[] }>('status');
  await page.close();
  return recordings.find((one) => one.contactId === contactId)?.state;
}

describe('suspend and resume', () => {
  it('reach the recorder before the caller is answered', async () => {
    const { tab, contact: asked } = await recordingTab();
    const suspended = await cloud.call('suspend', asked);
    expect(suspended).toMatchObject({ status: 200, body: { status: 'SUSPENDED' } });
    expect(await stateOf(asked.ContactId)).toBe('suspended');
    expect(await tab.contact(asked.ContactId)).toMatchObject({ causes: ['flow-relay'] });
    // Again is the same.
    expect(await cloud.call('suspend', asked)).toMatchObject({ body: { status: 'SUSPENDED' } });
    const resumed = await cloud.call('resume', asked);
    expect(resumed).toMatchObject({ status: 200, body: { status: 'RESUMED' } });
    expect(await stateOf(asked.ContactId)).toBe('recording');
    console.log(
      `suspended after ${String(suspended.body['waitedMillis'])} ms, resumed after ${String(resumed.body['waitedMillis'])} ms`,
    );
    await tab.do('stop', asked.ContactId);
    const { manifest } = await bench.published();
    expect(manifest.suspensions).toMatchObject([{ reason: 'suspended by the flow', resumedBy: 'page' }]);
  });

  it('are answered only when the recorder has confirmed, not when the page has the request', async () => {
    const { tab, contact: asked } = await recordingTab();
    bench.running.kill('SIGSTOP');
    let answer: unknown;
    const answered = cloud.call('suspend', asked).then((result) => (answer = result));
    await tab.untilContact(asked.ContactId, 'suspending');
    // A wrong acknowledgement would have come before this answer.
    const nobody = { ContactId: 'nobody', InitialContactId: 'nobody' };
    expect(await cloud.call('suspend', nobody)).toMatchObject({ status: 404 });
    expect(answer).toBeUndefined();
    bench.running.kill('SIGCONT');
    expect(await answered).toMatchObject({ body: { status: 'SUSPENDED' } });
    expect(await stateOf(asked.ContactId)).toBe('suspended');
  });

  it('tell the caller in time when the recorder does not answer, and are in force as soon as it does', async () => {
    const { tab, contact: asked } = await recordingTab();
    bench.running.kill('SIGSTOP');
    const began = performance.now();
    const answer = await cloud.call('suspend', { ...asked, DeadlineMillis: 700 });
    expect(performance.now() - began).toBeLessThan(3000);
    expect(answer).toMatchObject({ status: 504, body: { status: 'NOT_ACKNOWLEDGED' } });
    bench.running.kill('SIGCONT');
    await tab.untilContact(asked.ContactId, 'suspended');
  });

  it('leave a form’s suspension in force', async () => {
    const { tab, contact: asked } = await recordingTab();
    await tab.do('suspend', asked.ContactId, 'form:#card');
    expect(await cloud.call('suspend', asked)).toMatchObject({ body: { status: 'SUSPENDED' } });
    expect(await cloud.call('resume', asked)).toMatchObject({ body: { status: 'RESUMED' } });
    expect(await stateOf(asked.ContactId)).toBe('suspended');
    expect(await tab.contact(asked.ContactId)).toMatchObject({ causes: ['form:#card'] });
  });

  it('work from a flow’s block, with a flat answer', async () => {
    const { contact: asked } = await recordingTab();
    const event = (action: string): object => ({
      Details: {
        ContactData: { ...asked, InstanceARN: agent.instanceArn, Channel: 'VOICE' },
        Parameters: { action },
      },
      Name: 'ContactFlowEvent',
    });
    const { status } = await cloud.requests.flow(event('suspend'));
    expect(status).toBe('SUSPENDED');
    expect(await stateOf(asked.ContactId)).toBe('suspended');
    expect(await cloud.requests.flow(event('resume'))).toMatchObject({ status: 'RESUMED' });
  });
});

describe('without a desk', () => {
  it('the caller learns it at once: never subscribed, closed, or another contact', async () => {
    const { tab, contact: asked } = await recordingTab();
    const nobody = { ContactId: 'nobody', InitialContactId: 'nobody' };
    expect(await cloud.call('suspend', nobody)).toMatchObject({ status: 404, body: { status: 'NO_DESK' } });
    const another = { ...asked, InitialContactId: 'x', AgentArn: `${agent.instanceArn}/agent/bob` };
    expect(await cloud.call('suspend', another)).toMatchObject({ status: 404, body: { status: 'NO_DESK' } });
    await tab.page.close();
    await expect
      .poll(async () => (await cloud.call('suspend', { ...asked, DeadlineMillis: 300 })).body['status'])
      .toBe('NO_DESK');
  });

  it('a page that comes later suspends: the flow had asked before it', async () => {
    await bench.recorder();
    const asked = { ContactId: 'later-1', InitialContactId: 'later-1' };
    expect(await cloud.call('suspend', asked)).toMatchObject({ status: 404 });
    const tab = await bench.open();
    await openRelay(tab);
    await tab.do('record', { ...call, contactId: 'later-1' });
    await tab.untilContact('later-1', 'suspended');
    expect(await cloud.call('resume', asked)).toMatchObject({ body: { status: 'RESUMED' } });
    await tab.untilContact('later-1', 'recording');
  });

  it('a page that is reloaded stays suspended, and resumes when the flow asks', async () => {
    const { tab, contact: asked } = await recordingTab();
    await cloud.call('suspend', asked);
    await tab.page.reload();
    await tab.do('record', { ...call, contactId: asked.ContactId });
    await tab.untilContact(asked.ContactId, 'suspended');
    await openRelay(tab);
    await untilSubscribed(tab, [asked.ContactId]);
    expect(await cloud.call('resume', asked)).toMatchObject({ body: { status: 'RESUMED' } });
    expect(await stateOf(asked.ContactId)).toBe('recording');
  });
});

describe('refused', () => {
  it('callers without a token, with an agent’s token, with other fields', async () => {
    await bench.recorder();
    expect(await cloud.call('suspend', contact, 'x')).toMatchObject({ status: 401 });
    expect(await cloud.call('resume', contact, await cloud.pageToken())).toMatchObject({ status: 401 });
    expect(await cloud.call('suspend', { ...contact, ContactRecordingType: 'AGENT' })).toMatchObject({
      status: 400,
    });
    expect(await cloud.call('suspend', { ...contact, ContactId: '../x' })).toMatchObject({ status: 400 });
    expect(await cloud.call('suspend', { ...contact, InstanceId: 'other' })).toMatchObject({
      status: 403,
      body: { code: 'INSTANCE_NOT_SERVED' },
    });
  });

  it('pages with another agent’s or an expired token, and messages that are none', async () => {
    await bench.recorder();
    const subscribe = (token: string): object => ({
      ...{ type: 'subscribe', token, agentArn: agent.agentArn, instanceArn: agent.instanceArn },
      contacts: [{ contactId: 'call-9' }],
    });
    const socket = new WebSocket(cloud.relayUrl);
    await new Promise((resolve) => socket.once('open', resolve));
    const ask = (message: unknown): Promise<unknown> =>
      new Promise((resolve) => {
        socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString())));
        socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      });
    expect(await ask(subscribe(await cloud.pageToken('bob')))).toMatchObject({
      type: 'refused',
      code: 'OTHER_AGENT',
    });
    expect(await ask(subscribe(await cloud.pageToken('alice', -600)))).toMatchObject({
      code: 'TOKEN_EXPIRED',
    });
    expect(await ask('{')).toMatchObject({ type: 'refused', code: 'INVALID_REQUEST' });
    expect(await cloud.call('suspend', { ContactId: 'call-9', InitialContactId: 'call-9' })).toMatchObject({
      status: 404,
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(20_000));
    expect(await closed).toBe(1009);
  });

  it('an acknowledgement of someone who was not asked', async () => {
    const { tab, contact: asked } = await recordingTab();
    bench.running.kill('SIGSTOP');
    const bob = new WebSocket(cloud.relayUrl);
    await new Promise((resolve) => bob.once('open', resolve));
    const requested = new Promise<string>((resolve) =>
      bob.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { type: string; requestId: string };
        if (message.type === 'subscribed') resolve('');
      }),
    );
    const bobArn = `${agent.instanceArn}/agent/bob`;
    bob.send(
      JSON.stringify({
        ...{ type: 'subscribe', token: await cloud.pageToken('bob'), agentArn: bobArn },
        ...{ instanceArn: agent.instanceArn, contacts: [{ contactId: asked.ContactId }] },
      }),
    );
    await requested;
    bob.on('message', (data: Buffer) => {
      const { requestId } = JSON.parse(data.toString()) as { requestId: string };
      bob.send(JSON.stringify({ type: 'acknowledge', requestId, outcome: 'suspended' }));
    });
    // Bob says yes at once; Alice's recorder has not confirmed.
    const answer = await cloud.call('suspend', { ...asked, DeadlineMillis: 700 });
    expect(answer).toMatchObject({ status: 504, body: { status: 'NOT_ACKNOWLEDGED' } });
    bench.running.kill('SIGCONT');
    await tab.untilContact(asked.ContactId, 'suspended');
    bob.close();
  });
});
