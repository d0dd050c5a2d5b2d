// `npm run bench:sessions`: what one session costs on a host of several (RDS, Citrix, one Linux host), and how many fit on a core.
// N recorders record N displays at the same time, a contact of a minute each; they have one core for themselves, displays and
// painters have the others. Prints a table (Markdown) for docs/performance.md and, as its last line, the same as JSON. Linux only.
// Options: --sessions 1,2,4 --seconds N --size WxH --scenes still,typing --anywhere (no core of their own).

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Manifest } from '../main/shared/manifest.ts';
import { startDisplay } from '../test/rig/display.ts';
import type { SceneName } from '../test/rig/painter.ts';
import { startPainter, type Painter } from '../test/rig/painter.ts';
import { SCENES } from '../test/rig/painterProtocol.ts';
import { findTool } from '../test/rig/process.ts';
import { startRecorder, type Page, type Recorder } from '../test/rig/recorder.ts';
import { cpuSeconds, memoryMiB, processorSeconds } from '../test/rig/usage.ts';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1,2,4,8,12,16' },
    seconds: { type: 'string', default: '60' },
    size: { type: 'string', default: '1920x1080' },
    scenes: { type: 'string', default: 'still,typing' },
    anywhere: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const [width = 1920, height = 1080] = values.size.split('x').map(Number);
const scenes = values.scenes.split(',').map(sceneNamed);
/** A screen that changes as often as it is grabbed. */
const PAINTS_PER_SECOND = 5;
/** More is not "all frames": a blank that is typed changes nothing, and two letters may fall between two grabs. */
const LOST_SHARE = 0.1;
const FULL_SHARE = 0.97;

interface Row {
  readonly scene: SceneName;
  readonly sessions: number;
  /** Of the recorder and its ffmpeg, from the start of the contact to its publication; in cores. */
  readonly coresPerSession: number;
  /** Of the recorders' core; null: they had none of their own. */
  readonly coreBusyShare: number | null;
  readonly lostShare: number;
  readonly gaps: number;
  readonly peakMiBPerSession: number;
  readonly kilobytesPerMinute: number;
  /** Pictures that painters left out: above some percent the displays, not the recorders, were too slow. */
  readonly paintsLeftOutShare: number;
}

interface Session {
  readonly recorder: Recorder;
  readonly page: Page;
  readonly painter: Painter;
  end(): Promise<void>;
}

const core = values.anywhere ? null : reserveCore();
const rows: Row[] = [];
for (const scene of scenes) {
  for (const sessions of values.sessions.split(',').map(Number)) {
    note(`${sessions} x ${scene}, ${seconds} s`);
    const row = await weigh(scene, sessions);
    rows.push(row);
    if (row.lostShare > LOST_SHARE || row.coresPerSession * sessions > FULL_SHARE) break;
  }
}
report();

/** The last core is for the recorders; this process and what it starts use the others. @returns null on one core */
function reserveCore(): number | null {
  const count = availableParallelism();
  if (count < 2) return null;
  const others = count === 2 ? '0' : `0-${count - 2}`;
  execFileSync(
    findTool(['taskset'], 'Install util-linux.'),
    ['-a', '-c', '-p', others, String(process.pid)],
    {
      stdio: 'ignore',
    },
  );
  return count - 1;
}

async function weigh(scene: SceneName, count: number): Promise<Row> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-sessions-'));
  const all: Session[] = [];
  try {
    for (let index = 0; index < count; index += 1)
      all.push(await startSession(scene, join(home, String(index))));
    await sleep(1000); // start-up is not a session
    const before = await Promise.all(
      all.map(({ recorder }) => cpuSeconds(recorder.pid, 'with ended children')),
    );
    const contactId = 'weighed';
    await everyPage(all, (page) => page.ask('contact.start', { contactId, channel: 'VOICE' }));
    const coreBefore = core === null ? null : await processorSeconds(core);
    const peakMiB = await peakMemory(all);
    const coreAfter = core === null ? null : await processorSeconds(core);
    await everyPage(all, async (page) => {
      await page.ask('contact.stop', { contactId });
      await page.event(contactId, 'PUBLISHED');
    });
    const after = await Promise.all(
      all.map(({ recorder }) => cpuSeconds(recorder.pid, 'with ended children')),
    );
    const manifests = await Promise.all(all.map(({ recorder }) => onlyManifest(recorder)));
    const painted = await Promise.all(all.map(({ painter }) => painter.stats()));
    const recordedSeconds = sum(manifests.map(({ durationMs }) => durationMs)) / 1000;
    const busy = coreAfter === null || coreBefore === null ? null : coreAfter.busy - coreBefore.busy;
    const idle = coreAfter === null || coreBefore === null ? 0 : coreAfter.idle - coreBefore.idle;
    return {
      ...{ scene, sessions: count },
      coresPerSession: (sum(after) - sum(before)) / recordedSeconds,
      coreBusyShare: busy === null ? null : busy / (busy + idle),
      lostShare:
        1 -
        sum(manifests.map(({ video }) => video.frames)) /
          sum(manifests.map((one) => expectedFrames(one, scene))),
      gaps: sum(manifests.map(({ gaps }) => gaps.length)),
      peakMiBPerSession: peakMiB / count,
      kilobytesPerMinute: (sum(manifests.map(({ video }) => video.sizeBytes)) / 1000 / recordedSeconds) * 60,
      paintsLeftOutShare:
        sum(painted.map(({ skipped }) => skipped)) /
        Math.max(1, sum(painted.map(({ skipped, frames }) => skipped + frames))),
    };
  } finally {
    for (const session of all) await session.end();
    await rm(home, { recursive: true, force: true });
  }
}

