// The fuzz run: while an honest page records a contact, random requests, upgrades and websocket frames go to the same
// port, some of them by pages of the same agent with contacts of their own. Then the honest MP4 is judged by its pixels.
import { request } from 'node:http';
import { readFile, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { accessOf } from '../rig/control.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { agent, connectPage, startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { Dice } from './common.ts';
import {
  attackText,
  mutate,
  randomFrame,
  randomHeaders,
  randomPath,
  rawFrame,
  SECRET,
} from './fuzzInputs.ts';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface FuzzResult {
  readonly attacks: ReadonlyMap<string, number>;
  /** How long honest requests took, sorted, in milliseconds. */
  readonly answeredMs: readonly number[];
  readonly frames: number;
  readonly codes: number;
  readonly clockMaxMs: number;
  readonly memoryMiB: { readonly before: number; readonly after: number; readonly peak: number };
  readonly complaints: readonly string[];
}

const HONEST = { contactId: 'honest' };
const MAX_AT_ONCE = 8;
const PAUSE_MS = 10;
const ATTACK_WITHIN_MS = 3000;
const ANSWER_WITHIN_MS = 5000;
const MAX_CLOCK_ERROR_MS = 200;
const MAX_GROWTH_MIB = 200;

export async function soakFuzz({ seconds, seed, signal, onProgress }: FuzzOptions): Promise<FuzzResult> {
  const desk = await startDesk({ monitors: oneMonitor });
  const recorder = await startRecorder({ display: desk.display });
  const complaints: string[] = [];
  const attacks = new Map<string, number>();
  const answeredMs: number[] = [];
  try {
    let exit: number | null | undefined;
    void recorder.exited.then((code) => (exit = code));
    const page = await recorder.connect();
    await page.ask('contact.start', { ...HONEST, channel: 'VOICE' });
    const before = await memoryOf(recorder.pid);
    const ending = new AbortController();
    const asking = askHonestly(recorder, page, answeredMs, complaints, ending.signal);
    await attackFor(seconds * 1000, recorder.port, new Dice(seed), attacks, signal, onProgress);
    ending.abort();
    await asking;
    await endOtherContacts(recorder);
    await sleep(1000);
    if (exit !== undefined)
      throw new Error(`Sightline ended with ${String(exit)}:\n${recorder.stderr().slice(-2000)}`);
    const after = await memoryOf(recorder.pid);
    if (after.now - before.now > MAX_GROWTH_MIB)
      complaints.push(`memory grew from ${before.now.toFixed(0)} to ${after.now.toFixed(0)} MiB`);
    await page.ask('contact.stop', HONEST);
    await page.event(HONEST.contactId, 'PUBLISHED');
    const judged = await judgeRecording(recorder, complaints);
    await searchLogs(recorder, complaints);
    return {
      ...{ attacks, answeredMs: answeredMs.sort((a, b) => a - b), complaints },
      ...judged,
      memoryMiB: { before: before.now, after: after.now, peak: after.peak },
    };
  } finally {
    await recorder.stop();
    await desk.stop();
  }
}

/** A ping and a health request five times a second, as long as it takes. */
async function askHonestly(
  recorder: Recorder,
  page: Page,
  answeredMs: number[],
  complaints: string[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now();
    const late = sleep(ANSWER_WITHIN_MS, 'late' as const, { ref: false });
    const health = fetch(`http://127.0.0.1:${recorder.port}/v1/health`, {
      headers: { Origin: 'http://localhost:3000' },
    }).then(
      async (answer) => (await answer.text(), answer.status === 200),
      () => false,
    );
    const ping = page.request('ping').then(({ ok }) => ok);
    const found = await Promise.race([Promise.all([ping, health]), late]);
    if (found === 'late') complaints.push(`an honest request had no answer within ${ANSWER_WITHIN_MS} ms`);
    else if (!found.every(Boolean))
      complaints.push(`an honest request failed: ping, health: ${found.join(', ')}`);
    answeredMs.push(Math.round(performance.now() - began));
    await sleep(200);
  }
}

async function attackFor(
  ms: number,
  port: number,
  dice: Dice,
  attacks: Map<string, number>,
  signal: AbortSignal | undefined,
  onProgress: FuzzOptions['onProgress'],
): Promise<void> {
  const until = performance.now() + ms;
  const underWay = new Set<Promise<void>>();
  let stories: Promise<void> = Promise.resolve();
  let toldAt = performance.now();
  for (let count = 0; performance.now() < until && signal?.aborted !== true; count += 1) {
    const name = dice.next() < 0.02 ? 'contacts of a second page' : dice.pick(Object.keys(plain));
    // Each has a generator of its own: what runs beside it does not change what it does.
    const own = new Dice(Math.floor(dice.next() * 2 ** 31));
    attacks.set(name, (attacks.get(name) ?? 0) + 1);
    if (name in plain) {
      const one: Promise<void> = within(plain[name]!(port, own)).finally(() => underWay.delete(one));
      underWay.add(one);
    } else {
      stories = stories.then(() => secondPage(port, own, `fuzz-${count}`)).catch(() => undefined);
    }
    if (underWay.size >= MAX_AT_ONCE) await Promise.race(underWay);
    await sleep(PAUSE_MS);
    if (performance.now() - toldAt > 10_000) {
      onProgress?.(`${count} attacks`);
      toldAt = performance.now();
    }
  }
  await Promise.all([...underWay, stories]);
}

/** Refusals and cut connections are what is expected of these. */
function within(attack: Promise<unknown>): Promise<void> {
  const over = sleep(ATTACK_WITHIN_MS, undefined, { ref: false });
  return Promise.race([
    attack.then(
      () => undefined,
      () => undefined,
    ),
    over,
  ]);
}

const plain: Readonly<Record<string, (port: number, dice: Dice) => Promise<unknown>>> = {
  'http requests': (port, dice) =>
    new Promise((resolve) => {
      const method = dice.pick(['GET', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'HEAD', 'PROPFIND']);
      const asked = request(
        {
          host: '127.0.0.1',
          port,
          method,
          path: randomPath(dice),
          headers: randomHeaders(dice, port),
          agent: false,
        },
        (response) => response.resume().on('close', resolve),
      );
      asked
        .on('error', resolve)
        .on('close', resolve)
        .setTimeout(1000, () => asked.destroy());
      asked.end(method === 'POST' ? 'x'.repeat(Math.floor(dice.between(0, 100_000))) : undefined);
    }),
  'broken http and upgrades': (port, dice) =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(mutate(dice, Buffer.from(attackText(dice, port))));
        setTimeout(() => socket.destroy(), dice.between(1, 300));
      });
      socket.on('error', resolve).on('close', resolve).resume();
    }),
  'broken websocket frames': (port, dice) =>
    onSocket(port, dice, (socket) => {
      const bytes = Buffer.concat(Array.from({ length: 3 }, () => rawFrame(dice)));
      // Below ws, which writes none that are wrong.
      (socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(bytes);
    }),
  'messages before hello': (port, dice) =>
    onSocket(port, dice, (socket) => {
      for (let count = 0; count < 20; count += 1) socket.send(randomFrame(dice));
    }),
  'messages after hello': (port, dice) =>
    onSocket(port, dice, (socket) => {
      socket.send(JSON.stringify({ id: 'h', type: 'hello', protocol: 1, ...agent, token: SECRET }));
      for (let count = 0; count < 20; count += 1) socket.send(randomFrame(dice));
    }),
  'oversized messages': (port, dice) =>
    onSocket(port, dice, (socket) => socket.send('x'.repeat(Math.floor(dice.between(60_000, 300_000))))),
};

