// `npm run soak:clock -- --hours N`: one recording of N hours in which everything happens that may disturb the clock,
// then every frame of it is decoded and each monitor's block code compared with the frame's own time. Prints a report
// (and writes it with --report FILE.md); exits with 1 when a frame is off by more than the limit.

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDesk, type Desk, type MonitorSpec } from '../test/rig/desk.ts';
import { decodesCleanly, probe } from '../test/rig/mp4.ts';
import { startRecorder, type Page, type Recorder } from '../test/rig/recorder.ts';
import { decodeRecording, type RecordingFrame } from '../test/rig/recordingFrames.ts';
import type { Manifest } from '../main/shared/manifest.ts';
import { costOf, Dice, ffmpegsOf, quantile, signal, soakOptions, table } from '../test/soak/common.ts';

const LIMIT_MS = 200;
/** How long after the start of a run its monitors may still be on their way (the rig's windows follow the change). */
const SETTLING_MS = 1000;

const options = soakOptions({ hours: 1, seed: 1, monitors: 2, report: '' });
const dice = new Dice(options.seed);
const layout: readonly MonitorSpec[] = [
  { x: 0, y: 0, width: 1280, height: 720 },
  { x: 1280, y: 0, width: 1024, height: 768 },
  { x: 2304, y: 0, width: 720, height: 1280 },
].slice(0, options.monitors);

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
const counts = new Map<string, number>();
const contact = { contactId: 'soak' };

const desk = await startDesk({ monitors: layout, changeable: true });
const recorder = await startRecorder({ display: desk.display });
let failed = true;
try {
  failed = await run(desk, recorder);
} finally {
  await recorder.stop();
  await desk.stop();
}
process.exit(failed ? 1 : 0);

async function run(theDesk: Desk, theRecorder: Recorder): Promise<boolean> {
  let page = await theRecorder.connect();
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  const began = performance.now();
  const endAt = began + options.hours * 3_600_000;
  const events = disturbances(theDesk, theRecorder, {
    get page() {
      return page;
    },
    async reload() {
      page.socket.terminate();
      await sleep(dice.between(100, 3000));
      page = await theRecorder.connect();
    },
  });
  for (;;) {
    const wait = Math.min(dice.between(5_000, 30_000), endAt - performance.now());
    if (wait <= 0 || !(await pause(wait))) break;
    const [name, act] = dice.pick(events);
    await act();
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const minutes = (performance.now() - began) / 60_000;
    process.stderr.write(`${minutes.toFixed(1)} min: ${name}\n`);
  }
  await sleep(2000);
  await page.ask('contact.stop', contact);
  const stoppedAt = performance.now();
  await page.event(contact.contactId, 'PUBLISHED');
  const publishedMs = performance.now() - stoppedAt;
  const cost = await costOf(theRecorder.pid);
  const found = (await theRecorder.published()).find(
    ({ manifest }) => manifest.contact.contactId === contact.contactId,
  );
  if (found === undefined) throw new Error('The recording was not published.');
  const { mp4, manifest } = found;
  const complaints = await decodesCleanly(mp4);
  const { durationMs } = await probe(mp4);
  const frames = await decodeRecording(mp4, manifest);
  const standing = await codesThatStood(theDesk);
  const result = judge(frames, manifest, standing);
  const text = report(result, { manifest, durationMs, publishedMs, complaints, cost, frames });
  console.log(text);
  if (options.report !== '') writeFileSync(options.report, `${text}\n`);
  return result.ownMaxMs > LIMIT_MS || result.unread > 0 || complaints !== '';
}

/** Waits; false when the program is to end early. */
function pause(ms: number): Promise<boolean> {
  return sleep(ms, true, { signal: interrupted.signal }).catch(() => false);
}

