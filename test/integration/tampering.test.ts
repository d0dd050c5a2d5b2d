// What is changed in the spool is noticed, recording by recording: the program starts over a spool in which each recording
// was tampered with in another way. It delivers what is as it was written, says in the manifest what is missing, and
// announces as FAILED what it cannot deliver.
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { toTimestamp } from '../../main/shared/time.ts';
import type { StatusEvent } from '../../main/shared/statusEvent.ts';
import { keyFileStore } from '../../main/platform/keyStore.ts';
import { sessionKeys } from '../../main/spool/sessionKeys.ts';
import { SpoolRig } from '../rig/uploads.ts';
import { startDisplay } from '../rig/display.ts';
import { startPainter } from '../rig/painter.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import { host } from '../rig/program.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { containing } from '../unit/support/matchers.ts';

const FRAMES = 20;
let home: string;
let dataDir: string;
let recorder: Recorder | null = null;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-tampering-'));
  dataDir = join(home, 'data');
});
afterEach(async () => {
  await recorder?.stop();
  recorder = null;
  await rm(home, { recursive: true, force: true });
});

/** A recording as an earlier process left it, in a folder of its own. */
async function leave(name: string): Promise<{ journal: string; run: string }> {
  const rig = new SpoolRig(join(dataDir, 'spool'), sessionKeys([keyFileStore(join(dataDir, 'spool.key'))]));
  const session = await rig.open();
  await rig.record(name, FRAMES, Date.now() - 3_600_000);
  await session.abandon();
  return { journal: join(session.folder, 'journal.ndjson'), run: join(session.folder, `run-of-${name}.run`) };
}

/** Pictures that each of the calls below has at least. */
const PICTURES = 14;

interface Call {
  readonly name: string;
  readonly folder: string;
  readonly journal: string;
  readonly run: string;
  readonly witness: string;
  readonly startTime: number;
  /** As it was announced; null: the program was killed before. */
  readonly endTime: number | null;
}

/** Real calls, one after the other, that a killed program left: each in a folder of its own, the last one open. */
async function leaveCalls(names: readonly string[]): Promise<Map<string, Call>> {
  const display = await startDisplay({ width: 640, height: 480 });
  const painter = await startPainter({ display: display.display, scene: 'timecode' });
  const root = join(dataDir, 'spool');
  await mkdir(dataDir, { recursive: true });
  const blocked = join(home, 'blocked');
  await writeFile(blocked, '');
  // Nothing is delivered yet.
  const flags = ['--sink-folder', join(blocked, 'sink')];
  const first = await startRecorder({ display: display.display, home, flags });
  const page = await first.connect();
  const calls = new Map<string, Call>();
  for (const name of names) {
    const before = new Set(await readdir(root).catch(() => []));
    const reply = await page.ask('contact.start', { contactId: name, channel: 'VOICE' });
    const folder = join(
      root,
      (await readdir(root)).find((one) => !before.has(one))!,
    );
    const run = join(
      folder,
      (await readdir(folder)).find((file) => file.endsWith('.run'))!,
    );
    await until(async () => chunks(await readFile(run)).length > PICTURES);
    const isOpen = name === names.at(-1);
    const stopped = isOpen ? null : await page.ask('contact.stop', { contactId: name });
    if (!isOpen) await page.event(name, 'COMPLETED');
    calls.set(name, {
      ...{ name, folder, run, journal: join(folder, 'journal.ndjson'), witness: join(folder, 'witness') },
      startTime: Date.parse(String(reply['startTime'])),
      endTime: stopped === null ? null : Date.parse(String(stopped['endTime'])),
    });
  }
  first.kill('SIGKILL');
  await first.exited;
  await painter.stop();
  await display.stop();
  return calls;
}

async function flipIn(path: string, chunk: number): Promise<void> {
  await change(path, (bytes) => {
    bytes[chunks(bytes)[chunk]![0] + 40]! ^= 1;
    return bytes;
  });
}

/** Without its last lines. */
async function cutLines(path: string, lines: number): Promise<void> {
  await change(path, (bytes) =>
    Buffer.from(
      `${bytes
        .toString()
        .split('\n')
        .slice(0, -1 - lines)
        .join('\n')}\n`,
    ),
  );
}

