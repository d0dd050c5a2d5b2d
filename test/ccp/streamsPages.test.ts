// Pages that attach late, reload, close or share a contact with another tab, a recorder that is away, and the bridge's options; with
// the real Streams library, the real Chromium and the real recorder.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../rig/freePort.ts';
import {
  startStreamsDesk,
  type StreamsDesk,
  type StreamsTab,
  type StreamsWindow,
} from '../rig/ccpFrame/streamsDesk.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import type { StatusEvent } from '../../main/shared/statusEvent.ts';

let desk: StreamsDesk;

beforeAll(async () => {
  desk = await startStreamsDesk();
});
afterAll(() => desk.stop());
afterEach(async () => {
  for (const contactId of [...desk.connect.contacts.keys()]) desk.connect.clear(contactId);
  for (const page of desk.browser.context.pages().slice(1)) await page.close();
});

const becomes = (contactId: string, state: string) =>
  expect.poll(() => desk.stateOf(contactId), { interval: 20 }).toBe(state);

async function statuses(contactId: string, recorder: Recorder = desk.recorder): Promise<string[]> {
  const events = await recorder.events();
  return events.filter((event) => isOf(event, contactId)).map((event) => event.detail.recordingStatus);
}

const isOf = (event: StatusEvent, contactId: string): boolean =>
  event.detail.contactArn.endsWith(`/${contactId}`);

async function manifestOf(contactId: string, recorder: Recorder = desk.recorder) {
  await expect.poll(() => statuses(contactId, recorder), { interval: 50 }).toContain('PUBLISHED');
  return (await recorder.published()).find(({ manifest }) => manifest.contact.contactId === contactId)!
    .manifest;
}

async function call(tab?: StreamsTab): Promise<string> {
  const contactId = desk.connect.ring();
  desk.connect.accept(contactId);
  await tab?.settled();
  return contactId;
}

/** Runs in the page. */
function inPage<T>(tab: StreamsTab, act: (page: StreamsWindow) => T): Promise<T> {
  return tab.page.evaluate(`(${act.toString()})(window)`);
}

describe('a page that attaches late', () => {
  it('records a call that is already connected', async () => {
    const tab = await desk.open({ late: true });
    const contactId = await call();
    await tab.page.waitForFunction(
      () => (window as unknown as { connect: { agent: { initialized: boolean } } }).connect.agent.initialized,
    );
    await inPage(tab, (page) => page.attach());
    await becomes(contactId, 'recording');
    desk.connect.endCall(contactId);
    await becomes(contactId, 'none');
  });

  it('waits for the acceptance of a call that rings', async () => {
    const tab = await desk.open({ late: true });
    const contactId = desk.connect.ring();
    await tab.page.waitForFunction(
      () => (window as unknown as { connect: { agent: { initialized: boolean } } }).connect.agent.initialized,
    );
    await inPage(tab, (page) => page.attach());
    await tab.page.waitForFunction(
      () => (window as unknown as StreamsWindow).sightline.client.connection.kind === 'connected',
    );
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('none');
    desk.connect.accept(contactId);
    await becomes(contactId, 'recording');
  });

  it('says what is wrong when initCCP was not called', async () => {
    const tab = await desk.open({ late: true });
    const message = await tab.page.evaluate(() => {
      const { Sightline, connect } = window as unknown as {
        Sightline: { streams(library: unknown): void };
        connect: object;
      };
      const without = {
        ...connect,
        agent: () => {
          throw new TypeError('no bus');
        },
        contact: () => {
          throw new TypeError('no bus');
        },
      };
      try {
        Sightline.streams(without);
        return 'nothing';
      } catch (error) {
        return String(error);
      }
    });
    expect(message).toContain('initCCP');
  });
});

