// What can be wrong with pictures and with the disk that they are kept on: ffmpeg, display, screens, folders.
import { mkdir, writeFile } from 'node:fs/promises';
import { oneMonitor, startDesk } from '../desk.ts';
import { startDisplay } from '../display.ts';
import { withMount, withMounts } from '../mount.ts';
import { FFMPEG_HINT, findTool } from '../process.ts';
import { startXorgDummy, type OutputState } from '../xorgDummy.ts';
import type { Bench, DoctorCase, DoctorStart } from './bench.ts';

/** Any with an encoder of ours. */
const ffmpeg = (): string => findTool(['ffmpeg'], FFMPEG_HINT);
const full = { width: 1280, height: 720 };

export const captureCases: readonly DoctorCase[] = [
  {
    check: 'ffmpeg and encoder',
    verdict: 'failed',
    when: 'ffmpeg is not where policy says',
    evidence: /No ffmpeg was found: .*gone \(not there, or not executable\)/,
    remedy: /^Nothing can be recorded without ffmpeg.*Install Sightline again.*"ffmpegPath"/,
    arrange: (bench) => ({ flags: ['--ffmpeg-path', bench.path('gone')] }),
  },
  {
    check: 'ffmpeg and encoder',
    verdict: 'failed',
    when: 'ffmpeg has no encoder that can be used',
    evidence: /has no H\.264 encoder that can be used/,
    remedy: /Install Sightline again/,
    arrange: async (bench) => ({ flags: ['--ffmpeg-path', await withoutEncoders(bench)] }),
  },
  {
    check: 'ffmpeg and encoder',
    verdict: 'warning',
    when: 'it is another encoder than libopenh264',
    evidence: /^libx264 in .* instead of libopenh264/,
    remedy:
      /^Recordings can be made\. To use the encoder that Sightline is tested with, install Sightline again/,
    arrange: () => ({ flags: ['--ffmpeg-path', ffmpeg(), '--encoder', 'libx264'] }),
  },
  {
    check: 'display',
    verdict: 'failed',
    when: 'no display is named',
    evidence: /No display is named/,
    remedy: /^Start Sightline as the agent, in the session that the agent sees/,
    arrange: () => ({}),
  },
  {
    check: 'display',
    verdict: 'failed',
    when: 'the display is gone',
    evidence: /display/i,
    remedy: /^Start Sightline as the agent/,
    arrange: async () => {
      const display = await startDisplay();
      await display.stop();
      return { flags: ['--display', display.display] };
    },
  },
  {
    check: 'display',
    verdict: 'failed',
    when: 'every monitor is switched off',
    evidence: /^no monitor is switched on$/,
    remedy: /^Switch a monitor on or plug one in, and run this again\.$/,
    arrange: (bench) => monitors(bench, [null]),
  },
  {
    check: 'display',
    verdict: 'warning',
    when: 'policy leaves a monitor out',
    evidence: /^DUMMY0 1280x720; not recorded: DUMMY1 1280x720$/,
    remedy: /^To record more of them raise "maxMonitors" in Sightline's policy: it is 1, and can be 3\.$/,
    arrange: async (bench) => {
      const start = await monitors(bench, [
        { x: 0, y: 0, ...full, primary: true },
        { x: 1280, y: 0, ...full, primary: false },
      ]);
      return { flags: [...(start.flags ?? []), '--max-monitors', '1'] };
    },
  },
  {
    check: 'display',
    verdict: 'warning',
    when: 'the monitors have too many pixels',
    evidence: /scaled down to \d+x\d+$/,
    remedy: /more pixels than one video can have.*Lower "maxMonitors".*lower resolution/,
    arrange: (bench) =>
      monitors(bench, [
        { x: 0, y: 0, width: 3840, height: 2160, primary: true },
        { x: 3840, y: 0, width: 3840, height: 2160, primary: false },
      ]),
  },
  {
    check: 'test capture',
    verdict: 'failed',
    when: 'every monitor is switched off',
    evidence: /No monitor is switched on/,
    remedy: /^Do what the checks "ffmpeg and encoder" and "display" say/,
    arrange: (bench) => monitors(bench, [null]),
  },
  {
    check: 'test capture',
    verdict: 'failed',
    when: 'ffmpeg ends without a picture',
    evidence: /The test capture failed: the screen is not for you/,
    remedy: /log off and on again.*export the diagnostics/,
    arrange: async (bench) => {
      const start = await screen(bench);
      const lines = `case "$*" in *x11grab*) echo "the screen is not for you" >&2; exit 1;; esac\nexec "${ffmpeg()}" "$@"`;
      return { flags: [...(start.flags ?? []), '--ffmpeg-path', await bench.script('ffmpeg', lines)] };
    },
  },
  {
    check: 'test capture',
    verdict: 'failed',
    when: 'ffmpeg ends well, with no picture',
    evidence: /0 of 10 frames/,
    remedy: /^No frame arrives from the screen\. Do what the check "display" says/,
    arrange: async (bench) => {
      const start = await screen(bench);
      const lines = `case "$*" in *x11grab*) exit 0;; esac\nexec "${ffmpeg()}" "$@"`;
      return { flags: [...(start.flags ?? []), '--ffmpeg-path', await bench.script('ffmpeg', lines)] };
    },
  },
  {
    check: 'test capture',
    verdict: 'warning',
    when: 'the screen is black',
    evidence: /^screen black, still/,
    remedy: /^Fine if that monitor is black\. Otherwise something hides the screen/,
    arrange: screen,
  },
  {
    check: 'test capture',
    verdict: 'warning',
    when: 'another ffmpeg shares its pictures with everybody',
    evidence: /; other users of this computer can read the screen while it is recorded$/,
    remedy:
      /^If others can log on to this computer, record with the ffmpeg that comes with Sightline: .*"ffmpegPath"/,
    arrange: async (bench) => {
      // With something to see: a black screen is reported first.
      const desk = await startDesk({ monitors: oneMonitor });
      bench.onEnd(() => desk.stop());
      return { flags: ['--display', desk.display, '--ffmpeg-path', ffmpeg()] };
    },
  },
  {
    check: 'data folder',
    verdict: 'failed',
    when: 'a file is in its place',
    evidence: /cannot be written to: (ENOTDIR|EEXIST)/,
    remedy: /^There is a file where a folder should be\. Rename that file, or set another "dataDir"/,
    arrange: async (bench) => {
      await writeFile(bench.path('file'), '');
      return { flags: ['--data-dir', bench.path('file', 'data')] };
    },
  },
  {
    check: 'data folder',
    verdict: 'failed',
    when: 'its disk is read-only',
    evidence: /cannot be written to: EROFS/,
    remedy: /^The disk or share is read-only\. Make it writable/,
    arrange: (bench) => mounted(bench, 'ro'),
  },
  {
    check: 'data folder',
    verdict: 'failed',
    when: 'its disk is full to the last byte',
    evidence: /cannot be written to: ENOSPC/,
    remedy: /^The disk is full\. Delete what is not needed on it, or set another "dataDir"/,
    arrange: async (bench) => {
      await mkdir(bench.dataDir);
      const fill = `{ head -c 1M /dev/zero >"${bench.path('data', 'filler')}" 2>/dev/null; true; }`;
      return {
        wrapper: withMounts(`mount -t tmpfs -o size=64k tmpfs "${bench.dataDir}" && ${fill}`),
      };
    },
  },
  {
    check: 'data folder',
    verdict: 'failed',
    when: 'less is free than policy leaves free',
    evidence: /, 0\.1 GiB free;/,
    remedy:
      /^Nothing is recorded while less than 1\.0 GiB of this disk is free \("spoolMinFreeMiB".*Delete what is not needed/,
    arrange: (bench) => mounted(bench, 'size=64m'),
  },
  {
    check: 'data folder',
    verdict: 'failed',
    when: 'the spool cannot be written to',
    evidence: /data cannot be written to: EROFS.*spool/,
    remedy: /^The disk or share is read-only/,
    arrange: async (bench) => {
      await mkdir(bench.path('data', 'spool'), { recursive: true });
      return { wrapper: withMount(bench.path('data', 'spool'), 'ro') };
    },
  },
  {
    check: 'status events',
    verdict: 'failed',
    when: 'a folder is in the place of their file',
    evidence: /status-events\.ndjson is a folder$/,
    remedy: /^Move that folder away\./,
    arrange: async (bench) => {
      await mkdir(bench.path('data', 'status-events.ndjson'), { recursive: true });
      return {};
    },
  },
  {
    check: 'status events',
    verdict: 'failed',
    when: 'their disk is full to the last byte',
    evidence: /events cannot be written to: ENOSPC/,
    remedy: /^The disk is full\. .*or set another "statusEventsFile"/,
    arrange: async (bench) => {
      const folder = bench.path('events');
      await mkdir(folder);
      const fill = `{ head -c 1M /dev/zero >"${folder}/filler" 2>/dev/null; true; }`;
      return {
        flags: ['--status-events-file', `${folder}/events.ndjson`],
        wrapper: withMounts(`mount -t tmpfs -o size=64k tmpfs "${folder}" && ${fill}`),
      };
    },
  },
  {
    check: 'status events',
    verdict: 'failed',
    when: 'the file alone is read-only',
    evidence: /events\.ndjson cannot be written to: EROFS/,
    remedy: /^The disk or share is read-only\./,
    arrange: async (bench) => {
      const file = bench.path('data', 'status-events.ndjson');
      await mkdir(bench.dataDir);
      await writeFile(file, '');
      return {
        wrapper: withMounts(`mount --bind "${file}" "${file}" && mount -o remount,bind,ro "${file}"`),
      };
    },
  },
  {
    check: 'data folder',
    verdict: 'warning',
    when: 'little more is free than policy leaves free',
    evidence: /, 1\.5 GiB free;/,
    remedy: /^Delete what is not needed on this disk: an hour of recording needs/,
    arrange: (bench) => mounted(bench, 'size=1500m'),
  },
  {
    check: 'data folder',
    verdict: 'warning',
    when: 'the quota is nearly used up',
    evidence: /the spool \(recordings on this disk\) uses/,
    remedy: /^Recording will stop soon\. "sightline recordings" shows why.*"spoolQuotaMiB"/,
    arrange: async (bench) => {
      await mkdir(bench.path('data', 'spool', 'session'), { recursive: true });
      await writeFile(bench.path('data', 'spool', 'session', 'run'), Buffer.alloc(1000 * 1024));
      return { flags: ['--spool-quota-mib', '1'] };
    },
  },
  {
    check: 'sink folder',
    verdict: 'failed',
    when: 'a file is in its place',
    evidence: /file\/sink cannot be written to: /,
    remedy: /Rename that file, or set another "sinkFolder" in Sightline's policy\.$/,
    arrange: async (bench) => {
      await writeFile(bench.path('file'), '');
      return { flags: ['--sink-folder', bench.path('file', 'sink')] };
    },
  },
  {
    check: 'sink folder',
    verdict: 'failed',
    when: 'its share is read-only',
    evidence: /sink cannot be written to: EROFS/,
    remedy: /^The disk or share is read-only\. Make it writable, or set another "sinkFolder"/,
    arrange: async (bench) => {
      await mkdir(bench.path('sink'));
      return {
        flags: ['--sink-folder', bench.path('sink')],
        wrapper: withMount(bench.path('sink'), 'ro'),
      };
    },
  },
];

async function mounted(bench: Bench, options: string): Promise<DoctorStart> {
  await mkdir(bench.dataDir);
  return { wrapper: withMount(bench.dataDir, options) };
}

async function screen(bench: Bench): Promise<DoctorStart> {
  const display = await startDisplay();
  bench.onEnd(() => display.stop());
  return { flags: ['--display', display.display] };
}

async function monitors(bench: Bench, outputs: readonly OutputState[]): Promise<DoctorStart> {
  const display = await startXorgDummy();
  bench.onEnd(() => display.stop());
  await display.setOutputs(outputs);
  return { flags: ['--display', display.display] };
}

/** A real ffmpeg as it would be built without H.264. */
function withoutEncoders(bench: Bench): Promise<string> {
  const lines = `case "$*" in *-encoders*) "${ffmpeg()}" "$@" | grep -v 264;; *) exec "${ffmpeg()}" "$@";; esac`;
  return bench.script('ffmpeg', lines);
}