type Published = Awaited<ReturnType<Recorder['published']>>[number];

async function publishedAs(name: string): Promise<Published> {
  let found: Published | undefined;
  await until(async () => {
    found = (await recorder!.published()).find(({ manifest }) => manifest.contact.contactId === name);
    return found !== undefined;
  });
  return found!;
}

/** Delivered with so many pictures, then a gap up to the end that is known; the file says the same. */
async function expectReadUpTo(pictures: number, { name, startTime, endTime }: Call): Promise<Published> {
  const found = await publishedAs(name);
  const { manifest, mp4 } = found;
  expect(Date.parse(manifest.startTime), name).toBe(startTime);
  if (endTime !== null) expect(Date.parse(manifest.endTime), name).toBe(endTime);
  expect(manifest.runs, name).toHaveLength(1);
  expect(manifest.gaps, name).toHaveLength(1);
  expect(manifest.gaps[0], name).toMatchObject({ reason: 'unreadable', endTime: manifest.endTime });
  expect(manifest.integrity?.state, name).toBe('damaged');
  // The slate is one more.
  expect(manifest.video.frames, name).toBe(pictures + 1);
  expect(await decodesCleanly(mp4), name).toBe('');
  expect(Math.abs((await probe(mp4)).durationMs - manifest.durationMs), name).toBeLessThanOrEqual(50);
  return found;
}

const toldOf = async (name: string): Promise<StatusEvent['detail'][]> =>
  (await recorder!.events())
    .map(({ detail }) => detail)
    .filter(({ contactArn }) => contactArn.endsWith(`/contact/${name}`));

/** Of FAILED events with the spool's code; the program before may have told others of the sink. */
const failuresOf = async (name: string) =>
  (await toldOf(name)).flatMap((one) =>
    one.recordingStatus === 'FAILED' && one.failureInfo.code === 'SPOOL_UNREADABLE' ? [one.failureInfo] : [],
  );

/** What an earlier process left open is ended at once. */
const NOBODY_COMES = ['--grace-seconds', '0'];

async function command(...args: string[]): Promise<string> {
  const { DISPLAY: _, ...environment } = process.env as Record<string, string>;
  const { stdout } = await host.run({
    args: [...args, '--data-dir', dataDir, '--sink-folder', join(home, 'sink')],
    ...{ display: null, environment, wrapper: [] },
  });
  return stdout;
}

async function dataCheck(): Promise<{ verdict: string; evidence: string; remedy: string }> {
  const { checks } = JSON.parse((await command('doctor', '--json')).split('\n').at(-2)!) as {
    checks: { name: string; verdict: string; evidence: string; remedy: string }[];
  };
  return checks.find(({ name }) => name === 'data folder')!;
}

async function change(path: string, edit: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(path, edit(Buffer.from(await readFile(path))));
}

