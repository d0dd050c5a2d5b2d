// Contacts of a page with the client alone, against the real recorder: what the page wants happens, whatever comes between.
import { describe, expect, it } from 'vitest';
import type { ContactRecorder } from '../../ccp/src/contract.ts';
import { crash } from '../rig/browser.ts';
import { call, other, record, useBench } from './bench.ts';

const bench = useBench();

describe('a contact', () => {
  it('is recorded, suspended for two causes, resumed with the last, and stopped', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', { ...call, queue: 'Billing', initialContactId: 'call-0' });
    await tab.untilContact('call-1', 'recording');
    await tab.do('idle', 'call-1');
    const { startTime } = (await tab.contact('call-1')) ?? {};
    await tab.do('suspend', 'call-1', 'page', 'card number');
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
    const { manifest, reasons } = await bench.published();
    expect(manifest.contact).toMatchObject({
      contactId: 'call-1',
      initialContactId: 'call-0',
      queue: 'Billing',
    });
    expect(manifest.suspensions).toMatchObject([{ resumedBy: 'page', reason: 'card number' }]);
    expect(manifest.startTime).toBe(startTime);
    expect(reasons).toEqual(['suspended']);
  });

  it('that is suspended before its start is answered begins suspended: nothing leaks', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.until({ kind: 'connected' });
    await bench.desk.showSensitive(true);
    await tab.page.evaluate((info) => {
      const { contacts } = globalThis as unknown as {
        contacts: ContactRecorder;
      };
      contacts.record(info);
      contacts.suspend(info.contactId, 'page');
    }, call);
    await tab.untilContact('call-1', 'suspended');
    await record();
    await bench.desk.showSensitive(false);
    await tab.do('resume', 'call-1', 'page');
    await tab.untilContact('call-1', 'recording');
    await record();
    await tab.do('stop', 'call-1');
    const { leaked, reasons, manifest } = await bench.published();
    expect(leaked).toBe(0);
    expect(reasons).toEqual(['suspended']);
    expect(manifest.gaps[0]!.offsetMs).toBe(0);
  });

  it('that is suspended again while its resume is outstanding stays suspended: nothing leaks', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await tab.do('suspend', 'call-1', 'page');
    await tab.untilContact('call-1', 'suspended');
    await bench.desk.showSensitive(true);
    await tab.page.evaluate(async () => {
      const { contacts } = globalThis as unknown as { contacts: ContactRecorder };
      const state = (): string | undefined => contacts.contacts[0]?.state;
      const resuming = new Promise<void>((resolve) =>
        contacts.subscribe(() => {
          if (state() === 'resuming') resolve();
        }),
      );
      contacts.resume('call-1', 'page');
      await resuming;
      contacts.suspend('call-1', 'form:#card');
      if (state() === 'recording') throw new Error('too late');
    });
    await tab.untilContact('call-1', 'suspended');
    await record();
    expect(await tab.contact('call-1')).toMatchObject({ state: 'suspended', causes: ['form:#card'] });
    await bench.desk.showSensitive(false);
    // And again, without waiting for anything.
    await tab.page.evaluate(() => {
      const { contacts } = globalThis as unknown as { contacts: ContactRecorder };
      for (let i = 0; i < 3; i++) {
        contacts.resume('call-1', 'form:#card');
        contacts.suspend('call-1', 'form:#card');
      }
      contacts.resume('call-1', 'form:#card');
    });
    await tab.untilContact('call-1', 'recording');
    await record();
    expect(await tab.contact('call-1')).toMatchObject({ state: 'recording', error: null });
    await tab.do('stop', 'call-1');
    const { leaked } = await bench.published();
    expect(leaked).toBe(0);
  });

  it('can be suspended before it is to be recorded', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.until({ kind: 'connected' });
    await tab.do('suspend', 'call-1', 'flow');
    await tab.do('idle', 'call-1');
    expect(await tab.contacts()).toEqual([]);
    await tab.do('record', call);
    await tab.untilContact('call-1', 'suspended');
    expect(await tab.contact('call-1')).toMatchObject({ causes: ['flow'], error: null });
  });

  it('shows the suspension of another contact, and is not resumed by its own', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.do('record', other);
    await tab.untilContact('chat-2', 'recording');
    await tab.do('suspend', 'call-1', 'page');
    await tab.untilContact('chat-2', 'suspended');
    expect(await tab.contact('chat-2')).toMatchObject({ causes: [] });
    await tab.do('suspend', 'chat-2', 'page');
    await tab.untilContact('chat-2', 'suspended');
    await tab.do('resume', 'call-1', 'page');
    await tab.do('idle', 'call-1');
    expect(await tab.contact('call-1')).toMatchObject({ state: 'suspended', causes: [] });
    await tab.do('resume', 'chat-2', 'page');
    await tab.untilContact('call-1', 'recording');
    await tab.untilContact('chat-2', 'recording');
  });

  it('whose start cannot succeed has failed, with the code, and is tried again at the next connection', async () => {
    await bench.recorder({ flags: ['--ffmpeg-path', '/nonexistent/ffmpeg'] });
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'failed');
    expect((await tab.contact('call-1'))?.error).toMatchObject({ code: 'ENCODER_UNAVAILABLE' });
    await bench.kill();
    await tab.until({ kind: 'not-running' });
    await bench.recorder();
    await tab.untilContact('call-1', 'recording');
    expect((await tab.contact('call-1'))?.error).toBeNull();
  });

  it('whose suspension policy ends is not suspended again by the same cause', async () => {
    await bench.recorder({ flags: ['--suspend-max-seconds', '2'] });
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await tab.do('suspend', 'call-1', 'page');
    await tab.untilContact('call-1', 'suspended');
    await tab.untilContact('call-1', 'recording');
    await record();
    expect(await tab.contact('call-1')).toMatchObject({ state: 'recording', causes: [] });
    await tab.do('suspend', 'call-1', 'page');
    await tab.untilContact('call-1', 'suspended');
  });
});

