// The built program with a bus in its policy: a contact's events arrive at EventBridge's stand-in once each, and what
// could not be sent before the recorder was killed is sent by the next one.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import type { EventBridgeServer, ReceivedEvent } from '../rig/eventBridgeServer.ts';
import { keyEnvironment, startEventBridgeServer, testKey } from '../rig/eventBridgeServer.ts';
import type { Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

const STATUSES = ['INITIATED', 'COMPLETED', 'PUBLISHED'];

let display: Display;
let bus: EventBridgeServer;
let home: string;
let recorder: Recorder;

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-bus-'));
  bus = await startEventBridgeServer();
});
afterEach(async () => {
  await recorder.stop();
  await bus.stop();
  await rm(home, { recursive: true, force: true });
});

async function start(): Promise<void> {
  recorder = await startRecorder({
    display: display.display,
    home,
    flags: ['--event-bus-name', bus.bus, '--event-bridge-endpoint', bus.endpoint, '--aws-region', bus.region],
    environment: keyEnvironment(home),
  });
}

async function recordContact(contactId: string): Promise<void> {
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await sleep(600); // the length of the contact
  await page.ask('contact.stop', { contactId });
  await page.event(contactId, 'PUBLISHED');
  await page.close();
}

const outbox = (): Promise<string[]> => readdir(join(recorder.dataDir, 'outbox'));

/** Those of recordings; the events of the desk are in deskEvents.test.ts. */
const ofRecordings = (): readonly ReceivedEvent[] =>
  bus.received.filter(({ detailType }) => detailType !== 'Recorder Ended');

/** What has arrived, as pairs of status and id for finding duplicates. */
const arrived = (): string[][] =>
  ofRecordings().map(({ detail }) => [String(detail.recordingStatus), detail.eventDeduplicationId]);

/** The same of the recorder's own file. */
async function announced(): Promise<string[][]> {
  const events = await recorder.events();
  return events.map(({ detail }) => [detail.recordingStatus, detail.eventDeduplicationId]);
}

it('a contact’s events arrive once each, in order, with the details of the file', async () => {
  await start();
  await recordContact('c');
  await bus.until(({ received }) => received.length >= 3);
  expect(await recorder.stop()).toBe(0);
  expect(arrived().map(([status]) => status)).toEqual(STATUSES);
  expect(arrived()).toEqual(await announced());
  expect(ofRecordings().map(({ detail }) => detail)).toEqual(
    (await recorder.events()).map(({ detail }) => detail),
  );
  expect(await outbox()).toEqual([]);
  expect(bus.outcomes.filter((outcome) => outcome !== '200')).toEqual([]);
});

it('the bus is down, the recorder is killed: the next one sends everything, what is told twice with the same id', async () => {
  await start();
  await bus.down();
  await recordContact('c1');
  await recordContact('c2');
  recorder.kill('SIGKILL');
  await recorder.exited;
  expect((await outbox()).length).toBeGreaterThanOrEqual(6);
  expect(bus.received).toEqual([]);
  await bus.up();
  await start();
  await bus.until(({ received }) => received.length >= 7);
  expect(await recorder.stop()).toBe(0);
  expect(arrived()).toEqual(await announced());
  const ids = new Map(
    ofRecordings().map(({ detail }) => [detail.eventDeduplicationId, detail.recordingStatus]),
  );
  // The kill may come between an event's telling and the journal's line about it.
  expect([...ids.values()]).toEqual([...STATUSES, ...STATUSES]);
  expect(await outbox()).toEqual([]);
});

it('a bus that refuses us keeps nobody from recording, and the log says what to do, once', async () => {
  bus.failAlways('access-denied');
  await start();
  await recordContact('c');
  await recorder.stop();
  const told = recorder
    .stderr()
    .split('\n')
    .filter((line) => line.includes('AccessDeniedException'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('events:PutEvents');
  // And how the recorder ended.
  expect(await outbox()).toHaveLength(4);
  expect(recorder.stderr()).not.toContain(testKey.secretAccessKey);
});

it('what a shutdown completes is sent before the program ends', async () => {
  await start();
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
  expect(await recorder.stop()).toBe(0);
  expect(arrived().map(([status]) => status)).toEqual(STATUSES);
  expect(await outbox()).toEqual([]);
});
