// The fault matrix: one scripted story with two contacts, again and again, each time with another call of the data folder
// that fails, once or for a while, while the process goes on, is asked to end, or is killed. What the page was promised
// must hold in every cell (faultJudge.ts).
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyFileStore } from '../../main/platform/keyStore.ts';
import { startDesk, oneMonitor, type Desk } from '../rig/desk.ts';
import { diskCalls, faultMet, withFaults, type FaultRule } from '../rig/faultShim.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { cellName, cellsOf, fullDiskCells, targetsOf, type Cell } from './faultCells.ts';
import { becomesOver, isOver, judgeEnd, judgeSpool } from './faultJudge.ts';
import { Gone, Story, type StepName } from './faultStory.ts';
import { makeSmallDisk, whyNoSmallDisk } from './smallDisk.ts';

/** From the fault on; the issue's own figure for a full disk. */
const RELEASED_AFTER_MS = { call: 1500, 'full disk': 3000 } as const;
/** A suspend that is not answered is not waited for longer before the process is ended. */
const SETTLED_WITHIN_MS = 1500;
/** Long enough for two pictures. */
const EXPOSED_MS = 400;
const ENDS_WITHIN_MS = 10_000;
/** Without a restart; what takes longer is judged after one. */
const DELIVERED_WITHIN_MS = 6000;
const DELIVERED_AFTER_RESTART_MS = 12_000;

export interface CellResult {
  readonly cell: Cell;
  readonly name: string;
  readonly verdict: 'holds' | 'FAILS' | 'not met';
  readonly complaints: readonly string[];
  /** Answers with an error, of which some are right. */
  readonly refusals: readonly string[];
  readonly tookMs: number;
  /** Of what went wrong; everything is kept there. */
  readonly home: string | null;
}

export interface MatrixOptions {
  /** Which of all cells. */
  readonly choose: (cells: readonly Cell[]) => readonly Cell[];
  /** How many cells at a time, each on a display of its own. */
  readonly parallel: number;
  /** How long a fault lasts that is released while the process goes on; as in RELEASED_AFTER_MS unless given. */
  readonly releasedAfterMs?: number;
  readonly onResult?: (result: CellResult, done: number, all: number) => void;
  readonly signal?: AbortSignal;
}

export async function faultMatrix(options: MatrixOptions): Promise<CellResult[]> {
  const cells = [...options.choose(await allCells())];
  const results: CellResult[] = [];
  const all = cells.length;
  const work = async (): Promise<void> => {
    const desk = await startDesk({ monitors: oneMonitor });
    try {
      for (let cell = cells.shift(); cell !== undefined; cell = cells.shift()) {
        if (options.signal?.aborted === true) return;
        const result = await runCell(
          cell,
          desk,
          options.releasedAfterMs ?? RELEASED_AFTER_MS[cell.target.kind],
        );
        results.push(result);
        options.onResult?.(result, results.length, all);
      }
    } finally {
      await desk.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.parallel, all) }, work));
  return results;
}

/** Enumerated by a dry run: every line of the journal, and the other calls by their kind. */
async function allCells(): Promise<Cell[]> {
  const desk = await startDesk({ monitors: oneMonitor });
  const home = await newHome();
  try {
    const log = join(home, 'calls.log');
    const recorder = await startRecorder({
      ...{ display: desk.display, home, wrapper: await withFaults(join(home, 'data'), log) },
      flags: ['--keep-published-hours', '1'],
    });
    const story = new Story({ desk, isOver: () => Promise.resolve() });
    const page = await recorder.connect();
    story.use(page);
    await story.play();
    await Promise.all(['a', 'b'].map((contactId) => page.event(contactId, 'PUBLISHED')));
    await recorder.stop();
    if (story.refusals.length > 0) throw new Error(`Without any fault: ${story.refusals.join(', ')}`);
    const targets = await targetsOf(home, await diskCalls(log));
    return [...cellsOf(targets), ...(whyNoSmallDisk() === null ? fullDiskCells() : [])];
  } finally {
    await desk.stop();
    await rm(home, { recursive: true, force: true });
  }
}

async function runCell(cell: Cell, desk: Desk, releasedAfterMs: number): Promise<CellResult> {
  const began = performance.now();
  const home = await newHome();
  const keyFile = join(home, 'data', 'spool.key');
  const run = cell.target.kind === 'call' ? await brokenCall(cell, home) : await filledDisk(cell, home);
  const { beforeStep, reason } = run;
  const story = new Story({
    desk,
    isOver: () => run.lifted,
    beforeStep,
    ...(reason === null ? {} : { reason }),
  });
  const complaints: string[] = [];
  let met = false;
  try {
    await desk.showSensitive(false);
    // It lies there from an earlier contact, unless it is what fails.
    if (!cellName(cell).startsWith('spool.key')) await keyFileStore(keyFile).wrap(Buffer.alloc(32));
    met = await playAndEnd(cell, { home, desk, run, story, complaints, releasedAfterMs });
    complaints.push(...story.complaints, ...(await judgeEnd(home, story)));
  } catch (error) {
    complaints.push(...story.complaints, `the harness: ${String(error)}`);
  } finally {
    await run.remove();
  }
  const failed = complaints.length > 0;
  if (!failed) await rm(home, { recursive: true, force: true });
  return {
    ...{ cell, name: cellName(cell), complaints, refusals: story.refusals, home: failed ? home : null },
    verdict: failed ? 'FAILS' : met ? 'holds' : 'not met',
    tookMs: performance.now() - began,
  };
}

