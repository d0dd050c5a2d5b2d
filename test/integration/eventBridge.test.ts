// Status events on their way to EventBridge: the real AWS SDK against a strict stand-in that fails in every way we know.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { EventBridgeOptions, EventBridgePolicy } from '../../main/status/eventBridge.ts';
import { EventBridge } from '../../main/status/eventBridge.ts';
import { Outbox } from '../../main/status/outbox.ts';
import type { EventBridgeServer, Fault } from '../rig/eventBridgeServer.ts';
import { startEventBridgeServer, testKey } from '../rig/eventBridgeServer.ts';
import { keepingLogger, type LogLine } from '../unit/support/logs.ts';
import { idOf, statusEvent } from '../unit/support/statusEvents.ts';

let server: EventBridgeServer;
let home: string;
let folder: string;
let lines: LogLine[];
let sender: EventBridge | null = null;
const env = { ...process.env };

beforeEach(async () => {
  server = await startEventBridgeServer();
  home = await mkdtemp(join(tmpdir(), 'sightline-events-'));
  folder = join(home, 'outbox');
  process.env.AWS_EC2_METADATA_DISABLED = 'true';
});
afterEach(async () => {
  await sender?.stop();
  await server.stop();
  await rm(home, { recursive: true, force: true });
  process.env = { ...env };
});

/** Waits of some milliseconds for what may pass, of some seconds for what may not. */
function open(
  options: Partial<EventBridgeOptions> = {},
  policy: Partial<EventBridgePolicy> = {},
): { outbox: Outbox; sender: EventBridge } {
  const kept = keepingLogger();
  lines = kept.lines;
  const outbox = new Outbox({ folder, log: kept.log });
  sender = new EventBridge({
    policy: {
      ...{ eventBusName: server.bus, awsRegion: server.region, eventBridgeEndpoint: server.endpoint },
      ...{ awsProfile: null, ...policy },
    },
    credentials: () => Promise.resolve(server.key),
    outbox,
    network: new NodeNetwork(),
    clock: { now: () => Date.now() },
    random: () => 0.01,
    log: kept.log,
    ...options,
  });
  return { outbox, sender };
}

const ids = (): string[] => server.received.map(idOf);
const warnings = (): unknown[] =>
  lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.code);

async function delivered(events: number): Promise<void> {
  await server.until(({ received }) => received.length >= events);
  await sender?.idle();
}

describe('an event', () => {
  it('arrives as it was announced, under our source, and leaves the outbox', async () => {
    const { outbox, sender } = open();
    sender.start();
    await sender.add(statusEvent('a'));
    await delivered(1);
    const event = statusEvent('a');
    expect(server.received).toEqual([
      {
        eventId: expect.any(String) as string,
        bus: server.bus,
        source: 'sightline',
        detailType: 'Screen Recording Status Changed',
        resources: event.resources,
        time: Date.parse(event.time),
        detail: event.detail,
      },
    ]);
    expect(await readdir(folder)).toEqual([]);
    expect(outbox.pending).toBe(0);
    expect(sender.lastProblem).toBeNull();
    expect(lines).toEqual([]);
  });

  it('that waited is sent in order, ten to a request', async () => {
    const { sender } = open();
    const all = Array.from({ length: 23 }, (_, index) => `r${index}`);
    await Promise.all(all.map((id) => sender.add(statusEvent(id))));
    sender.start();
    await delivered(23);
    expect(ids()).toEqual(all);
    expect(server.outcomes).toEqual(['200', '200', '200']);
  });

  it('that is large shares a request only with what fits', async () => {
    const { sender } = open();
    for (const id of ['a', 'b', 'c', 'd']) await sender.add(statusEvent(id, 100_000));
    sender.start();
    await delivered(4);
    expect(ids()).toEqual(['a', 'b', 'c', 'd']);
    expect(server.outcomes).toEqual(['200', '200']);
  });

  it('too large for any request is set aside and blocks nobody', async () => {
    const { sender } = open();
    await sender.add(statusEvent('a'));
    await sender.add(statusEvent('huge', 300_000));
    await sender.add(statusEvent('b'));
    sender.start();
    await delivered(2);
    expect(ids()).toEqual(['a', 'b']);
    expect(await readdir(folder)).toEqual(['0000000000000002.json.refused']);
    expect(lines).toMatchObject([{ level: 'error', fields: { code: 'TooLarge' } }]);
  });
});

