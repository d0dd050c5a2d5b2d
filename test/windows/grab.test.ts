// How the shipped ffmpeg.exe grabs (resources/ffmpeg/patches): without CAPTUREBLT, which makes the pointer flicker, and with
// layered windows in the picture all the same; at normal priority and without power throttling. Wine's relay trace has the
// calls as they were made.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { compileForWindows } from '../rig/compiled.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { endWithUs, runOrThrow } from '../rig/process.ts';
import { decodeRaw } from '../rig/rawFrames.ts';
import { startRecorder } from '../rig/recorder.ts';
import { onDrive, wineSession, type WineSession } from '../rig/wine.ts';

const sourceOf = (name: string): string => fileURLToPath(new URL(`../rig/c/${name}`, import.meta.url));
const ffmpeg = onDrive(
  fileURLToPath(new URL('../../resources/ffmpeg/win32-x64/ffmpeg.exe', import.meta.url)),
);
const grab = '-nostdin -probesize 32 -framerate 5 -f gdigrab -i desktop'.split(' ');
/** wingdi.h */
const SRCCOPY = '00cc0020';
/** winbase.h and processthreadsapi.h */
const [NORMAL, BELOW_NORMAL] = [0x20, 0x4000];
const PROCESS_POWER_THROTTLING = '00000004';

let display: Display;
let session: WineSession;

beforeAll(async () => {
  display = await startDisplay({ width: 640, height: 480 });
  session = await wineSession(display.display);
});
afterAll(() => display.stop());

async function wine(words: readonly string[], debug = '-all'): Promise<string> {
  const env = { ...session.environment, WINEDEBUG: debug };
  const { stdout, stderr } = await runOrThrow(session.loader, [...words], { env });
  return stdout.toString() + stderr;
}

it('calls BitBlt with SRCCOPY alone, and sets priority and power throttling', async () => {
  const key = 'HKCU\\Software\\Wine\\Debug';
  const calls = 'gdi32.BitBlt;kernel32.SetPriorityClass;kernel32.SetProcessInformation';
  await wine(['reg', 'add', key, '/v', 'RelayInclude', '/d', calls, '/f']);
  onTestFinished(async () => {
    await wine(['reg', 'delete', key, '/f']);
  });
  const trace = await wine([ffmpeg, ...grab, '-frames:v', '5', '-f', 'rawvideo', '-y', 'NUL'], '+relay');
  const wordsOf = (name: string): string[][] =>
    [...trace.matchAll(new RegExp(`Call \\w+\\.${name}\\(([^)]*)\\)`, 'gi'))].map(
      ([, words]) => words?.split(',') ?? [],
    );
  // A DWORD: the trace has the 64 bits of its place, of which the upper ones may be anything.
  const operations = wordsOf('BitBlt').map((words) => words.at(-1)?.slice(-8).padStart(8, '0'));
  expect(operations.length).toBeGreaterThanOrEqual(5);
  expect(new Set(operations)).toEqual(new Set([SRCCOPY]));
  expect(wordsOf('SetPriorityClass').map((words) => Number(`0x${words[1]}`))).toEqual([NORMAL]);
  expect(wordsOf('SetProcessInformation').map((words) => words[1])).toEqual([PROCESS_POWER_THROTTLING]);
});

it('has normal priority, although it was started below', async () => {
  const starter = await compileForWindows(sourceOf('startedSlow.c'));
  const command = [ffmpeg, ...grab, '-f', 'rawvideo', '-y', 'NUL'];
  const said = await wine([onDrive(starter), '3000', ...command]);
  expect(said.trim().split(/\s+/).slice(0, 2)).toEqual([BELOW_NORMAL, NORMAL].map((one) => one.toString(16)));
});

it('a layered window is in the recording', async () => {
  const home = await mkdtemp(join(tmpdir(), 'sightline-layered-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const program = await compileForWindows(sourceOf('layeredWindow.c'), '-lgdi32');
  const place = { x: 160, y: 120, width: 200, height: 100 };
  const window = spawn(session.loader, [onDrive(program), ...Object.values(place).map(String)], {
    ...{ env: session.environment, stdio: ['pipe', 'pipe', 'ignore'] },
  });
  endWithUs(window);
  onTestFinished(() => void window.stdin.end());
  const [shown] = (await once(createInterface({ input: window.stdout }), 'line')) as [string];
  expect(shown.trim()).toBe('shown');
  const recorder = await startRecorder({ display: display.display, home });
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
  await sleep(1500);
  await page.ask('contact.stop', { contactId: 'c' });
  await page.event('c', 'PUBLISHED');
  const [found] = await recorder.published();
  expect(await recorder.stop()).toBe(0);
  const { width, height } = found!.manifest.video;
  const last = (await decodeRaw(found!.mp4, { width, height })).at(-1)!;
  const inside = [];
  const outside = [];
  for (let y = 0; y < height; y += 4)
    for (let x = 0; x < width; x += 4) {
      const luma = last[y * width + x]!;
      const dx = x - place.x;
      const dy = y - place.y;
      if (dx >= 8 && dx < place.width - 8 && dy >= 8 && dy < place.height - 8) inside.push(luma);
      else if (dx < -8 || dx >= place.width + 8 || dy < -8 || dy >= place.height + 8) outside.push(luma);
    }
  expect(Math.min(...inside), 'white').toBeGreaterThan(220);
  // The pointer is white in places.
  expect(outside.filter((luma) => luma > 100).length / outside.length, 'black').toBeLessThan(0.01);
});