describe('a recorder', () => {
  it('that is away at first records the contact as soon as it is there, if it is still wanted', async () => {
    const tab = await bench.open();
    await tab.until({ kind: 'not-running' });
    await tab.do('record', call);
    await tab.do('record', other);
    await tab.do('suspend', 'call-1', 'page');
    await tab.do('stop', 'chat-2');
    expect(await tab.contact('call-1')).toMatchObject({ state: 'waiting', causes: ['page'] });
    const recorder = await bench.recorder();
    await tab.untilContact('call-1', 'suspended');
    expect((await tab.contacts()).map(({ contactId }) => contactId)).toEqual(['call-1']);
    const contactIds = async () =>
      (await recorder.events()).map(({ detail }) => detail.contactArn.split('/').at(-1));
    await expect.poll(contactIds).toEqual(['call-1']);
  });

  it('that is killed in mid-call and started again continues, and what changed meanwhile is made up for', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.do('record', other);
    await tab.untilContact('call-1', 'recording');
    await tab.untilContact('chat-2', 'recording');
    // A kill costs up to a second; of less than that nothing may be left.
    await record(1200);
    await bench.kill();
    await tab.untilContact('call-1', 'waiting');
    await tab.do('suspend', 'call-1', 'page');
    await tab.do('stop', 'chat-2');
    await tab.until({ kind: 'not-running' });
    await bench.recorder();
    await tab.untilContact('call-1', 'suspended');
    await tab.untilContact('chat-2', undefined);
    await bench.kill();
    await tab.do('resume', 'call-1', 'page');
    await bench.recorder();
    await tab.untilContact('call-1', 'recording');
    await tab.do('stop', 'call-1');
    await expect.poll(() => bench.running.published(), { timeout: 30_000 }).toHaveLength(2);
    const recordings = await bench.running.published();
    const { gaps, endCause } = recordings.find(
      ({ manifest }) => manifest.contact.contactId === 'call-1',
    )!.manifest;
    expect(gaps.map(({ reason }) => reason)).toEqual(['app-restarted', 'suspended']);
    expect(endCause).toBe('stopped');
  });
});

