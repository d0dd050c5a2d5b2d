// The judge of the leak tests: which pictures must never be found, and where they are looked for. A sensitive picture
// carries the time at which it was painted; what was painted after the receipt of the suspend must be nowhere.
import { mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { keyFileStore } from '../../main/platform/keyStore.ts';
import { FragmentSplitter } from '../../main/media/fragments.ts';
import type { SessionKeys } from '../../main/spool/journal.ts';
import { readJournal } from '../../main/spool/journal.ts';
import { openRunFile } from '../../main/spool/runFiles.ts';
import { sessionKeys } from '../../main/spool/sessionKeys.ts';
import { decodeFrames } from '../rig/frames.ts';
import type { RecordingFrame } from '../rig/recordingFrames.ts';
import type { Timecode } from '../rig/timecode.ts';

/** One suspension, as what was painted during it is forbidden. */
export interface Exposure {
  readonly cycle: number;
  /** When the recorder received the suspend. */
  readonly suspendedAtMs: number;
  /** When the first picture was painted that may be seen again; Infinity while there is none. */
  cleanFromMs: number;
}

export interface SeenFrame {
  readonly where: string;
  readonly codes: readonly (Timecode | null)[];
  readonly sensitiveShare: number;
}

/** What is wrong with the frame, or null: any picture painted during a suspension, sensitive or not, is a leak. */
export function leakIn(frame: SeenFrame, exposures: readonly Exposure[]): string | null {
  const codes = frame.codes.filter((code) => code !== null);
  for (const { timeMs, sensitive } of codes) {
    const exposure = exposures.find((one) => timeMs > one.suspendedAtMs && timeMs < one.cleanFromMs);
    if (exposure === undefined) continue;
    const late = timeMs - exposure.suspendedAtMs;
    return `${frame.where} shows a ${sensitive ? 'sensitive' : 'common'} picture painted ${late} ms after the receipt of the suspend`;
  }
  if (!codes.some(({ sensitive }) => sensitive) && frame.sensitiveShare > 0)
    return `${frame.where} shows the sensitive pattern without a code (${(frame.sensitiveShare * 100).toFixed(2)} %)`;
  return null;
}

/** The frames of a published recording, to be judged. */
export function seenIn(mp4: string, frames: readonly RecordingFrame[]): SeenFrame[] {
  return frames.map(({ ptsMs, codes, gapCodes, sensitiveShare }) => ({
    where: `${basename(mp4)} at ${ptsMs.toFixed(0)} ms`,
    codes: [...codes.values(), ...gapCodes],
    sensitiveShare,
  }));
}

/** The keys of a recorder, as a thief would have them who got hold of its key file as well. */
function keysOf(home: string): SessionKeys {
  return sessionKeys([keyFileStore(join(home, 'data', 'spool.key'))]);
}

/** Whatever pictures can be decrypted of a run file in the spool; none where there is nothing whole in it yet. */
export async function framesOfSpoolFile(
  path: string,
  home: string,
  keys = keysOf(home),
): Promise<SeenFrame[]> {
  const session = await readJournal(join(dirname(path), 'journal.ndjson'), keys);
  if (session === null) return [];
  const reader = await openRunFile(path, session.dataKey);
  const parts: Uint8Array[] = [];
  for await (const part of reader.contents()) parts.push(part);
  await reader.close();
  const bytes = Buffer.concat(parts);
  const segments = new FragmentSplitter().push(bytes);
  if (segments[0]?.kind !== 'initialisation' || segments.length < 2) return [];
  const opened = session.entries.find(
    (entry) => entry.type === 'run.opened' && entry.file === basename(path),
  );
  const monitors = opened?.type === 'run.opened' ? opened.monitors.map(({ picture }) => picture) : [];
  const folder = await mkdtemp(join(tmpdir(), 'sightline-look-'));
  try {
    const plain = join(folder, 'plain.mp4');
    await writeFile(plain, bytes);
    const frames = await decodeFrames(plain, monitors.length === 0 ? {} : { monitors });
    return frames.map(({ ptsMs, codes, sensitiveShare }) => ({
      where: `${basename(path)} in the spool at ${ptsMs.toFixed(0)} ms`,
      codes,
      sensitiveShare,
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface HomeFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly changedMs: number;
}

/** Every file below the recorder's home. */
export async function filesIn(home: string): Promise<HomeFile[]> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const known = await Promise.all(
    files.map(async (path) => {
      const found = await stat(path).catch(() => null);
      return found === null ? [] : [{ path, sizeBytes: found.size, changedMs: found.mtimeMs }];
    }),
  );
  return known.flat();
}

/** What may lie in the home at all; anything else is a file that nobody knows of, and so a complaint. */
const expected = [
  /^data\/spool\/[^/]+\/[^/]+\.run$/,
  /^data\/spool.key$/,
  /^data\/spool\/[^/]+\/(journal\.ndjson|complete|witness)$/,
  /^data\/logs\/[^/]+\.log$/,
  /^data\/status-events\.ndjson$/,
  /^data\/sightline\.(pid|lock(\/[^/]+)?)$/,
  /^data\/suspended\/[^/]+\/journal\.ndjson$/,
  /^data\/(control|policy-state|sinks|unreadable|run|last-checks|run-ended\.[a-z-]+\.[0-9a-f-]{36})\.json(\.[0-9a-f]{8}\.tmp)?$/,
  /^sink\/.*\.(mp4|json|part)$/,
  /^sink\/\.sightline-sink-[0-9a-f-]{36}$/,
];

export function unexpectedFiles(home: string, files: readonly HomeFile[]): string[] {
  const names = files.map(({ path }) => relative(home, path));
  return names.filter((name) => !name.startsWith('lost+found') && !expected.some((one) => one.test(name)));
}

/** Text files hold text only: no byte of a picture. */
export async function binaryIn(files: readonly HomeFile[]): Promise<string[]> {
  const texts = files.filter(({ path }) => /\.(log|ndjson|json)$/.test(path));
  const found = await Promise.all(
    texts.map(async ({ path }) => {
      const bytes = await readFile(path).catch(() => Buffer.alloc(0));
      return bytes.some((byte) => byte < 32 && byte !== 10 && byte !== 13 && byte !== 9) ? [path] : [];
    }),
  );
  return found.flat();
}

/** Regular files outside the home that the process has open for writing (proc(5), fdinfo). */
export async function writtenOutside(pid: number, home: string): Promise<string[]> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const paths = await Promise.all(
    fds.map(async (fd) => {
      const path = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (
        !path.startsWith('/') ||
        path.startsWith(home) ||
        path.startsWith('/dev/') ||
        path.startsWith('/proc/')
      )
        return [];
      const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8').catch(() => '');
      const flags = parseInt(/flags:\s+(\d+)/.exec(info)?.[1] ?? '0', 8);
      // O_WRONLY or O_RDWR. Shared memory with the X server has no name on any disk.
      return (flags & 3) !== 0 && !path.startsWith('/memfd:') && !path.startsWith('/SYSV') ? [path] : [];
    }),
  );
  return paths.flat();
}
