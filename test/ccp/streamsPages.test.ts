// Pages that attach late, reload, close or share a contact with another tab, and a recorder that is away; with the real Streams
// library, real Chromium and the real recorder.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../rig/freePort.ts';
import {
  inPage,
  startStreamsDesk,
  type StreamsDesk,
  type StreamsWindow,
} from '../rig/ccpFrame/streamsDesk.ts';
import { startRecorder } from '../rig/recorder.ts';

let desk: StreamsDesk;

beforeAll(async () => {
  desk = await startStreamsDesk();
});
afterAll(() => desk.stop());
afterEach(() => desk.clean());

describe('a page that attaches late', () => {
  it('records a call that is already connected', async () => {
    const tab = await desk.open({ late: true });
    const contactId = await desk.call();
    await tab.page.waitForFunction(
      () =>
        (globalThis as unknown as { connect: { agent: { initialized: boolean } } }).connect.agent.initialized,
    );
    await inPage(tab, (page) => page.attach());
    await desk.becomes(contactId, 'recording');
    desk.connect.endCall(contactId);
    await desk.becomes(contactId, 'none');
  });

  it('waits for the acceptance of a call that rings', async () => {
    const tab = await desk.open({ late: true });
    const contactId = desk.connect.ring();
    await tab.page.waitForFunction(
      () =>
        (globalThis as unknown as { connect: { agent: { initialized: boolean } } }).connect.agent.initialized,
    );
    await inPage(tab, (page) => page.attach());
    await tab.page.waitForFunction(
      () => (globalThis as unknown as StreamsWindow).sightline.client.connection.kind === 'connected',
    );
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('none');
    desk.connect.accept(contactId);
    await desk.becomes(contactId, 'recording');
  });

  it('says what is wrong when initCCP was not called', async () => {
    const tab = await desk.open({ late: true });
    const message = await tab.page.evaluate(() => {
      const { Sightline, connect } = globalThis as unknown as {
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
    for (const contactId of [one, two, third]) await desk.becomes(contactId, 'recording');
    desk.connect.endCall(two);
    await desk.becomes(two, 'none');
    await tab.settled();
    expect(await desk.stateOf(one)).toBe('recording');
    desk.connect.clear(one);
    await desk.becomes(one, 'none');
    expect(await desk.stateOf(third)).toBe('recording');
    expect((await desk.manifestOf(two)).contact.channel).toBe('CHAT');
  });

  it('are suspended one by one, or all with those that come until resume', async () => {
    const tab = await desk.open();
    const one = await desk.call(tab);
    await desk.becomes(one, 'recording');
    await tab.page.evaluate(
      (contactId) => (globalThis as unknown as StreamsWindow).sightline.suspend(contactId),
      one,
    );
    await desk.becomes(one, 'suspended');
    await inPage(tab, ({ sightline }) => sightline.resume());
    await desk.becomes(one, 'recording');
    await inPage(tab, ({ sightline }) => sightline.suspend());
    await desk.becomes(one, 'suspended');
    const two = desk.connect.chat();
    desk.connect.accept(two);
    await desk.becomes(two, 'suspended');
    desk.connect.clear(one);
    await desk.becomes(one, 'none');
    await tab.settled();
    expect(await desk.stateOf(two)).toBe('suspended');
    await inPage(tab, ({ sightline }) => sightline.resume());
    await desk.becomes(two, 'recording');
    desk.connect.clear(two);
    const { suspensions } = await desk.manifestOf(one);
    expect(suspensions.map(({ reason }) => reason)).toEqual([
      'suspended by the agent',
      'suspended by the agent',
    ]);
  });

  it('are suspended also when that is asked for while the recorder resumes', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await inPage(tab, ({ sightline }) => sightline.suspend());
    await desk.becomes(contactId, 'suspended');
    // The moment at which capture is back, and the resume is not answered yet.
    await inPage(tab, ({ sightline }) => {
      sightline.client.subscribe(() => {
        if (sightline.client.appState?.state === 'recording') sightline.suspend();
      });
      sightline.resume();
    });
    await tab.page.waitForFunction(() => {
      const { sightline } = globalThis as unknown as StreamsWindow;
      return sightline.contacts.contacts[0]?.causes.includes('page') === true;
    });
    await desk.becomes(contactId, 'suspended');
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('suspended');
  });

  it('stay suspended by the flow when the agent presses resume', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    desk.connect.setScreenRecordingState(contactId, 'SUSPENDED');
    await desk.becomes(contactId, 'suspended');
    await inPage(tab, ({ sightline }) => {
      sightline.suspend();
      sightline.resume();
    });
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('suspended');
    desk.connect.setScreenRecordingState(contactId, 'RESUMED');
    await desk.becomes(contactId, 'recording');
  });
});

describe('a page that goes away in mid-call', () => {
  it('reloads: the recording goes on', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    await tab.page.reload();
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    const startTime = () => inPage(tab, ({ sightline }) => sightline.contacts.contacts[0]?.startTime);
    await expect.poll(startTime, { interval: 20 }).toBeDefined();
    const began = await startTime();
    desk.connect.endCall(contactId);
    await desk.becomes(contactId, 'none');
    expect((await desk.manifestOf(contactId)).startTime).toBe(began);
    const { gaps } = await desk.manifestOf(contactId);
    expect(gaps).toEqual([]);
    expect((await desk.statuses(contactId)).filter((status) => status === 'INITIATED')).toHaveLength(1);
  });

  it('reloads while the agent has suspended: it stays suspended until resume', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await inPage(tab, ({ sightline }) => sightline.suspend());
    await desk.becomes(contactId, 'suspended');
    await tab.page.reload();
    await tab.settled();
    expect(await desk.stateOf(contactId)).toBe('suspended');
    await inPage(tab, ({ sightline }) => sightline.resume());
    await desk.becomes(contactId, 'recording');
  });

  it('is away while the call ends: the recording ends when it is back', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    const url = tab.page.url();
    await tab.page.goto('about:blank');
    desk.connect.clear(contactId);
    expect(await desk.stateOf(contactId)).toBe('recording');
    await tab.page.goto(url);
    await desk.becomes(contactId, 'none');
    await expect.poll(() => desk.statuses(contactId), { interval: 50 }).toContain('COMPLETED');
  });

  it('is closed, and another one ends what the call has left over', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    await tab.close();
    desk.connect.clear(contactId);
    await desk.open();
    await desk.becomes(contactId, 'none');
    await expect.poll(() => desk.statuses(contactId), { interval: 50 }).toContain('COMPLETED');
  });

  it('is closed, and another one takes over the call', async () => {
    const tab = await desk.open();
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'recording');
    await tab.close();
    const other = await desk.open();
    await other.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    desk.connect.endCall(contactId);
    await desk.becomes(contactId, 'none');
    expect((await desk.statuses(contactId)).filter((status) => status === 'INITIATED')).toHaveLength(1);
  });
});