describe('contacts at once', () => {
  it('are recorded each until its own end', async () => {
    const tab = await desk.open();
    const [one, two, third] = [desk.connect.chat(), desk.connect.chat(), desk.connect.ring()];
    for (const contactId of [one, two, third]) desk.connect.accept(contactId);
    for (const contactId of [one, two, third]) await becomes(contactId, 'recording');
    desk.connect.endCall(two);
    await becomes(two, 'none');
    await tab.settled();
    expect(await desk.stateOf(one)).toBe('recording');
    desk.connect.clear(one);
    await becomes(one, 'none');
    expect(await desk.stateOf(third)).toBe('recording');
    expect((await manifestOf(two)).contact.channel).toBe('CHAT');
  });

  it('are suspended one by one, or all with those that come until resume', async () => {
    const tab = await desk.open();
    const one = await call(tab);
    await becomes(one, 'recording');
    await tab.page.evaluate(
      (contactId) => (window as unknown as StreamsWindow).sightline.suspend(contactId),
      one,
    );
    await becomes(one, 'suspended');
    await inPage(tab, ({ sightline }) => sightline.resume());
    await becomes(one, 'recording');
    await inPage(tab, ({ sightline }) => sightline.suspend());
    await becomes(one, 'suspended');
    const two = desk.connect.chat();
    desk.connect.accept(two);
    await becomes(two, 'suspended');
    desk.connect.clear(one);
    await becomes(one, 'none');
    await tab.settled();
    expect(await desk.stateOf(two)).toBe('suspended');
    await inPage(tab, ({ sightline }) => sightline.resume());
    await becomes(two, 'recording');
    desk.connect.clear(two);
    const { suspensions } = await manifestOf(one);
    expect(suspensions.map(({ reason }) => reason)).toEqual([
      'suspended by the agent',
      'suspended by the agent',
    ]);
  });

  it('stay suspended by the flow when the agent presses resume', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    desk.connect.setScreenRecordingState(contactId, 'SUSPENDED');
    await becomes(contactId, 'suspended');
    await inPage(tab, ({ sightline }) => {
      sightline.suspend();
      sightline.resume();
    });
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('suspended');
    desk.connect.setScreenRecordingState(contactId, 'RESUMED');
    await becomes(contactId, 'recording');
  });
});

describe('a page that goes away in mid-call', () => {
  it('reloads: the recording goes on', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    await tab.page.reload();
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    desk.connect.endCall(contactId);
    await becomes(contactId, 'none');
    const { gaps } = await manifestOf(contactId);
    expect(gaps).toEqual([]);
    expect((await statuses(contactId)).filter((status) => status === 'INITIATED')).toHaveLength(1);
  });

  it('reloads while the agent has suspended: it stays suspended until resume', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await inPage(tab, ({ sightline }) => sightline.suspend());
    await becomes(contactId, 'suspended');
    await tab.page.reload();
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('suspended');
    await inPage(tab, ({ sightline }) => sightline.resume());
    await becomes(contactId, 'recording');
  });

  it('is away while the call ends: the recording ends when it is back', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    const url = tab.page.url();
    await tab.page.goto('about:blank');
    desk.connect.clear(contactId);
    expect(await desk.stateOf(contactId)).toBe('recording');
    await tab.page.goto(url);
    await becomes(contactId, 'none');
    await expect.poll(() => statuses(contactId), { interval: 50 }).toContain('COMPLETED');
  });

  it('is closed, and another one ends what the call has left over', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    await tab.close();
    desk.connect.clear(contactId);
    await desk.open();
    await becomes(contactId, 'none');
    await expect.poll(() => statuses(contactId), { interval: 50 }).toContain('COMPLETED');
  });

  it('is closed, and another one takes over the call', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    await tab.close();
    const other = await desk.open();
    await other.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    desk.connect.endCall(contactId);
    await becomes(contactId, 'none');
    expect((await statuses(contactId)).filter((status) => status === 'INITIATED')).toHaveLength(1);
  });
});

describe('two tabs', () => {
  it('make one recording, which goes on when either is closed', async () => {
    const one = await desk.open();
    const two = await desk.another(one);
    await two.settled();
    const contactId = await call(one);
    await becomes(contactId, 'recording');
    await one.close();
    await two.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    desk.connect.endCall(contactId);
    await becomes(contactId, 'none');
    await two.settled();
    expect((await statuses(contactId)).filter((status) => status === 'INITIATED')).toHaveLength(1);
    expect(await statuses(contactId)).not.toContain('FAILED');
  });

  it('resume in one what the agent has suspended in the other', async () => {
    const one = await desk.open();
    const two = await desk.another(one);
    const contactId = await call(one);
    await becomes(contactId, 'recording');
    await two.settled();
    await inPage(one, ({ sightline }) => sightline.suspend());
    await becomes(contactId, 'suspended');
    await inPage(two, ({ sightline }) => sightline.resume());
    await becomes(contactId, 'recording');
  });
});