/** Where each chunk of a run file begins and ends. */
function chunks(file: Buffer): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 8; at + 4 <= file.byteLength;) {
    const end = at + 4 + file.readUInt32BE(at);
    found.push([at, end]);
    at = end;
  }
  return found;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it never came to that:\n${recorder?.stderr() ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a spool that somebody has been at', () => {
  it('delivers what is as it was written, with a gap and a mark for what is not', async () => {
    const names = ['good', 'flipped', 'cut', 'swapped', 'beheaded', 'edited', 'unwitnessed', 'empty', 'open'];
    const calls = await leaveCalls(names);
    const call = (name: string): Call => calls.get(name)!;
    await flipIn(call('flipped').run, 12);
    await truncate(call('cut').run, chunks(await readFile(call('cut').run))[10]![0]);
    await change(call('swapped').run, (bytes) => {
      const [[a, b], [c, d]] = [chunks(bytes)[3]!, chunks(bytes)[4]!];
      return Buffer.concat([
        bytes.subarray(0, a),
        bytes.subarray(c, d),
        bytes.subarray(a, b),
        bytes.subarray(d),
      ]);
    });
    // run.closed, contact.stopped and what comes after are gone, and so is the end of the run.
    await cutLines(call('beheaded').journal, 4);
    await truncate(call('beheaded').run, chunks(await readFile(call('beheaded').run))[8]![0]);
    await change(call('edited').journal, (bytes) => {
      const lines = bytes.toString().split('\n');
      return Buffer.from([lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'));
    });
    await rm(call('unwitnessed').witness);
    // Another recording's pictures under this one's name.
    await writeFile(call('empty').run, await readFile(call('good').run));
    const openChunks = chunks(await readFile(call('open').run));
    await truncate(call('open').run, openChunks[6]![0]);

    recorder = await startRecorder({ display: null, home, flags: NOBODY_COMES });
    const { manifest: good } = await publishedAs('good');
    expect(good.integrity).toBeUndefined();
    expect(good.gaps).toEqual([]);
    // The first chunk holds no picture.
    await expectReadUpTo(11, call('flipped'));
    await expectReadUpTo(9, call('cut'));
    await expectReadUpTo(2, call('swapped'));
    const beheaded = await expectReadUpTo(7, call('beheaded'));
    expect(beheaded.manifest.integrity?.findings).toContainEqual({ kind: 'journal-damaged', lines: 4 });
    expect(beheaded.manifest.endCause).toBe('stopped');
    const open = await expectReadUpTo(5, call('open'));
    // What had been synced, half a second ago at most, tells how long it was.
    const lengthMs = (openChunks.length - 1) * 200;
    expect(open.manifest.durationMs).toBeGreaterThan(lengthMs - 1000);
    expect(open.manifest.durationMs).toBeLessThan(lengthMs + 1000);
    const { manifest: edited } = await publishedAs('edited');
    expect(edited.integrity).toMatchObject({ state: 'damaged', findings: [{ kind: 'journal-damaged' }] });
    expect(edited.endTime).toBe(toTimestamp(call('edited').endTime!));
    const { manifest: unwitnessed } = await publishedAs('unwitnessed');
    expect(unwitnessed.integrity).toEqual({
      state: 'end-not-verified',
      findings: [{ kind: 'end-not-verified', cause: 'missing' }],
    });
    expect(unwitnessed.gaps).toEqual([]);

    for (const name of names.slice(0, -2)) {
      await until(async () => (await toldOf(name)).some((one) => one.recordingStatus === 'PUBLISHED'));
      const told = await toldOf(name);
      // COMPLETED once, or again with the same end.
      const completed = told.filter((one) => one.recordingStatus === 'COMPLETED');
      for (const one of completed)
        expect(one.recordingInfo.endTime, name).toBe(toTimestamp(call(name).endTime!));
      expect(completed.length, name).toBeGreaterThan(0);
      const damage = told.at(-1);
      expect(damage?.recordingStatus === 'PUBLISHED' && damage.recordingInfo.integrity, name).toBe(
        name === 'good' ? undefined : name === 'unwitnessed' ? 'end-not-verified' : 'damaged',
      );
    }
    // Nothing of it can be read: it is not delivered, and kept.
    await until(async () => (await failuresOf('empty')).length > 0);
    expect(await readdir(join(dataDir, 'spool'))).toEqual([basename(call('empty').folder)]);
    expect(recorder.stderr()).toContain('a recording was delivered that is not as it was written');

    const listed = await command('recordings');
    expect(listed).toMatch(/ cut {2}.*\(damaged: see the manifest\)/);
    expect(listed).toMatch(/ unwitnessed {2}.*\(end-not-verified: /);
    expect(listed).toMatch(/ good {2}.*\.mp4\n/);
    expect(listed).toMatch(/ empty {2}.*SPOOL_UNREADABLE/);
    expect(await dataCheck()).toMatchObject({
      verdict: 'warning',
      evidence: containing('6 recordings damaged'),
    });
  });

  it('is kept where policy says so, until policy says otherwise', async () => {
    const calls = await leaveCalls(['flipped', 'last']);
    await flipIn(calls.get('flipped')!.run, 12);
    const flags = [...NOBODY_COMES, '--deliver-damaged', 'false'];
    recorder = await startRecorder({ display: null, home, flags });
    await until(async () => (await failuresOf('flipped')).length > 0);
    expect(await failuresOf('flipped')).toMatchObject([{ message: containing('deliverDamaged') }]);
    await publishedAs('last');
    await recorder.stop();
    recorder = await startRecorder({ display: null, home });
    await expectReadUpTo(11, calls.get('flipped')!);
  });

  it('of which a journal cannot be read announces its recordings as FAILED, and says what support does', async () => {
    const calls = await leaveCalls(['headless', 'newer', 'emptied', 'deleted', 'last']);
    const call = (name: string): Call => calls.get(name)!;
    await change(call('headless').journal, (bytes) => {
      bytes[bytes.indexOf('wrapped') + 20]! ^= 1;
      return bytes;
    });
    await change(call('newer').journal, (bytes) =>
      Buffer.from(bytes.toString('latin1').replace('"v":3', '"v":99'), 'latin1'),
    );
    await truncate(call('emptied').journal, 0);
    await rm(call('deleted').journal);
    const lost = ['headless', 'newer', 'emptied', 'deleted'];
    for (const start of ['first', 'second']) {
      recorder = await startRecorder({ display: null, home, flags: NOBODY_COMES });
      await publishedAs('last');
      for (const name of lost) {
        // Once, whatever the number of starts.
        await until(async () => (await failuresOf(name)).length > 0);
        expect(await failuresOf(name), `${name}, ${start} start`).toHaveLength(1);
        expect(recorder.stderr()).toContain(call(name).folder);
        expect((await readdir(call(name).folder)).some((file) => file.endsWith('.run'))).toBe(true);
      }
      const page = await recorder.connect();
      const state = await page.push((one) => one.type === 'app.state');
      expect(state).toMatchObject({ uploads: { failed: 4, reason: { code: 'SPOOL_UNREADABLE' } } });
      await page.close();
      const listed = await command('recordings');
      for (const name of lost)
        expect(listed).toMatch(new RegExp(` ${name} +cannot be read; SPOOL_UNREADABLE`));
      expect(listed).toContain('docs/support.md, SPOOL_UNREADABLE');
      expect(listed).not.toContain('retrying automatically');
      expect(await dataCheck()).toMatchObject({
        verdict: 'failed',
        evidence: containing('and 3 more'),
        remedy: containing('Do not delete that folder'),
      });
      await recorder.stop();
    }
    recorder = null;
  });

  it('with another key is left as it is, and recording goes on beside it', async () => {
    const left = await leave('locked');
    await rm(join(dataDir, 'spool.key'));
    const other = keyFileStore(join(dataDir, 'spool.key'));
    await other.wrap(Buffer.alloc(32, 7));
    recorder = await startRecorder({ display: null, home });
    expect(recorder.stderr()).toContain('SPOOL_UNREADABLE');
    expect(await readdir(dirname(left.journal))).toHaveLength(4);
    expect(await recorder.published()).toEqual([]);
  });

  it('that was made read-only is left as it is, takes no other with it, and is delivered when it can be written to', async () => {
    const left = await leave('frozen');
    await leave('good');
    const wrapper = readOnly(dirname(left.journal));
    recorder = await startRecorder({ display: null, home, wrapper });
    await until(async () => (await recorder!.published()).length === 1);
    expect(recorder.stderr()).toContain(dirname(left.journal));
    expect(recorder.stderr()).toMatch(
      /SPOOL_UNREADABLE.*EROFS|EROFS.*SPOOL_UNREADABLE|read-only file system/,
    );
    await recorder.stop();
    expect(await readdir(dirname(left.journal))).toHaveLength(4);
    recorder = await startRecorder({ display: null, home });
    await until(async () => (await recorder!.published()).length === 2);
  });

  it('that is read-only as a whole refuses a contact with its code and says why', async () => {
    const left = await leave('frozen');
    const display = await startDisplay({ width: 640, height: 480 });
    onTestFinished(() => display.stop());
    const wrapper = readOnly(join(dataDir, 'spool'));
    recorder = await startRecorder({ display: display.display, home, wrapper });
    const page = await recorder.connect();
    const reply = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(reply).toMatchObject({ ok: false, error: { code: 'SPOOL_UNREADABLE' } });
    expect(reply.error?.message).toContain('EROFS');
    expect(await readdir(dirname(left.journal))).toHaveLength(4);
  });
});

/** Words that run a program which sees a folder read-only. */
function readOnly(folder: string): string[] {
  const script = `mount --bind "${folder}" "${folder}" && mount -o remount,ro,bind "${folder}" && exec "$@"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  return ['unshare', '--mount', ...asRoot, 'sh', '-c', script, 'sh'];
}