function onSocket(port: number, dice: Dice, act: (socket: WebSocket) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`, { origin: 'http://localhost:3000' });
    socket.on('error', () => resolve()).on('close', () => resolve());
    socket.on('open', () => {
      act(socket);
      setTimeout(() => (dice.next() < 0.5 ? socket.terminate() : socket.close()), dice.between(5, 300));
    });
  });
}

/** Starts, suspends and ends a contact of its own; a suspension is the whole screen's. */
async function secondPage(port: number, dice: Dice, contactId: string): Promise<void> {
  const page = await connectPage(port);
  const asked: Promise<unknown>[] = [page.request('contact.start', { contactId, channel: 'CHAT' })];
  for (let count = dice.between(1, 6); count > 0; count -= 1) {
    const type = dice.pick(['contact.suspend', 'contact.resume', 'contact.start', 'hello', 'status']);
    asked.push(page.request(type, { contactId, channel: 'CHAT', protocol: 1, ...agent }));
    if (dice.next() < 0.5) await within(Promise.all(asked));
  }
  asked.push(page.request('contact.stop', { contactId }));
  await within(Promise.all(asked));
  await page.close();
}

/** What a story left open would suspend the honest page, too. */
async function endOtherContacts(recorder: Recorder): Promise<void> {
  const page = await recorder.connect();
  const { recordings } = await page.ask<{ recordings: { contactId: string }[] }>('status');
  for (const { contactId } of recordings)
    if (contactId !== HONEST.contactId) await page.request('contact.stop', { contactId });
  await page.close();
}

async function judgeRecording(
  recorder: Recorder,
  complaints: string[],
): Promise<Pick<FuzzResult, 'frames' | 'codes' | 'clockMaxMs'>> {
  const found = (await recorder.published()).find(
    ({ manifest }) => manifest.contact.contactId === HONEST.contactId,
  );
  if (found === undefined) throw new Error('The honest recording was not published.');
  const said = await decodesCleanly(found.mp4);
  if (said !== '') complaints.push(`the honest MP4 does not decode: ${said}`);
  const frames = await decodeRecording(found.mp4, found.manifest);
  const clock = recordingClock(frames, found.manifest);
  if (clock.count === 0) complaints.push('the honest MP4 has no picture whose time can be read');
  if (clock.maxMs > MAX_CLOCK_ERROR_MS)
    complaints.push(
      `the honest MP4 is off by ${clock.maxMs.toFixed(0)} ms at ${clock.worst?.ptsMs ?? '?'} ms`,
    );
  return { frames: frames.length, codes: clock.count, clockMaxMs: clock.maxMs };
}

async function searchLogs(recorder: Recorder, complaints: string[]): Promise<void> {
  const folder = join(recorder.dataDir, 'logs');
  const names = await readdir(folder).catch(() => []);
  const logs = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const text = [recorder.stderr(), ...logs].join('\n');
  const { token, proof } = await accessOf(recorder);
  for (const [what, secret] of Object.entries({ 'a token of a page': SECRET, token, proof }))
    if (text.includes(secret)) complaints.push(`the log holds ${what}`);
}

async function memoryOf(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}