describe('a page', () => {
  it('that reloads in mid-call keeps its suspension, and resumes it by itself: nothing leaks', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await tab.do('suspend', 'call-1', 'form:#card');
    await tab.untilContact('call-1', 'suspended');
    await bench.desk.showSensitive(true);
    await tab.page.reload();
    await tab.untilContact('call-1', 'suspended');
    await tab.do('record', call);
    await tab.do('idle', 'call-1');
    await record();
    expect(await tab.contact('call-1')).toMatchObject({ state: 'suspended', causes: ['form:#card'] });
    await bench.desk.showSensitive(false);
    await tab.do('resume', 'call-1', 'form:#card');
    await tab.untilContact('call-1', 'recording');
    await record();
    await tab.do('stop', 'call-1');
    const { leaked, reasons } = await bench.published();
    expect(leaked).toBe(0);
    expect(reasons).toEqual(['suspended']);
  });

  it('whose contact ends while it reloads stops the recording when it knows its contacts', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.do('record', other);
    await tab.untilContact('call-1', 'recording');
    await tab.untilContact('chat-2', 'recording');
    await tab.page.reload();
    await tab.until({ kind: 'connected' });
    await tab.do('record', other);
    await tab.untilContact('call-1', 'recording');
    await tab.do('settle', ['chat-2']);
    await tab.untilContact('call-1', undefined);
    const { manifest } = await bench.published();
    expect(manifest).toMatchObject({ contact: { contactId: 'call-1' }, endCause: 'stopped' });
    await tab.untilContact('chat-2', 'recording');
  });

  it('that reloads while a stop is outstanding sends it afterwards', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await record(1500); // a crash may lose the last second
    await bench.kill();
    await tab.untilContact('call-1', 'waiting');
    await tab.do('stop', 'call-1');
    expect((await tab.contact('call-1'))?.state).toBe('stopping');
    await tab.page.reload();
    await bench.recorder();
    expect((await bench.published()).manifest.endCause).toBe('stopped');
    await tab.untilContact('call-1', undefined);
  });

  it('that is closed in mid-call leaves the recording to the page that comes after it', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await tab.page.close();
    await record();
    const next = await bench.open();
    await next.until({ kind: 'connected' });
    await next.do('settle', ['call-1']);
    await next.do('record', call);
    await next.untilContact('call-1', 'recording');
    await next.do('stop', 'call-1');
    expect((await bench.published()).reasons).toEqual([]);
  });

  it('without a memory leaves a suspension of unknown cause until it is told to end it', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await tab.do('suspend', 'call-1', 'page');
    await tab.untilContact('call-1', 'suspended');
    await tab.page.close();
    const next = await bench.open();
    await next.do('record', call);
    await expect.poll(async () => (await next.contact('call-1'))?.causes).toEqual(['unknown']);
    await next.do('suspend', 'call-1', 'form:#card');
    await next.do('idle', 'call-1');
    await next.do('resume', 'call-1', 'form:#card');
    await next.do('idle', 'call-1');
    await record();
    expect(await next.contact('call-1')).toMatchObject({ state: 'suspended', causes: ['unknown'] });
    await next.do('resumeAll', 'call-1');
    await next.untilContact('call-1', 'recording');
    expect((await next.contact('call-1'))?.causes).toEqual([]);
  });
});

