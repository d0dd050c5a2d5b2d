// x11grab shares each picture with the X server in System V shared memory: nobody else on the machine may read it there.
// The other user is a real one (nobody); what another ffmpeg does is shown with the system's.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { compileC } from '../rig/compiled.ts';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { startDisplay } from '../rig/display.ts';
import { FFMPEG_HINT, findTool, run } from '../rig/process.ts';
import { host } from '../rig/program.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';

const contact = { contactId: 'c', channel: 'VOICE' };
const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? '' : ' (left out: only root can become another user)';
const attachSource = fileURLToPath(new URL('../rig/c/attach.c', import.meta.url));
let desk: Desk;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
});
afterAll(() => desk.stop());

async function record(display: string, ...flags: string[]): Promise<Recorder> {
  const recorder = await startRecorder({ display, flags });
  onTestFinished(async () => {
    await recorder.stop();
  });
  const page = await recorder.connect();
  await page.ask('contact.start', contact);
  return recorder;
}

/** The segments that the recorder's ffmpeg has made (proc_sysvipc_shm(5)). */
async function segments(recorder: Recorder): Promise<{ id: number; mode: number }[]> {
  const ffmpegs = await host.ffmpegs(recorder.pid);
  const rows = (await readFile('/proc/sysvipc/shm', 'utf8'))
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  return rows
    .filter((row) => ffmpegs.includes(Number(row[4])))
    .map((row) => ({ id: Number(row[1]), mode: parseInt(row[2] ?? '', 8) & 0o777 }));
}

async function attachAsNobody(id: number): Promise<string> {
  const attach = await compileC(attachSource);
  return (await run(attach, [String(id)])).stdout.toString().trim();
}

it(`our own ffmpeg: mode 0600, and another user is refused${needsRoot}`, async () => {
  const recorder = await record(desk.display);
  const found = await segments(recorder);
  expect(found.length).toBeGreaterThan(0);
  for (const { id, mode } of found) {
    expect(mode).toBe(0o600);
    if (isRoot) expect(await attachAsNobody(id)).toBe('EACCES');
  }
  expect(recorder.stderr()).not.toContain('Other users of this computer can read the screen');
});

it(`the system's ffmpeg: another user can read the screen, and the log says so${needsRoot}`, async () => {
  const recorder = await record(desk.display, '--ffmpeg-path', findTool(['ffmpeg'], FFMPEG_HINT));
  const [found] = await segments(recorder);
  expect(found?.mode).toBe(0o777);
  if (isRoot) expect(await attachAsNobody(found!.id)).toBe('attached');
  await expect
    .poll(() => recorder.stderr())
    .toMatch(/"level":"warn","message":"Other users of this computer can read the screen .*"ffmpegPath\\"/);
});

it.skipIf(!isRoot)(
  `an X server of yet another user cannot attach: recorded without it${needsRoot}`,
  async () => {
    const display = await startDisplay({ user: 65534 });
    onTestFinished(() => display.stop());
    const recorder = await record(display.display);
    const page = await recorder.connect();
    expect(await page.ask('status')).toMatchObject({ state: 'recording' });
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    const [published] = await recorder.published();
    expect(published?.manifest.gaps).toEqual([]);
    expect(published?.manifest.video.frames).toBeGreaterThan(0);
  },
);
