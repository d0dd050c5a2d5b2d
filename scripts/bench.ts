// `npm run bench`: how quick and how light the recorder is on this machine, beside plain ffmpeg with libx264 on the
// same display in the same run. Prints a table (Markdown) and, as its last line, the same as JSON. Linux only: it
// reads /proc. Options: --contacts N (10 or more), --seconds N for each recording that is weighed, --size WxH.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDisplay } from '../test/rig/display.ts';
import type { SceneName } from '../test/rig/painter.ts';
import { startPainter } from '../test/rig/painter.ts';
import { findTool } from '../test/rig/process.ts';
import type { Page, Recorder } from '../test/rig/recorder.ts';
import { startRecorder } from '../test/rig/recorder.ts';
import { cpuSeconds } from '../test/rig/usage.ts';
import { benchUpload, deliveryLines, type DeliveryFigures } from './benchUpload.ts';

const { values } = parseArgs({
  options: {
    contacts: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '30' },
    size: { type: 'string', default: '1920x1080' },
  },
});
const contacts = Math.max(10, Number(values.contacts));
const seconds = Number(values.seconds);
const [width = 1920, height = 1080] = values.size.split('x').map(Number);

/** Milliseconds, one for each contact. */
interface Latencies {
  readonly 'start: request to first frame grabbed': number[];
  readonly 'start: request to reply (first frame in the spool)': number[];
  readonly 'suspend: request to acknowledgement': number[];
  readonly 'resume: request to first new frame grabbed': number[];
  readonly 'stop: request to reply': number[];
  readonly 'stop: request to file published': number[];
}

interface Weight {
  readonly cpuSecondsPerMinute: number;
  readonly bytesPerMinute: number;
}

const display = await startDisplay({ width, height });
const home = await mkdtemp(join(tmpdir(), 'sightline-bench-'));
try {
  const delivery = await benchUpload(note);
  const started = performance.now();
  const recorder = await startRecorder({ display: display.display, home });
  const startUpMs = performance.now() - started;
  const page = await recorder.connect();
  note(`timing ${contacts} contacts`);
  const latencies = await timeContacts(page);
  note('idle');
  const idle = await weighIdle(recorder);
  const weights: Record<string, { sightline: Weight; x264: Weight }> = {};
  for (const scene of ['still', 'busy'] as const) {
    note(`weighing ${seconds} s of a ${scene} desktop, twice`);
    weights[scene] = await onScene(scene, async () => ({
      sightline: await weighSightline(recorder, page, scene),
      x264: await weighPlainFfmpeg(scene),
    }));
  }
  await recorder.stop();
  report(startUpMs, latencies, idle, weights, delivery);
} finally {
  await display.stop();
  await rm(home, { recursive: true, force: true });
}

async function timeContacts(page: Page): Promise<Latencies> {
  const found: Latencies = {
    'start: request to first frame grabbed': [],
    'start: request to reply (first frame in the spool)': [],
    'suspend: request to acknowledgement': [],
    'resume: request to first new frame grabbed': [],
    'stop: request to reply': [],
    'stop: request to file published': [],
  };
  const painter = await startPainter({ display: display.display, scene: 'busy' });
  for (let index = 0; index < contacts; index += 1) {
    const contactId = `bench-${index}`;
    const timed = async (type: string, fields = {}) => {
      const at = Date.now();
      const since = performance.now();
      const reply = await page.ask<Record<string, string>>(type, { contactId, ...fields });
      return { reply, at, since, ms: performance.now() - since };
    };
    const start = await timed('contact.start', { channel: 'VOICE' });
    found['start: request to reply (first frame in the spool)'].push(start.ms);
    found['start: request to first frame grabbed'].push(Date.parse(start.reply.startTime ?? '') - start.at);
    await sleep(1500);
    found['suspend: request to acknowledgement'].push((await timed('contact.suspend')).ms);
    // Long enough for a slate.
    await sleep(1200);
    const resume = await timed('contact.resume');
    found['resume: request to first new frame grabbed'].push(
      Date.parse(resume.reply.resumedAt ?? '') - resume.at,
    );
    await sleep(1500);
    const stop = await timed('contact.stop');
    found['stop: request to reply'].push(stop.ms);
    await page.event(contactId, 'PUBLISHED');
    found['stop: request to file published'].push(performance.now() - stop.since);
  }
  await painter.stop();
  return found;
}