function disturbances(
  theDesk: Desk,
  theRecorder: Recorder,
  ccp: { readonly page: Page; reload(): Promise<void> },
): readonly (readonly [string, () => Promise<unknown>])[] {
  let others = 0;
  const all: (readonly [string, () => Promise<unknown>])[] = [
    [
      'suspension',
      async () => {
        await ccp.page.ask('contact.suspend', contact);
        await sleep(dice.between(500, 8000));
        await ccp.page.ask('contact.resume', contact);
      },
    ],
    [
      'ffmpeg killed',
      async () => (await ffmpegsOf(theRecorder.pid)).forEach((pid) => signal(pid, 'SIGKILL')),
    ],
    [
      'ffmpeg stalled for 3 s',
      async () => {
        const pids = await ffmpegsOf(theRecorder.pid);
        pids.forEach((pid) => signal(pid, 'SIGSTOP'));
        await sleep(3000);
        pids.forEach((pid) => signal(pid, 'SIGCONT'));
      },
    ],
    [
      'another contact (a rotation)',
      async () => {
        others += 1;
        const other = { contactId: `other-${others}` };
        await ccp.page.ask('contact.start', { ...other, channel: 'CHAT' });
        await sleep(dice.between(300, 6000));
        await ccp.page.ask('contact.stop', other);
      },
    ],
    ['page reloaded', () => ccp.reload()],
  ];
  const [first, second] = layout;
  if (first !== undefined && second !== undefined) {
    all.push([
      'monitor unplugged and plugged',
      async () => {
        await theDesk.arrange(layout.map((one, index) => (index === 1 ? null : one)));
        await sleep(dice.between(1500, 6000));
        await theDesk.arrange(layout);
      },
    ]);
    all.push([
      'resolution changed and back',
      async () => {
        await theDesk.arrange(
          layout.map((one, index) => (index === 1 ? { ...one, width: 800, height: 600 } : one)),
        );
        await sleep(dice.between(1500, 6000));
        await theDesk.arrange(layout);
      },
    ]);
  }
  return all;
}

/** Until when each monitor's late codes were on the screen, by monitor and the time in the code. */
async function codesThatStood(theDesk: Desk): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const all = theDesk.monitors.map(async ({ name, number }) => {
    const stats = await theDesk.painters[number - 1]?.stats();
    return [name, new Map(stats?.late.map((one) => [one.paintedAtMs, one.untilMs]))] as const;
  });
  return new Map(await Promise.all(all));
}

interface Result {
  /** |error|: from the time in the code to the frame's. */
  readonly sorted: readonly number[];
  /** Less the time for which a late painter left the code standing. */
  readonly own: readonly number[];
  readonly ownMaxMs: number;
  readonly lateCodes: number;
  readonly maxMs: number;
  readonly unread: number;
  readonly worst: string;
  readonly firstMinuteMs: number;
  readonly lastMinuteMs: number;
  readonly slopeMsPerHour: number;
  readonly longestHoleMs: number;
}

function judge(
  frames: readonly RecordingFrame[],
  manifest: Manifest,
  standing: ReadonlyMap<string, ReadonlyMap<number, number>>,
): Result {
  const startTime = Date.parse(manifest.startTime);
  const starts = manifest.runs.map((one) => one.offsetMs);
  const signed: { at: number; error: number; monitor: string }[] = [];
  const own: number[] = [];
  let unread = 0;
  let longestHoleMs = 0;
  frames.forEach((frame, index) => {
    const isSettling = starts.some((at) => frame.ptsMs >= at - 1 && frame.ptsMs < at + SETTLING_MS);
    for (const [monitor, code] of frame.codes) {
      if (code === null) {
        if (!isSettling) unread += 1;
        continue;
      }
      const error = frame.ptsMs - (code.timeMs - startTime);
      const stoodMs = (standing.get(monitor)?.get(code.timeMs) ?? code.timeMs) - code.timeMs;
      signed.push({ at: frame.ptsMs, error, monitor });
      own.push(error < 0 ? -error : Math.max(0, error - stoodMs));
    }
    const next = frames[index + 1];
    if (frame.piece.kind === 'run' && next?.piece.kind === 'run')
      longestHoleMs = Math.max(longestHoleMs, next.ptsMs - frame.ptsMs);
  });
  const sorted = signed.map(({ error }) => Math.abs(error)).sort((a, b) => a - b);
  const [first] = signed;
  if (first === undefined) throw new Error('No block code could be read: nothing is proved.');
  const worst = signed.reduce((a, b) => (Math.abs(b.error) > Math.abs(a.error) ? b : a), first);
  const mean = (list: typeof signed): number => list.reduce((sum, one) => sum + one.error, 0) / list.length;
  const end = manifest.durationMs;
  const [mx, my] = [signed.reduce((sum, one) => sum + one.at, 0) / signed.length, mean(signed)];
  const covariance = signed.reduce((sum, one) => sum + (one.at - mx) * (one.error - my), 0);
  const variance = signed.reduce((sum, one) => sum + (one.at - mx) ** 2, 0);
  own.sort((a, b) => a - b);
  return {
    sorted,
    own,
    ownMaxMs: quantile(own, 1),
    lateCodes: [...standing.values()].reduce((sum, codes) => sum + codes.size, 0),
    maxMs: quantile(sorted, 1),
    unread,
    worst: `${worst.error.toFixed(0)} ms on ${worst.monitor} at ${(worst.at / 1000).toFixed(1)} s`,
    firstMinuteMs: mean(signed.filter(({ at }) => at < 60_000)),
    lastMinuteMs: mean(signed.filter(({ at }) => at > end - 60_000)),
    slopeMsPerHour: (covariance / variance) * 3_600_000,
    longestHoleMs,
  };
}

