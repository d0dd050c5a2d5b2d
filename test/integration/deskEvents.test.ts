// Events of the desk, by the built program: how a recorder has ended, once for each end, and the heartbeat on the bus and at
// an endpoint of IT's, also a hostile one.
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { deskEventSchema, type DeskEvent } from '../../main/shared/deskEvent.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { startEventBridgeServer, keyEnvironment, type EventBridgeServer } from '../rig/eventBridgeServer.ts';
import { withMount } from '../rig/mount.ts';
import { run } from '../rig/process.ts';
import { host } from '../rig/program.ts';
import type { Recorder } from '../rig/recorder.ts';
import { agent, startRecorder } from '../rig/recorder.ts';

let display: Display;
let home: string;
let recorder: Recorder;

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-desk-'));
});
afterEach(async () => {
  await recorder.stop();
  await rm(home, { recursive: true, force: true });
});

async function start(flags: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  recorder = await startRecorder({ display: display.display, home, flags, environment });
}

async function record(contactId: string): Promise<void> {
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await sleep(600); // the length of the contact
  await page.ask('contact.stop', { contactId });
  await page.event(contactId, 'PUBLISHED');
  await page.close();
}

type Ended = Extract<DeskEvent, { 'detail-type': 'Recorder Ended' }>;

async function ends(): Promise<Ended['detail'][]> {
  const events = await recorder.deskEvents();
  return events.flatMap((one) => (one['detail-type'] === 'Recorder Ended' ? [one.detail] : []));
}
const causes = async (): Promise<string[]> => (await ends()).map(({ endInfo }) => endInfo.cause);
const marks = async (): Promise<string[]> =>
  (await readdir(recorder.dataDir)).filter((name) => name.startsWith('run'));