async function onScene<T>(scene: SceneName, act: () => Promise<T>): Promise<T> {
  const painter = await startPainter({ display: display.display, scene });
  try {
    await sleep(1000); // the painter's own start-up is not the desktop
    return await act();
  } finally {
    await painter.stop();
  }
}

async function weighSightline(recorder: Recorder, page: Page, scene: string): Promise<Weight> {
  const contactId = `weigh-${scene}`;
  const before = await cpuSeconds(recorder.pid, 'with ended children');
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await sleep(seconds * 1000);
  await page.ask('contact.stop', { contactId });
  await page.event(contactId, 'PUBLISHED');
  const used = (await cpuSeconds(recorder.pid, 'with ended children')) - before;
  const published = await recorder.published();
  const manifest = published.find((one) => one.manifest.contact.contactId === contactId)?.manifest;
  if (manifest === undefined) throw new Error('nothing was published');
  return perMinute(used, manifest.video.sizeBytes, manifest.durationMs / 1000);
}

async function weighPlainFfmpeg(scene: string): Promise<Weight> {
  const file = join(home, `${scene}.mp4`);
  const before = await cpuSeconds(process.pid, 'ended children only');
  const ffmpeg = spawn(
    findTool(['ffmpeg'], 'Run `npm run setup`.'),
    [
      ...['-v', 'error', '-f', 'x11grab', '-framerate', '5', '-i', display.display, '-t', String(seconds)],
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', file],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  await once(ffmpeg, 'exit');
  const used = (await cpuSeconds(process.pid, 'ended children only')) - before;
  return perMinute(used, (await stat(file)).size, seconds);
}

async function weighIdle(recorder: Recorder): Promise<{ cpuPercent: number; residentMiB: number }> {
  const idleSeconds = 10;
  const before = await cpuSeconds(recorder.pid, 'with ended children');
  await sleep(idleSeconds * 1000);
  const used = (await cpuSeconds(recorder.pid, 'with ended children')) - before;
  const status = await readFile(`/proc/${recorder.pid}/status`, 'utf8');
  const kib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return { cpuPercent: (used / idleSeconds) * 100, residentMiB: kib / 1024 };
}

function perMinute(usedSeconds: number, bytes: number, overSeconds: number): Weight {
  return {
    cpuSecondsPerMinute: (usedSeconds / overSeconds) * 60,
    bytesPerMinute: (bytes / overSeconds) * 60,
  };
}

function report(
  startUpMs: number,
  latencies: Latencies,
  idle: { cpuPercent: number; residentMiB: number },
  weights: Record<string, { sightline: Weight; x264: Weight }>,
  delivery: DeliveryFigures,
): void {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}, ${width}x${height} at 5 fps`;
  const rows = Object.entries(latencies).map(([name, all]: [string, number[]]) => ({
    name,
    medianMs: quantile(all, 0.5),
    p95Ms: quantile(all, 0.95),
  }));
  const lines = [
    `Machine: ${machine}. ${contacts} contacts; ${seconds} s for each figure of weight.`,
    '',
    '| latency | median | p95 |',
    '| --- | ---: | ---: |',
    ...rows.map(({ name, medianMs, p95Ms }) => `| ${name} | ${ms(medianMs)} | ${ms(p95Ms)} |`),
    '',
    '| per recorded minute | Sightline (libopenh264) | plain ffmpeg (libx264 veryfast) |',
    '| --- | ---: | ---: |',
    ...Object.entries(weights).flatMap(([scene, { sightline, x264 }]) => [
      `| ${scene} desktop, CPU-seconds | ${sightline.cpuSecondsPerMinute.toFixed(1)} | ${x264.cpuSecondsPerMinute.toFixed(1)} |`,
      `| ${scene} desktop, kB | ${kilobytes(sightline)} | ${kilobytes(x264)} |`,
    ]),
    '',
    ...deliveryLines(delivery),
    '',
    `Start-up to \`ready\`: ${ms(startUpMs)}. Idle: ${idle.cpuPercent.toFixed(2)}% of a core, ${idle.residentMiB.toFixed(0)} MiB resident.`,
  ];
  console.log(lines.join('\n'));
  console.log(
    JSON.stringify({
      machine,
      contacts,
      seconds,
      startUpMs,
      idle,
      latencies: rows,
      perRecordedMinute: weights,
      delivery,
    }),
  );
}

function quantile(all: readonly number[], share: number): number {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function kilobytes({ bytesPerMinute }: Weight): string {
  return (bytesPerMinute / 1000).toFixed(0);
}

function note(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