async function startSession(scene: SceneName, home: string): Promise<Session> {
  const display = await startDisplay({ width, height });
  try {
    const painter = await startPainter({ display: display.display, scene, fps: PAINTS_PER_SECOND });
    const wrapper = core === null ? [] : ['taskset', '-c', String(core)];
    const recorder = await startRecorder({ display: display.display, home, wrapper });
    return {
      ...{ recorder, painter, page: await recorder.connect() },
      async end() {
        await recorder.stop();
        await painter.stop();
        await display.stop();
      },
    };
  } catch (error) {
    await display.stop();
    throw error;
  }
}

async function everyPage(all: readonly Session[], act: (page: Page) => Promise<unknown>): Promise<void> {
  await Promise.all(all.map(({ page }) => act(page)));
}

/** Of all sessions together, in MiB. Sampled a few times only, because reading it costs. */
async function peakMemory(all: readonly Session[]): Promise<number> {
  const samples = 4;
  let peak = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    await sleep((seconds * 1000) / samples);
    peak = Math.max(peak, sum(await Promise.all(all.map(({ recorder }) => memoryMiB(recorder.pid)))));
  }
  return peak;
}

async function onlyManifest(recorder: Recorder): Promise<Manifest> {
  const [found] = await recorder.published();
  if (found === undefined) throw new Error('nothing was published');
  return found.manifest;
}

/** Where there is no gap. A screen at rest is recorded once a second. */
function expectedFrames({ durationMs, gaps, video }: Manifest, scene: SceneName): number {
  const fps = scene === 'still' ? 1 : video.fps;
  return Math.max(1, ((durationMs - sum(gaps.map((gap) => gap.durationMs))) / 1000) * fps);
}

function report(): void {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}, ${width}x${height} at 5 fps`;
  const where = core === null ? 'on any core' : `on core ${core} alone, displays on the others`;
  console.log(
    [
      `Machine: ${machine}. Recorders ${where}; ${seconds} s of each.`,
      '',
      '| scene | sessions | CPU per session | core busy | frames lost | gaps | memory per session | kB per minute | paints left out |',
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      ...rows.map(
        (row) =>
          `| ${row.scene} | ${row.sessions} | ${percent(row.coresPerSession)} of a core | ${row.coreBusyShare === null ? '–' : percent(row.coreBusyShare)} | ` +
          `${percent(Math.max(0, row.lostShare))} | ${row.gaps} | ${row.peakMiBPerSession.toFixed(0)} MiB | ${row.kilobytesPerMinute.toFixed(0)} | ${percent(row.paintsLeftOutShare)} |`,
      ),
      '',
      ...scenes.map(perCore),
    ].join('\n'),
  );
  console.log(JSON.stringify({ machine, core, seconds, rows }));
}

/** What was measured without a loss, and what the cost of a session comes to. */
function perCore(scene: SceneName): string {
  const mine = rows.filter((row) => row.scene === scene);
  const whole = mine.filter((row) => row.lostShare <= LOST_SHARE && row.gaps === 0).at(-1);
  const last = mine.at(-1);
  if (last === undefined) return '';
  const next = whole === last ? 'more were not tried' : `${last.sessions} lost ${percent(last.lostShare)}`;
  const fits = Math.floor(1 / (whole ?? last).coresPerSession);
  return `- ${scene}: ${whole?.sessions ?? 0} at once lost no more than ${percent(LOST_SHARE)} of their frames (${next}). At that cost a core is full with ${fits}.`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0);
}

function sceneNamed(name: string): SceneName {
  const found = SCENES.find((one) => one === name);
  if (found === undefined) throw new Error(`There is no scene "${name}": ${SCENES.join(', ')}.`);
  return found;
}

function note(text: string): void {
  process.stderr.write(`bench:sessions: ${text}\n`);
}