describe('how a recorder has ended', () => {
  it('is no event at the very first start, and one with its cause when it leaves', async () => {
    await start();
    expect(await ends()).toEqual([]);
    expect(await recorder.stop()).toBe(0);
    expect(await ends()).toMatchObject([{ endInfo: { cause: 'terminated', contactWasOn: false } }]);
    expect(await marks()).toEqual([]);
    await start();
    await sleep(500); // what it could announce, it would have by now
    expect(await causes()).toEqual(['terminated']);
  });

  it('is announced once by the next one after a kill in a contact, with what is known of it', async () => {
    await start();
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await vi.waitFor(async () =>
      expect(await readFile(join(recorder.dataDir, 'run.json'), 'utf8')).toContain('"contactIsOn":true'),
    );
    const before = Date.now();
    recorder.kill('SIGKILL');
    await recorder.exited;
    await start();
    await vi.waitFor(async () => expect(await ends()).toHaveLength(1));
    const [{ endInfo, agentArn, deskId }] = (await ends()) as [Ended['detail']];
    expect(endInfo).toMatchObject({ cause: 'unexpected', contactWasOn: true });
    expect(agentArn).toBe(agent.agentArn);
    expect(deskId).toMatch(/^[0-9a-f]{16}$/);
    expect(Date.parse(endInfo.endTime)).toBeLessThanOrEqual(before);
    expect(Date.parse(endInfo.returnTime ?? '')).toBeGreaterThanOrEqual(before);
    expect(endInfo).not.toHaveProperty('crashReport');
    await recorder.stop();
    await start();
    await recorder.stop();
    expect(await causes()).toEqual(['unexpected', 'terminated', 'terminated']);
    expect(new Set((await ends()).map((one) => one.eventDeduplicationId)).size).toBe(3);
  });

  it('has the name of the crash report, and no path', async () => {
    await start();
    recorder.kill('SIGKILL');
    await recorder.exited;
    await writeFile(join(recorder.dataDir, 'logs', 'crash-20990101T000000.000Z-1.json'), '{}');
    await start();
    await vi.waitFor(async () => expect(await ends()).toHaveLength(1));
    expect((await ends())[0]?.endInfo.crashReport).toBe('crash-20990101T000000.000Z-1.json');
    expect(JSON.stringify(await ends())).not.toContain(home);
  });

  it('never ends after it returned, although the clock was set back; a damaged record is an end all the same', async () => {
    await start();
    recorder.kill('SIGKILL');
    await recorder.exited;
    const file = join(recorder.dataDir, 'run.json');
    await writeFile(file, '{"runId":');
    const tomorrow = new Date(Date.now() + 86_400_000);
    await utimes(file, tomorrow, tomorrow);
    await start();
    await vi.waitFor(async () => expect(await ends()).toHaveLength(1));
    const [{ endInfo }] = (await ends()) as [Ended['detail']];
    expect(endInfo.cause).toBe('unexpected');
    expect(endInfo.endTime <= (endInfo.returnTime ?? '')).toBe(true);
    expect(endInfo).not.toHaveProperty('startTime');
  });

  it('waits for a destination that cannot be written, through a second crash, and is not lost', async () => {
    const flags = ['--status-events-file', join(home, 'events')];
    await start();
    recorder.kill('SIGKILL');
    await recorder.exited;
    // A folder in the place of the file.
    await start(['--status-events-file', home]);
    recorder.kill('SIGKILL');
    await recorder.exited;
    expect((await marks()).filter((name) => name.startsWith('run-ended'))).toHaveLength(1);
    await start(flags);
    await vi.waitFor(async () => expect(await readFile(join(home, 'events'), 'utf8')).toMatch(/(.*\n){2}/));
    const lines = (await readFile(join(home, 'events'), 'utf8')).trim().split('\n');
    const ids = lines.map((line) => deskEventSchema.parse(JSON.parse(line)).detail.eventDeduplicationId);
    expect(new Set(ids).size).toBe(2);
    await vi.waitFor(async () => expect(await marks()).toEqual(['run.json']));
  });

  it.skipIf(process.getuid?.() !== 0)(
    'on a full disk is still one on purpose (SKIPPED without root)',
    async () => {
      const folder = join(home, 'small');
      await mkdir(folder);
      const program = fileURLToPath(new URL('../rig/fullDiskProcess.ts', import.meta.url));
      const [command, ...words] = [
        ...withMount(folder, 'size=64k'),
        process.execPath,
        '--import',
        'tsx',
        program,
        folder,
      ];
      const { stdout } = await run(command, words);
      const { isFull, names, causes: found } = JSON.parse(stdout.toString()) as Record<string, unknown>;
      expect({ isFull, found }).toEqual({ isFull: true, found: ['shutdown'] });
      expect(names).toEqual([expect.stringMatching(/^run-ended\.shutdown\./)]);
      await start();
    },
  );

  it('is not announced by `sightline try`', async () => {
    await start();
    await recorder.stop();
    const flags = ['--data-dir', recorder.dataDir, '--sink-folder', recorder.sinkFolder];
    const args = ['try', '--seconds', '5', ...flags];
    await host.run({ args, display: display.display, environment: {}, wrapper: [] });
    expect(await causes()).toEqual(['terminated']);
  });
});

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** IT's endpoint, and what it was sent. */
async function startEndpoint(behave: Behaviour) {
  const bodies: string[] = [];
  const state = { behave, requests: 0 };
  const server: Server = createServer((request, response) => {
    state.requests += 1;
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.push(body);
      state.behave(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ bodies, state, url: `http://127.0.0.1:${port}/beat/confidential-path` },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
const taken: Behaviour = (_, response) => void response.writeHead(202).end();
const parsed = (text = ''): DeskEvent => deskEventSchema.parse(JSON.parse(text));
const beatOf = (event: DeskEvent | undefined) =>
  event?.['detail-type'] === 'Recorder Heartbeat' ? event.detail.heartbeat : undefined;

describe('the heartbeat', () => {
  const WITHIN = { timeout: 20_000 };
  let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
  beforeEach(async () => {
    endpoint = await startEndpoint(taken);
  });
  afterEach(() => endpoint.stop());
  const toEndpoint = (): string[] => ['--heartbeat', 'url', '--heartbeat-url', endpoint.url];

  it('is not sent unless policy asks for it', async () => {
    await start(['--heartbeat-url', endpoint.url]);
    await record('c');
    await sleep(11_000); // the first heartbeat comes within 10 s
    expect(endpoint.state.requests).toBe(0);
    expect((await recorder.deskEvents()).length).toBe(0);
  });

  it('reaches an endpoint after the start, and again when what matters changes', async () => {
    await start(toEndpoint());
    await vi.waitFor(() => expect(endpoint.bodies).toHaveLength(1), WITHIN);
    const first = parsed(endpoint.bodies[0]);
    expect(beatOf(first)).toMatchObject({
      ...{ state: 'idle', uploads: { waiting: 0, waitingBytes: 0, failed: 0 } },
      policyHash: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
      freeBytes: expect.any(Number) as unknown,
    });
    expect(first.detail).not.toHaveProperty('agentArn');
    await record('secret-contact');
    await vi.waitFor(() => expect(endpoint.bodies.length).toBeGreaterThan(1), WITHIN);
    const last = parsed(endpoint.bodies.at(-1));
    expect(last.detail.agentArn).toBe(agent.agentArn);
    expect(endpoint.bodies.join()).not.toContain('secret-contact');
    expect(recorder.stderr()).not.toContain('confidential-path');
  });

  it('says what waits: recordings whose folder cannot be written, and what the checks found', async () => {
    await writeFile(join(home, 'sink'), 'a file in the place of the folder');
    await start(toEndpoint());
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await sleep(600); // the length of the contact
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'COMPLETED');
    const args = ['doctor', '--data-dir', recorder.dataDir, '--sink-folder', recorder.sinkFolder];
    await host.run({ args, display: display.display, environment: {}, wrapper: [] });
    await page.close();
    await vi.waitFor(() => {
      const beats = endpoint.bodies.map((body) => beatOf(parsed(body)));
      expect(beats).toContainEqual(
        expect.objectContaining({
          uploads: expect.objectContaining({
            waiting: 1,
            oldestTime: expect.any(String) as unknown,
          }) as unknown,
          // FAILED after the third attempt.
          lastContact: expect.objectContaining({
            outcome: expect.stringMatching(/^(COMPLETED|FAILED)$/) as unknown,
          }) as unknown,
        }),
      );
    }, WITHIN);
    const beat = endpoint.bodies
      .map((body) => beatOf(parsed(body)))
      .find((one) => one?.uploads.waiting === 1);
    expect(beat?.uploads.waitingBytes).toBeGreaterThan(1000);
    // Found within a minute after the checks: a file has changed.
    await vi.waitFor(
      () => {
        const checks = beatOf(parsed(endpoint.bodies.at(-1)))?.lastChecks;
        expect(checks?.failing).toContain('sink folder');
      },
      { timeout: 70_000, interval: 500 },
    );
  });

  it.each<[string, Behaviour]>([
    ['answers with 500', (_, response) => void response.writeHead(500).end('no')],
    ['redirects', (_, response) => void response.writeHead(302, { Location: '/elsewhere' }).end()],
    ['never answers', () => undefined],
    ['answers without end', (_, response) => flood(response)],
    ['resets', (request) => void request.socket.resetAndDestroy()],
  ])('to an endpoint that %s costs nothing else', async (_, behave) => {
    endpoint.state.behave = behave;
    await start(toEndpoint());
    await vi.waitFor(() => expect(endpoint.state.requests).toBeGreaterThan(0), WITHIN);
    const before = await residentMiB();
    await record('c1');
    await record('c2');
    expect((await recorder.events()).map(({ detail }) => detail.recordingStatus)).toHaveLength(6);
    // A flood would be hundreds of MiB.
    expect(await residentMiB()).toBeLessThan(before + 80);
    expect(endpoint.state.requests).toBeLessThan(12);
    const stopped = performance.now();
    expect(await recorder.stop()).toBe(0);
    expect(performance.now() - stopped).toBeLessThan(5000);
    const told = recorder
      .stderr()
      .split('\n')
      .filter((line) => line.includes('heartbeats do not reach'));
    expect(told.length).toBeLessThanOrEqual(2);
  });

  it('reaches a bus behind the status events, and never fills the outbox of one that is down', async () => {
    const bus: EventBridgeServer = await startEventBridgeServer();
    try {
      await bus.down();
      await start(
        [
          ...['--heartbeat', 'events', '--event-bus-name', bus.bus, '--aws-region', bus.region],
          ...['--event-bridge-endpoint', bus.endpoint],
        ],
        keyEnvironment(home),
      );
      await record('c');
      await vi.waitFor(async () => expect((await recorder.deskEvents()).length).toBeGreaterThan(0), WITHIN);
      expect(await readdir(join(recorder.dataDir, 'outbox'))).toHaveLength(3);
      await bus.up();
      await bus.until(({ received }) =>
        received.some(({ detailType }) => detailType === 'Recorder Heartbeat'),
      );
      const types = bus.received.map(({ detailType }) => detailType);
      expect(types.slice(0, 3)).toEqual(Array(3).fill('Screen Recording Status Changed'));
      expect(types.filter((one) => one === 'Recorder Heartbeat')).toHaveLength(1);
    } finally {
      await recorder.stop();
      await bus.stop();
    }
  });
});

function flood(response: ServerResponse): void {
  response.writeHead(200);
  const chunk = Buffer.alloc(1024 * 1024);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${recorder.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
