// What is changed in the spool is refused with its code, recording by recording: the program starts over a spool in which
// each recording was tampered with in another way, and delivers those that were not.
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { keyFileStore } from '../../main/platform/keyStore.ts';
import { sessionKeys } from '../../main/spool/sessionKeys.ts';
import { SpoolRig } from '../rig/deliveries.ts';
import { startDisplay } from '../rig/display.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';

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

const codesOf = async (name: string): Promise<string[]> =>
  (await recorder!.events()).flatMap(({ detail }) =>
    detail.recordingStatus === 'FAILED' && detail.contactArn.endsWith(`contact-${name}`)
      ? [detail.failureInfo.code]
      : [],
  );

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a spool that somebody has been at', () => {
  it('loses nothing but what was changed: each is told by its code, the others are delivered', async () => {
    const one = await leave('good-1');
    const flipped = await leave('flipped');
    const cut = await leave('cut');
    const swapped = await leave('swapped');
    const exchanged = await leave('exchanged');
    const newer = await leave('newer');
    const edited = await leave('edited');
    await leave('good-2');
    await change(flipped.run, (bytes) => {
      bytes[Math.floor(bytes.byteLength / 2)]! ^= 1;
      return bytes;
    });
    const cutFile = await readFile(cut.run);
    await truncate(cut.run, chunks(cutFile)[10]![0]);
    await change(swapped.run, (bytes) => {
      const [[a, b], [c, d]] = [chunks(bytes)[3]!, chunks(bytes)[4]!];
      return Buffer.concat([
        bytes.subarray(0, a),
        bytes.subarray(c, d),
        bytes.subarray(a, b),
        bytes.subarray(d),
      ]);
    });
    // Another recording's pictures under this one's name.
    await writeFile(exchanged.run, await readFile(one.run));
    await change(newer.journal, (bytes) => Buffer.from(bytes.toString().replace('"v":2', '"v":99')));
    await change(edited.journal, (bytes) => {
      const lines = bytes.toString().split('\n');
      return Buffer.from([lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'));
    });

    recorder = await startRecorder({ display: null, home });
    await until(async () => (await recorder!.published()).length === 2);
    for (const name of ['flipped', 'cut', 'swapped', 'exchanged'])
      await until(async () => (await codesOf(name)).length > 0);
    const published = (await recorder.published()).map(({ manifest }) => manifest.contact.contactId).sort();
    expect(published).toEqual(['contact-good-1', 'contact-good-2']);
    for (const name of ['flipped', 'cut', 'swapped', 'exchanged'])
      expect(await codesOf(name)).toEqual(['SPOOL_UNREADABLE']);
    // A journal that cannot be read does not say whose recording it was: the log names its folder.
    for (const { journal } of [newer, edited]) {
      expect(recorder.stderr()).toContain(dirname(journal));
      expect(await readdir(dirname(journal))).toHaveLength(2);
    }
    expect(recorder.stderr()).toContain('is not a journal of version');
    expect(recorder.stderr()).toContain('is not what was written there');
  }, 60_000);

  it('with another key is left as it is, and recording goes on beside it', async () => {
    const left = await leave('locked');
    await rm(join(dataDir, 'spool.key'));
    const other = keyFileStore(join(dataDir, 'spool.key'));
    await other.wrap(Buffer.alloc(32, 7));
    recorder = await startRecorder({ display: null, home });
    expect(recorder.stderr()).toContain('SPOOL_UNREADABLE');
    expect(await readdir(dirname(left.journal))).toHaveLength(2);
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
    expect(await readdir(dirname(left.journal))).toHaveLength(2);
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
    expect(await readdir(dirname(left.journal))).toHaveLength(2);
  }, 30_000);
});

/** Words that run a program which sees a folder read-only. */
function readOnly(folder: string): string[] {
  const script = `mount --bind "${folder}" "${folder}" && mount -o remount,ro,bind "${folder}" && exec "$@"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  return ['unshare', '--mount', ...asRoot, 'sh', '-c', script, 'sh'];
}
