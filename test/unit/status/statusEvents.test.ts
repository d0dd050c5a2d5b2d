import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failure } from '../../../main/shared/errors.ts';
import type { Push } from '../../../main/shared/protocol.ts';
import type { AnyEvent } from '../../../main/shared/deskEvent.ts';
import type { StatusEvent } from '../../../main/shared/statusEvent.ts';
import { statusEventSchema } from '../../../main/shared/statusEvent.ts';
import { StatusHub } from '../../../main/status/hub.ts';
import type { Announcement, Subject } from '../../../main/status/statusEvents.ts';
import { StatusEvents } from '../../../main/status/statusEvents.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';
import type { LogLine } from '../support/logs.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const instanceArn = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-aaaa';
const subject: Subject = {
  recordingId: 'rec-1',
  contactId: 'contact-1',
  agentArn: `${instanceArn}/agent/22222222-bbbb`,
  instanceArn,
  browser: 'Chrome 150',
  sightline: { channel: 'VOICE', queue: 'Billing', initialContactId: 'contact-0' },
};
const [startTime, endTime] = [Date.UTC(2026, 0, 2, 3, 0, 0, 250), Date.UTC(2026, 0, 2, 3, 4, 0)];
const published = {
  status: 'PUBLISHED',
  startTime,
  endTime,
  location: 's3://bucket/key.mp4',
  sizeBytes: 4321,
  manifestSha256: '5a'.repeat(32),
} as const;
const failed = { status: 'FAILED', startTime, failure: failure('NO_DISPLAY', 'No display.') } as const;
const announcements: readonly Announcement[] = [
  { status: 'INITIATED' },
  { status: 'COMPLETED', startTime, endTime },
  published,
  failed,
];

interface Bench {
  readonly events: StatusEvents;
  readonly hub: StatusHub;
  readonly file: string;
  readonly log: LogLine[];
  /** What is in the file. */
  readonly written: () => Promise<StatusEvent[]>;
}