/** A fault that is on its way to a recorder. */
interface FaultRun {
  readonly wrapper: readonly string[];
  readonly beforeStep: (step: StepName) => Promise<void>;
  readonly reason: string | null;
  /** False when `signal` ends the wait. */
  met(signal: AbortSignal): Promise<boolean>;
  lift(): Promise<void>;
  /** Resolves when it is over. */
  readonly lifted: Promise<void>;
  remove(): Promise<void>;
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

async function brokenCall({ target, fault, lasting }: Cell, home: string): Promise<FaultRun> {
  if (target.kind !== 'call') throw new Error('unreachable');
  const [log, release] = [join(home, 'calls.log'), join(home, 'release')];
  const { call, pattern, nth } = target;
  const rule: FaultRule = { kinds: [call], pattern, nth, fault, until: lasting === 'once' ? 1 : release };
  const all = { ...rule, kinds: 'any', pattern: '*', nth: 0 } as const;
  const lifted = gate();
  if (lasting === 'once') lifted.open();
  return {
    wrapper: await withFaults(
      join(home, 'data'),
      log,
      lasting === 'all until released' ? [rule, all] : [rule],
    ),
    beforeStep: () => Promise.resolve(),
    reason: null,
    met: (signal) => faultMet(log, signal),
    async lift() {
      await writeFile(release, '');
      lifted.open();
    },
    lifted: lifted.passed,
    remove: () => Promise.resolve(),
  };
}

async function filledDisk({ target }: Cell, home: string): Promise<FaultRun> {
  if (target.kind !== 'full disk') throw new Error('unreachable');
  const disk = await makeSmallDisk(join(home, 'data'));
  const [filled, lifted] = [gate(), gate()];
  return {
    wrapper: [],
    // More than a page: the last one that the journal has need not be full yet.
    reason: '\u8a9e'.repeat(1024),
    async beforeStep(step) {
      if (step !== target.before) return;
      // Once: what is asked again later finds room.
      if (await disk.fill()) filled.open();
    },
    met: (signal) =>
      Promise.race([
        filled.passed.then(() => true),
        new Promise<false>((resolve) => signal.addEventListener('abort', () => resolve(false))),
      ]),
    async lift() {
      await disk.free();
      lifted.open();
    },
    lifted: lifted.passed,
    remove: () => disk.remove(),
  };
}

interface Scene {
  readonly home: string;
  readonly desk: Desk;
  readonly run: FaultRun;
  readonly story: Story;
  readonly complaints: string[];
  readonly releasedAfterMs: number;
}

/** @returns whether the fault was met */
async function playAndEnd({ ending }: Cell, scene: Scene): Promise<boolean> {
  const { home, desk, run, story, complaints } = scene;
  const start = (wrapper: readonly string[]): Promise<Recorder> =>
    // The floor is what another program does not keep to.
    startRecorder({ display: desk.display, home, wrapper, flags: ['--spool-min-free-mib', '0'] });
  const first = await start(run.wrapper);
  let isEnding = false;
  const exited = first.exited.then(async (code) => {
    await writeFile(join(home, 'stderr.txt'), first.stderr());
    if (!isEnding) complaints.push(`the process ended by itself with ${code}: ${first.stderr().slice(-600)}`);
    return code;
  });
  story.use(await first.connect());
  const untilPlayed = new AbortController();
  const playing = playToEnd(story).then(async (isPlayed) => {
    // The last lines come with the delivery.
    if (isPlayed) await becomesOver(home, story, DELIVERED_WITHIN_MS);
    untilPlayed.abort();
  });
  const met = await run.met(untilPlayed.signal);
  if (ending === 'goes on' || !met) {
    if (met) await sleep(scene.releasedAfterMs);
    await run.lift();
    await playing;
    await becomesOver(home, story, DELIVERED_WITHIN_MS);
    isEnding = true;
    first.kill('SIGTERM');
  } else {
    story.hold();
    // Its answer first: what it promises is to be judged.
    await Promise.race([story.settled, sleep(SETTLED_WITHIN_MS)]);
    await sleep(EXPOSED_MS);
    isEnding = true;
    first.kill(ending);
  }
  const code = await Promise.race([exited, sleep(ENDS_WITHIN_MS + 500).then(() => 'late' as const)]);
  if (code === 'late') {
    complaints.push(`it has not ended ${ENDS_WITHIN_MS} ms after SIGTERM`);
    first.kill('SIGKILL');
    await exited;
  } else if (code !== 0 && !(ending === 'SIGKILL' && met)) complaints.push(`it ended with ${code}, not 0`);
  await playing.catch(() => undefined);
  await story.died();
  complaints.push(...(await judgeSpool(home, story)));
  if (!(await isOver(home, story))) {
    await run.lift();
    await secondLife(await start([]), scene);
  }
  return met;
}

async function secondLife(next: Recorder, { home, story, complaints }: Scene): Promise<void> {
  try {
    const page = await next.connect();
    story.use(page);
    await playToEnd(story, next);
    if (!(await becomesOver(home, story, DELIVERED_AFTER_RESTART_MS)))
      complaints.push('not everything has come to its end');
  } finally {
    const code = await next.stop();
    await writeFile(join(home, 'stderr-2.txt'), next.stderr());
    if (code !== 0) complaints.push(`after the restart it ended with ${code}: ${next.stderr().slice(-600)}`);
  }
}

/** @returns false: the program has gone in the middle of it */
async function playToEnd(story: Story, after?: Recorder): Promise<boolean> {
  try {
    await (after === undefined ? story.play() : story.goOn(after));
    return true;
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    return false;
  }
}

async function newHome(): Promise<string> {
  // The shim compares paths: without links.
  const home = await mkdtemp(join(await realpath(tmpdir()), 'sightline-fault-'));
  await mkdir(join(home, 'data'), { mode: 0o700 });
  return home;
}