describe('two tabs', () => {
  it('with the same cause: the recording resumes with the last of them', async () => {
    await bench.recorder();
    const [one, two] = [await bench.open(), await bench.open()];
    for (const tab of [one, two]) {
      await tab.do('record', call);
      await tab.untilContact('call-1', 'recording');
    }
    await one.do('suspend', 'call-1', 'form:#card');
    await two.untilContact('call-1', 'suspended');
    await two.do('suspend', 'call-1', 'form:#card');
    await two.untilContact('call-1', 'suspended');
    await one.do('resume', 'call-1', 'form:#card');
    await record();
    expect(await one.contact('call-1')).toMatchObject({ state: 'suspended', causes: [] });
    await two.do('resume', 'call-1', 'form:#card');
    await one.untilContact('call-1', 'recording');
    await two.untilContact('call-1', 'recording');
    await two.do('stop', 'call-1');
    expect((await bench.published()).manifest.suspensions).toHaveLength(1);
  });

  it('one crashes: its cause ends with it, and the other resumes', async () => {
    await bench.recorder();
    const [one, two] = [await bench.open(), await bench.open()];
    await one.do('record', call);
    await two.do('record', call);
    await one.untilContact('call-1', 'recording');
    await one.do('suspend', 'call-1', 'form:#card');
    await one.untilContact('call-1', 'suspended');
    await two.do('suspend', 'call-1', 'form:#card');
    await two.do('idle', 'call-1');
    await two.do('resume', 'call-1', 'form:#card');
    await record();
    expect((await two.contact('call-1'))?.state).toBe('suspended');
    await crash(one.page);
    await two.untilContact('call-1', 'recording');
  });

  it('one reloads while the other waits for it: the suspension stays', async () => {
    await bench.recorder();
    const [one, two] = [await bench.open(), await bench.open()];
    await one.do('record', call);
    await two.do('record', call);
    await one.untilContact('call-1', 'recording');
    for (const tab of [one, two]) {
      await tab.do('suspend', 'call-1', 'form:#card');
      await tab.untilContact('call-1', 'suspended');
    }
    await two.do('resume', 'call-1', 'form:#card');
    await one.page.reload();
    await record(4000); // longer than a tab gives another one to reload
    expect(await one.contact('call-1')).toMatchObject({ state: 'suspended', causes: ['form:#card'] });
    const recorder = bench.running;
    await one.do('record', call);
    await one.do('resume', 'call-1', 'form:#card');
    await two.untilContact('call-1', 'recording');
    await two.do('stop', 'call-1');
    const { manifest } = await bench.published();
    expect(manifest.suspensions).toHaveLength(1);
    expect(recorder.stderr()).not.toContain('error');
  });

  it("ended by the agent's button in the other one: its own button is released, its forms are not", async () => {
    await bench.recorder();
    const [one, two] = [await bench.open(), await bench.open()];
    await one.do('record', call);
    await two.do('record', call);
    await one.untilContact('call-1', 'recording');
    await one.do('suspend', 'call-1', 'page');
    await one.do('suspend', 'call-1', 'form:#card');
    await two.untilContact('call-1', 'suspended');
    await two.do('resumeAll', 'call-1');
    await expect.poll(async () => (await one.contact('call-1'))?.causes).toEqual(['form:#card']);
    await record();
    expect((await one.contact('call-1'))?.state).toBe('suspended');
    await one.do('resume', 'call-1', 'form:#card');
    await two.untilContact('call-1', 'recording');
    await two.do('stop', 'call-1');
    expect((await bench.published()).manifest.suspensions).toHaveLength(1);
  });

  it('one stops: the other does not begin a second recording', async () => {
    await bench.recorder();
    const [one, two] = [await bench.open(), await bench.open()];
    await one.do('record', call);
    await two.do('record', call);
    await one.untilContact('call-1', 'recording');
    await two.untilContact('call-1', 'recording');
    await one.do('stop', 'call-1');
    await two.untilContact('call-1', undefined);
    await two.do('record', call);
    await two.do('stop', 'call-1');
    await bench.published();
    expect(await two.contacts()).toEqual([]);
  });
});
