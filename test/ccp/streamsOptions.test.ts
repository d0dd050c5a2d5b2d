// The options of the Streams bridge, and what else its pages meet; with the real Streams library, real Chromium and the real
// recorder.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startConnectStandIn } from '../rig/ccpFrame/service.ts';
import {
  inPage,
  startStreamsDesk,
  type StreamsDesk,
  type StreamsWindow,
} from '../rig/ccpFrame/streamsDesk.ts';

let desk: StreamsDesk;

beforeAll(async () => {
  desk = await startStreamsDesk();
});
afterAll(() => desk.stop());
afterEach(() => desk.clean());

describe('options', () => {
  it('throughACW records until the contact is cleared', async () => {
    const tab = await desk.open({ options: '{ throughACW: true }' });
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    desk.connect.endCall(contactId);
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    desk.connect.clear(contactId);
    await desk.becomes(contactId, 'none');
  });

  it('record decides instead of the flow, and when it fails, in doubt yes', async () => {
    const options = `{ record: (contact) => {
      if (contact.getQueue()?.name === 'Broken') throw new Error('no idea');
      return Sightline.queue('Claims')(contact);
    } }`;
    const tab = await desk.open({ options });
    const [billing, claims, broken] = ['Billing', 'Claims', 'Broken'].map((queue) =>
      desk.connect.ring({ queue, record: false }),
    );
    for (const contactId of [billing!, claims!, broken!]) desk.connect.accept(contactId);
    await desk.becomes(claims!, 'recording');
    await desk.becomes(broken!, 'recording');
    await tab.settled();
    expect(await desk.stateOf(billing!)).toBe('none');
    expect(tab.console.filter((line) => line.includes('no idea'))).toHaveLength(1);
  });

  it('a sample decides the same in every tab', async () => {
    const one = await desk.open({ options: '{ record: Sightline.sample(50) }' });
    const two = await desk.another(one);
    const ids = Array.from({ length: 8 }, (_, index) => `sampled-${index + 10}`);
    const chosen = await two.page.evaluate((all) => {
      const { Sightline } = globalThis as unknown as {
        Sightline: { isInSample(id: string, percent: number): boolean };
      };
      return all.filter((id) => Sightline.isInSample(id, 50));
    }, ids);
    expect(chosen.length).toBeGreaterThan(0);
    expect(chosen.length).toBeLessThan(ids.length);
    for (const contactId of ids) desk.connect.accept(desk.connect.chat({ contactId }));
    await one.settled();
    await two.settled();
    for (const contactId of ids)
      await desk.becomes(contactId, chosen.includes(contactId) ? 'recording' : 'none');
  });

  it('attributes passes on those that are named, with queue, channel, first contact and alias', async () => {
    const tab = await desk.open({ options: "{ alias: 'acme', attributes: ['customerTier', 'missing'] }" });
    const contactId = desk.connect.ring({
      queue: 'Claims',
      initialContactId: 'first-contact',
      attributes: { customerTier: 'gold', cardNumber: '4111' },
    });
    desk.connect.accept(contactId);
    await tab.settled();
    await desk.becomes(contactId, 'recording');
    desk.connect.endCall(contactId);
    const { contact, agent, instance } = await desk.manifestOf(contactId);
    expect(contact).toEqual({
      contactId,
      initialContactId: 'first-contact',
      channel: 'VOICE',
      queue: 'Claims',
      attributes: { customerTier: 'gold' },
    });
    expect(agent).toEqual({ arn: desk.connect.agentArn, username: 'anna' });
    expect(instance.arn).toBe(desk.connect.agentArn.replace(/\/agent\/.*/, ''));
  });

  it('flowState replaces the values of a list; an unknown one is logged once', async () => {
    const tab = await desk.open({ options: "{ flowState: { suspended: ['HALTED'] } }" });
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    desk.connect.setScreenRecordingState(contactId, 'HALTED');
    await desk.becomes(contactId, 'suspended');
    desk.connect.setScreenRecordingState(contactId, 'ACTIVE');
    await desk.becomes(contactId, 'recording');
    expect(tab.console.filter((line) => line.includes('screenRecordingState'))).toEqual([]);
    desk.connect.setScreenRecordingState(contactId, 'SUSPENDED');
    await desk.becomes(contactId, 'suspended');
    desk.connect.hold(contactId);
    desk.connect.unhold(contactId);
    await tab.settled();
    expect(tab.console.filter((line) => line.includes('screenRecordingState "SUSPENDED"'))).toHaveLength(1);
  });
});

describe('what else pages meet', () => {
  it('contact.accept() of the page is an acceptance', async () => {
    const tab = await desk.open();
    const contactId = desk.connect.callback();
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('none');
    await inPage(tab, ({ connect }) => new connect.Agent().getContacts()[0]?.accept());
    await desk.becomes(contactId, 'recording');
  });

  it('a library before 2.28.1, which skips ENDED: onDestroy ends the recording', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    // What 2.28.1 added is this set: without it the library fires DESTROYED alone.
    await tab.page.evaluate(() => {
      const page = globalThis as unknown as StreamsWindow & { ended: boolean };
      page.connect.core.endedEventTracker.clear();
    });
    desk.connect.clear(contactId);
    await desk.becomes(contactId, 'none');
    await expect.poll(() => desk.statuses(contactId), { interval: 50 }).toContain('COMPLETED');
  });

  it('the agent signs in after the page was opened, and out and in again', async () => {
    const before = desk.connect;
    desk.connect = await startConnectStandIn({ isSignedIn: false });
    try {
      const tab = await desk.open({ late: true });
      await inPage(tab, (page) => page.attach());
      expect(await inPage(tab, ({ sightline }) => sightline.client.connection.kind)).toBe('connecting');
      desk.connect.signInAs('anna');
      const first = await desk.call(tab);
      await desk.becomes(first, 'recording');
      desk.connect.endCall(first);
      desk.connect.signOut();
      // The library loads the frame anew until the agent has signed in.
      desk.connect.signInAs('anna');
      const second = await desk.call(tab);
      await desk.becomes(second, 'recording');
      expect(await desk.stateOf(first)).toBe('none');
    } finally {
      await desk.clean();
      await desk.connect.stop();
      desk.connect = before;
    }
  });

  it('another agent signs in: nothing is recorded under the name of the first', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    desk.connect.signInAs('berta', '00000000-0000-0000-0000-000000000001');
    await expect.poll(() => desk.statuses(contactId)).toContain('COMPLETED');
    const theirs = desk.connect.ring();
    desk.connect.accept(theirs);
    await tab.settled();
    expect(await desk.statuses(theirs)).toEqual([]);
    expect(tab.console.join('\n')).toContain('Another agent has signed in');
    desk.connect.signInAs('anna');
  });

  it('close ends all that the page does; the recording goes on without it', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    await inPage(tab, ({ sightline }) => sightline.close());
    desk.connect.hold(contactId);
    expect(await desk.stateOf(contactId)).toBe('recording');
    expect(await inPage(tab, ({ sightline }) => sightline.client.connection.kind)).toBe('closed');
  });
});