describe('a recorder', () => {
  it('that starts after the call was accepted records from then on, and goes on after a kill', async () => {
    const port = await freePort();
    const before = desk.recorder;
    const flags = ['--port', String(port)];
    desk.recorder = { ...before, port };
    const tab = await desk.open({ late: true });
    await inPage(tab, (page) => page.attach());
    const contactId = await call(tab);
    const recorder = await startRecorder({ display: desk.display.display, flags });
    try {
      desk.recorder = recorder;
      await becomes(contactId, 'recording');
      recorder.kill('SIGKILL');
      await recorder.exited;
      const again = await startRecorder({ display: desk.display.display, flags, home: recorder.home });
      desk.recorder = again;
      try {
        await becomes(contactId, 'recording');
        desk.connect.endCall(contactId);
        await becomes(contactId, 'none');
        const { gaps } = await manifestOf(contactId, again);
        expect(gaps.map(({ reason }) => reason)).toContain('app-restarted');
      } finally {
        await again.stop();
      }
    } finally {
      desk.recorder = before;
      await recorder.stop();
    }
  });
});

describe('options', () => {
  it('throughACW records until the contact is cleared', async () => {
    const tab = await desk.open({ options: '{ throughACW: true }' });
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    desk.connect.endCall(contactId);
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    desk.connect.clear(contactId);
    await becomes(contactId, 'none');
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
    await becomes(claims!, 'recording');
    await becomes(broken!, 'recording');
    await tab.settled();
    expect(await desk.stateOf(billing!)).toBe('none');
    expect(tab.console.filter((line) => line.includes('no idea'))).toHaveLength(1);
  });

  it('a sample decides the same in every tab', async () => {
    const one = await desk.open({ options: '{ record: Sightline.sample(50) }' });
    const two = await desk.another(one);
    const ids = Array.from({ length: 8 }, (_, index) => `sampled-${index + 10}`);
    const chosen = await two.page.evaluate((all) => {
      const { isInSample } = (
        window as unknown as { Sightline: { isInSample(id: string, percent: number): boolean } }
      ).Sightline;
      return all.filter((id) => isInSample(id, 50));
    }, ids);
    expect(chosen.length).toBeGreaterThan(0);
    expect(chosen.length).toBeLessThan(ids.length);
    for (const contactId of ids) desk.connect.accept(desk.connect.chat({ contactId }));
    await one.settled();
    await two.settled();
    for (const contactId of ids) await becomes(contactId, chosen.includes(contactId) ? 'recording' : 'none');
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
    await becomes(contactId, 'recording');
    desk.connect.endCall(contactId);
    const { contact, agent, instance } = await manifestOf(contactId);
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
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    desk.connect.setScreenRecordingState(contactId, 'HALTED');
    await becomes(contactId, 'suspended');
    desk.connect.setScreenRecordingState(contactId, 'ACTIVE');
    await becomes(contactId, 'recording');
    expect(tab.console.filter((line) => line.includes('screenRecordingState'))).toEqual([]);
    desk.connect.setScreenRecordingState(contactId, 'SUSPENDED');
    await becomes(contactId, 'suspended');
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
    await becomes(contactId, 'recording');
  });

  it('a library before 2.28.1, which skips ENDED: onDestroy ends the recording', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    // What 2.28.1 added is this set: without it the library fires DESTROYED alone.
    await tab.page.evaluate(() => {
      const page = window as unknown as StreamsWindow & { ended: boolean };
      page.connect.core.endedEventTracker.clear();
    });
    desk.connect.clear(contactId);
    await becomes(contactId, 'none');
    await expect.poll(() => statuses(contactId), { interval: 50 }).toContain('COMPLETED');
  });

  it('another agent signs in: nothing is recorded under the name of the first', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    desk.connect.signInAs('berta', '00000000-0000-0000-0000-000000000001');
    await expect.poll(() => statuses(contactId)).toContain('COMPLETED');
    const theirs = desk.connect.ring();
    desk.connect.accept(theirs);
    await tab.settled();
    expect(await statuses(theirs)).toEqual([]);
    expect(tab.console.join('\n')).toContain('Another agent has signed in');
    desk.connect.signInAs('anna');
  });

  it('close ends all that the page does; the recording goes on without it', async () => {
    const tab = await desk.open();
    const contactId = await call(tab);
    await becomes(contactId, 'recording');
    await inPage(tab, ({ sightline }) => sightline.close());
    desk.connect.hold(contactId);
    expect(await desk.stateOf(contactId)).toBe('recording');
    expect(await inPage(tab, ({ sightline }) => sightline.client.connection.kind)).toBe('closed');
  });
});