describe('a fault that passes', () => {
  it.each<[string, Fault, string]>([
    ['500', 'error-500', 'InternalException'],
    ['throttling', 'throttling', 'ThrottlingException'],
    ['a reset connection', 'reset', 'ECONNRESET'],
    ['an expired token', 'expired-token', 'ExpiredTokenException'],
  ])('%s: sent again until it is taken; logged once', async (_, fault, code) => {
    const { sender } = open();
    server.fail(fault, fault, fault);
    sender.start();
    await sender.add(statusEvent('a'));
    await delivered(1);
    expect(ids()).toEqual(['a']);
    expect(server.outcomes).toHaveLength(4);
    expect(warnings()).toEqual([code]);
    expect(sender.lastProblem).toBeNull();
  });

  it('nobody listens: everything waits, and goes out when somebody does', async () => {
    const { outbox, sender } = open();
    await server.down();
    sender.start();
    for (const id of ['a', 'b']) await sender.add(statusEvent(id));
    await sender.idle();
    expect(sender.lastProblem).toMatchObject({ code: 'ECONNREFUSED', permanent: false });
    expect(outbox.pending).toBe(2);
    await server.up();
    await delivered(2);
    expect(ids()).toEqual(['a', 'b']);
  });

  it('an answer that was lost: the event comes twice, under the same id', async () => {
    const { sender } = open();
    server.fail('lost-answer');
    sender.start();
    await sender.add(statusEvent('a'));
    await delivered(2);
    expect(server.received.map(({ detail }) => detail.eventDeduplicationId)).toEqual([
      'a:INITIATED',
      'a:INITIATED',
    ]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('no answer at all: given up after its time, and sent again', async () => {
    const { sender } = open({ requestTimeoutMs: 300 });
    server.fail('stall');
    sender.start();
    await sender.add(statusEvent('a'));
    await delivered(1);
    expect(server.outcomes).toEqual(['stall', '200']);
    expect(warnings()).toEqual(['ETIMEDOUT']);
  });

  it('some of a request: only those are sent again', async () => {
    const { sender } = open();
    server.fail({ partial: [1, 3], code: 'InternalFailure' });
    for (const id of ['a', 'b', 'c', 'd']) await sender.add(statusEvent(id));
    sender.start();
    await delivered(4);
    expect(ids()).toEqual(['a', 'c', 'b', 'd']);
  });
});

describe('a fault that somebody must mend', () => {
  it('no right: told once with what to do, and sent after a change of policy', async () => {
    const { sender } = open({ random: () => 1 });
    server.failAlways('access-denied');
    sender.start();
    await sender.add(statusEvent('a'));
    await sender.idle();
    expect(sender.lastProblem).toMatchObject({ code: 'AccessDeniedException', permanent: true });
    expect(sender.lastProblem?.message).toContain('events:PutEvents');
    sender.policyChanged(new Set(['awsProfile']));
    await sender.idle();
    expect(warnings()).toEqual(['AccessDeniedException']);
    server.failAlways(null);
    sender.policyChanged(new Set(['awsProfile']));
    await delivered(1);
    expect(sender.lastProblem).toBeNull();
  });

  it.each<[string, Partial<EventBridgeOptions>, string, Partial<EventBridgePolicy>?]>([
    ['another bus', {}, 'AccessDeniedException', { eventBusName: 'another' }],
    ['another region', {}, 'InvalidSignatureException', { awsRegion: 'us-east-1' }],
    [
      'a wrong secret',
      { credentials: () => Promise.resolve({ ...testKey, secretAccessKey: 'wrong' }) },
      'InvalidSignatureException',
    ],
    [
      'an unknown key',
      { credentials: () => Promise.resolve({ ...testKey, accessKeyId: 'AKIDNOBODY' }) },
      'UnrecognizedClientException',
    ],
    ['no credentials at all', { credentials: () => Promise.resolve(null) }, 'CredentialsProviderError'],
  ])('%s', async (_, options, code, policy) => {
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'])
      process.env[name] = join(home, 'none');
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
      Reflect.deleteProperty(process.env, name);
    const { outbox, sender } = open({ random: () => 1, ...options }, policy);
    sender.start();
    await sender.add(statusEvent('a'));
    await sender.idle();
    expect(sender.lastProblem).toMatchObject({ code, permanent: true });
    expect(outbox.pending).toBe(1);
    expect(warnings()).toEqual([code]);
    expect(JSON.stringify(lines)).not.toContain(testKey.secretAccessKey);
  });
});

describe('credentials in AWS’s shared files', () => {
  it('are read again after a refusal: a renewed token is found without a restart', async () => {
    const file = join(home, 'credentials');
    const write = ({ accessKeyId, secretAccessKey, sessionToken = '' }: typeof testKey): Promise<void> =>
      writeFile(
        file,
        `[desk]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\naws_session_token=${sessionToken}\n`,
      );
    process.env.AWS_SHARED_CREDENTIALS_FILE = file;
    process.env.AWS_CONFIG_FILE = join(home, 'none');
    await write(testKey);
    const { sender } = open(
      { credentials: () => Promise.resolve(null), random: () => 1 },
      { awsProfile: 'desk' },
    );
    sender.start();
    await sender.add(statusEvent('a'));
    await delivered(1);
    // The old token ends; some job of IT's writes the new one.
    server.key = { ...testKey, sessionToken: 'another token' };
    await sender.add(statusEvent('b'));
    await sender.idle();
    expect(sender.lastProblem).toMatchObject({ code: 'UnrecognizedClientException' });
    await write(server.key);
    sender.policyChanged(new Set(['awsProfile']));
    await delivered(2);
    expect(ids()).toEqual(['a', 'b']);
  });
});

describe('an event refused for ever', () => {
  it('is set aside, and the others of its request are taken', async () => {
    const { sender } = open();
    server.fail({ partial: [1], code: 'MalformedDetail' });
    for (const id of ['a', 'b', 'c']) await sender.add(statusEvent(id));
    sender.start();
    await delivered(2);
    expect(ids()).toEqual(['a', 'c']);
    expect(await readdir(folder)).toEqual(['0000000000000002.json.refused']);
    expect(lines).toMatchObject([
      { level: 'error', fields: { code: 'MalformedDetail', eventDeduplicationId: 'b:INITIATED' } },
    ]);
  });
});