describe('two tabs', () => {
  it('make one recording, which goes on when either is closed', async () => {
    const one = await desk.open();
    const two = await desk.another(one);
    await two.settled();
    const contactId = await desk.call(one);
    await desk.becomes(contactId, 'recording');
    await one.close();
    await two.settled();
    expect(await desk.stateOf(contactId)).toBe('recording');
    desk.connect.endCall(contactId);
    await desk.becomes(contactId, 'none');
    await two.settled();
    expect((await desk.statuses(contactId)).filter((status) => status === 'INITIATED')).toHaveLength(1);
    expect(await desk.statuses(contactId)).not.toContain('FAILED');
  });

  it('resume in one what the agent has suspended in the other', async () => {
    const one = await desk.open();
    const two = await desk.another(one);
    const contactId = await desk.call(one);
    await desk.becomes(contactId, 'recording');
    await two.settled();
    await inPage(one, ({ sightline }) => sightline.suspend());
    await desk.becomes(contactId, 'suspended');
    await inPage(two, ({ sightline }) => sightline.resume());
    await desk.becomes(contactId, 'recording');
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
    const contactId = await desk.call(tab);
    const recorder = await startRecorder({ display: desk.display.display, flags });
    try {
      desk.recorder = recorder;
      await desk.becomes(contactId, 'recording');
      await sleep(1500); // what a kill leaves is up to a second old (docs/design.md)
      recorder.kill('SIGKILL');
      await recorder.exited;
      const again = await startRecorder({ display: desk.display.display, flags, home: recorder.home });
      desk.recorder = again;
      try {
        await desk.becomes(contactId, 'recording');
        desk.connect.endCall(contactId);
        await desk.becomes(contactId, 'none');
        const { gaps } = await desk.manifestOf(contactId);
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