async function bench(
  path: (folder: string) => string = (folder) => join(folder, 'events.ndjson'),
  eventBridge: { add(event: AnyEvent): Promise<void> } = { add: () => Promise.resolve() },
): Promise<Bench> {
  const file = path(await temporaryFolder());
  const hub = new StatusHub();
  const { log, lines } = keepingLogger();
  let ids = 0;
  const events = new StatusEvents({
    policy: { statusEventsFile: file },
    hub,
    clock: { now: () => NOW },
    newEventId: () => `event-${++ids}`,
    clientInfo: () => ({ appVersion: '1.2.3', os: 'linux 6.1.0 x64', monitors: 2, encoder: 'libopenh264' }),
    eventBridge: { offer: () => undefined, ...eventBridge },
    log,
  });
  const written = async (): Promise<StatusEvent[]> => {
    const text = await readFile(file, 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    const whole = text.slice(0, -1).split('\n');
    return whole.map((line) => JSON.parse(line) as StatusEvent);
  };
  return { events, hub, file, log: lines, written };
}

async function build(announcement: Announcement, of: Subject = subject): Promise<StatusEvent> {
  const { events, written } = await bench();
  await events.announce(of, announcement).durable;
  const [event] = await written();
  if (event === undefined) throw new Error('nothing was written');
  return event;
}

describe('a status event', () => {
  it.each(announcements.map((one) => [one.status, one] as const))(
    'has AWS’s shape, and nothing that is not in it: %s',
    async (_, announcement) => {
      const event = await build(announcement);
      expect(statusEventSchema.parse(event)).toEqual(event);
    },
  );

  it('has AWS’s envelope, with a different source', async () => {
    const { detail, ...envelope } = await build({ status: 'INITIATED' });
    expect(envelope).toEqual({
      version: '0',
      id: 'event-1',
      'detail-type': 'Screen Recording Status Changed',
      source: 'sightline',
      account: '123456789012',
      region: 'eu-central-1',
      time: '2026-01-02T03:04:05.006Z',
      resources: [`${instanceArn}/contact/contact-1`, instanceArn],
    });
    expect(detail).toEqual({
      version: '1.0',
      recordingStatus: 'INITIATED',
      eventDeduplicationId: 'rec-1:INITIATED',
      instanceArn,
      contactArn: `${instanceArn}/contact/contact-1`,
      agentArn: subject.agentArn,
      clientInfo: {
        appVersion: '1.2.3',
        os: 'linux 6.1.0 x64',
        browser: 'Chrome 150',
        monitors: 2,
        encoder: 'libopenh264',
      },
      sightline: { channel: 'VOICE', queue: 'Billing', initialContactId: 'contact-0' },
    });
  });

  it('says from when to when when it is COMPLETED', async () => {
    const { detail } = await build({ status: 'COMPLETED', startTime, endTime });
    expect(detail).toMatchObject({
      recordingStatus: 'COMPLETED',
      recordingInfo: { startTime: '2026-01-02T03:00:00.250Z', endTime: '2026-01-02T03:04:00.000Z' },
    });
  });

  it('says where and how large when it is PUBLISHED', async () => {
    const { detail } = await build(published);
    expect(detail).toMatchObject({
      recordingStatus: 'PUBLISHED',
      recordingInfo: {
        startTime: '2026-01-02T03:00:00.250Z',
        endTime: '2026-01-02T03:04:00.000Z',
        publishTime: '2026-01-02T03:04:05.006Z',
        location: 's3://bucket/key.mp4',
        durationInMillis: 239_750,
        sizeInBytes: 4321,
        manifestSha256: '5a'.repeat(32),
      },
    });
  });

  it('says why, and since when, when it is FAILED', async () => {
    const { detail } = await build(failed);
    expect(detail).toMatchObject({
      recordingStatus: 'FAILED',
      recordingInfo: { startTime: '2026-01-02T03:00:00.250Z' },
      failureInfo: { code: 'NO_DISPLAY', message: 'No display.', source: 'CLIENT' },
    });
  });

  it('does without a browser, and without an account where the instance’s name has none', async () => {
    const { browser: _, ...bare } = subject;
    const event = await build({ status: 'INITIATED' }, { ...bare, instanceArn: 'acme' });
    expect(statusEventSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({ account: '', region: '' });
    expect(event.detail.clientInfo).not.toHaveProperty('browser');
  });
});

describe('the id for finding duplicates', () => {
  it('is the same for each repetition of an event, and different for other events', async () => {
    const { events, written } = await bench();
    for (const announcement of [...announcements, ...announcements])
      await events.announce(subject, announcement).durable;
    await events.announce({ ...subject, recordingId: 'rec-2' }, { status: 'INITIATED' }).durable;
    const all = await written();
    const ids = all.map((event) => event.detail.eventDeduplicationId);
    expect(ids.slice(4, 8)).toEqual(ids.slice(0, 4));
    expect(new Set(ids).size).toBe(5);
    expect(new Set(all.map((event) => event.id)).size).toBe(9);
  });
});

describe('the order of writing and pushing', () => {
  it('writes to the file before it pushes, and pushes what it has written', async () => {
    const { events, hub, written } = await bench();
    const seen: { push: Push; lines: Promise<StatusEvent[]> }[] = [];
    hub.subscribe((push) => seen.push({ push, lines: written() }));
    await events.announce(subject, { status: 'INITIATED' }).durable;
    expect(seen).toHaveLength(1);
    const [event] = await seen[0]!.lines;
    expect(seen[0]!.push).toEqual({ type: 'recording.status', rev: hub.rev, event });
  });

  it('keeps the order of the announcements, in the file and in the pushes', async () => {
    const { events, hub, written } = await bench();
    const pushed: string[] = [];
    hub.subscribe((push) => {
      if (push.type === 'recording.status') pushed.push(push.event.detail.recordingStatus);
    });
    for (const announcement of announcements) void events.announce(subject, announcement);
    await events.idle();
    const order = announcements.map((one) => one.status);
    expect(pushed).toEqual(order);
    expect((await written()).map((event) => event.detail.recordingStatus)).toEqual(order);
  });

  it('appends to what is there already, and makes the folder where there is none', async () => {
    const one = await bench((folder) => join(folder, 'a', 'b', 'events.ndjson'));
    await one.events.announce(subject, { status: 'INITIATED' }).durable;
    await one.events.announce(subject, failed).durable;
    expect(await one.written()).toHaveLength(2);
    expect((await stat(one.file)).mode & 0o007).toBe(0);
  });

  it('writes to the file and queues for EventBridge before it pushes', async () => {
    const steps: string[] = [];
    const { events, hub, written } = await bench(undefined, {
      add: async (event) => {
        await new Promise(setImmediate);
        steps.push(`added ${event.id}`);
      },
    });
    hub.subscribe((push) => steps.push(`pushed ${push.type === 'recording.status' ? push.event.id : '?'}`));
    void events.announce(subject, { status: 'INITIATED' });
    const { tried, durable } = events.announce(subject, failed);
    expect(await tried).toBeNull();
    await durable;
    expect(await written()).toHaveLength(2);
    expect(steps.filter((step) => step.endsWith('1'))).toEqual(['added event-1', 'pushed event-1']);
    expect(steps.filter((step) => step.endsWith('2'))).toEqual(['added event-2', 'pushed event-2']);
  });

  it('is idle before the first announcement', async () => {
    const { events } = await bench();
    await expect(events.idle()).resolves.toBeUndefined();
  });
});