interface Facts {
  readonly manifest: Manifest;
  readonly durationMs: number;
  readonly publishedMs: number;
  readonly complaints: string;
  readonly cost: Awaited<ReturnType<typeof costOf>>;
  readonly frames: readonly RecordingFrame[];
}

function report(
  result: Result,
  { manifest, durationMs, publishedMs, complaints, cost, frames }: Facts,
): string {
  const { sorted } = result;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const bounds = [0, 10, 20, 30, 40, 60, 80, 100, 150, 200, Infinity];
  const histogram = bounds.slice(1).map((to, index) => {
    const from = bounds[index] ?? 0;
    const count = sorted.filter((one) => one >= from && one < to).length;
    return [
      `${from} to ${to === Infinity ? 'more' : to} ms`,
      count,
      `${((count / sorted.length) * 100).toFixed(3)} %`,
    ];
  });
  const minutes = manifest.durationMs / 60_000;
  const gaps = new Map<string, number>();
  for (const { reason } of manifest.gaps) gaps.set(reason, (gaps.get(reason) ?? 0) + 1);
  const list = (of: ReadonlyMap<string, number>): string =>
    [...of].map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
  return [
    '# One clock: the soak',
    '',
    `\`npm run soak:clock -- --hours ${options.hours} --monitors ${options.monitors} --seed ${options.seed}\``,
    '',
    `One recording of ${minutes.toFixed(1)} minutes on ${options.monitors} monitors that show their own time. Every frame was`,
    'decoded and the block code on each monitor compared with the frame’s time in the MP4. The painter leaves each code',
    'standing for up to 40 ms (25 pictures a second), so that much of the error is the rig’s own; where the machine was so',
    'busy that a code stood for more than 80 ms, the painter has noted until when, and that is taken away in a second row.',
    '',
    table([
      ['what', 'seen'],
      ['disturbances', list(counts)],
      ['runs of ffmpeg', manifest.runs.length],
      ['gaps', list(gaps)],
      ['frames', frames.length],
      ['codes compared', sorted.length],
      ['codes that could not be read (1 s after a change not counted)', result.unread],
      ['error p50', ms(quantile(sorted, 0.5))],
      ['error p90', ms(quantile(sorted, 0.9))],
      ['error p99', ms(quantile(sorted, 0.99))],
      ['error p99.9', ms(quantile(sorted, 0.999))],
      ['error max', `${ms(result.maxMs)} (${result.worst})`],
      ['codes that a late painter left standing', result.lateCodes],
      [
        'error less that time: p99, p99.9',
        `${ms(quantile(result.own, 0.99))}, ${ms(quantile(result.own, 0.999))}`,
      ],
      [`error less that time: max (limit ${LIMIT_MS} ms)`, ms(result.ownMaxMs)],
      ['mean signed error, first minute', ms(result.firstMinuteMs)],
      ['mean signed error, last minute', ms(result.lastMinuteMs)],
      ['drift (least squares)', `${result.slopeMsPerHour.toFixed(2)} ms an hour`],
      ['longest time between two frames of runs (stalls of 3 s included)', ms(result.longestHoleMs)],
      ['length of the MP4 less endTime - startTime', ms(durationMs - manifest.durationMs)],
      ['decodes without an error', complaints === '' ? 'yes' : complaints],
      ['stop to published', ms(publishedMs)],
      ['size', `${(manifest.video.sizeBytes / 1e6).toFixed(1)} MB`],
      [
        'CPU seconds a minute: Sightline, ffmpeg',
        `${(cost.own / minutes).toFixed(2)}, ${(cost.children / minutes).toFixed(2)}`,
      ],
      ['Sightline’s largest memory', `${cost.peakMiB.toFixed(0)} MiB`],
    ]),
    '',
    table([['|error|', 'codes', 'share'], ...histogram]),
  ].join('\n');
}
