// Where the pill is: in a real Electron on a real window manager, over monitors that come, go and change (RandR), and under
// windows of other programs. Geometry is read back from the X server. With SIGHTLINE_PICTURES=FOLDER it writes screenshots.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { COVER_COLOUR, coverPlace } from '../rig/coverWindow.ts';
import type { ElectronApp } from '../rig/electronApp.ts';
import { findElectron, startElectronApp } from '../rig/electronApp.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../rig/process.ts';
import { connectPage } from '../rig/recorder.ts';
import type { Rect } from '../rig/timecode.ts';
import type { TrayDesk } from '../rig/trayDesk.ts';
import { missingForTrayDesk, startTrayDesk, toPalette } from '../rig/trayDesk.ts';
import type { OutputState, XorgDummy } from '../rig/xorgDummy.ts';
import { startXorgDummy } from '../rig/xorgDummy.ts';

const electron = await findElectron();
const missing = electron === null ? 'there is no Electron on this machine' : missingForTrayDesk();
const PILL = '^Sightline indicator$';
const pictures = process.env.SIGHTLINE_PICTURES;
/** The panel at the bottom. X11 has one work area for all monitors, and Chromium uses it only where there is one monitor. */
const PANEL = 32;
const POLL = { timeout: 10_000, interval: 100 };

const left: OutputState = { x: 0, y: 0, width: 1280, height: 720, primary: true };
const right: OutputState = { x: 1280, y: 0, width: 1024, height: 600, primary: false };

describe.skipIf(missing !== null)(
  missing === null ? `the pill in ${electron!.name}` : `the pill in a real Electron: left out, ${missing}`,
  () => {
    let xorg: XorgDummy;
    let desk: TrayDesk;
    let app: ElectronApp;
    let folder: string;
    const ends: (() => unknown)[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sightline-pill-'));
      ends.push(() => rm(folder, { recursive: true, force: true }));
      if (pictures !== undefined) await mkdir(pictures, { recursive: true });
      xorg = await startXorgDummy();
      ends.push(() => xorg.stop());
      await arrange(left, null);
      desk = await startTrayDesk(xorg);
      ends.push(() => desk.stop());
      app = await startElectronApp({
        electron: electron!,
        display: desk.display,
        environment: { ...desk.environment, HOME: folder },
      });
      ends.push(() => app.dispose());
      const page = await connectPage(app.port!);
      ends.push(() => page.close());
      await page.ask('contact.start', { contactId: 'pill', channel: 'VOICE' });
      await desk.window(PILL);
    });
    afterAll(async () => {
      for (const end of ends.reverse()) await end();
    });

    async function arrange(...outputs: OutputState[]): Promise<void> {
      await xorg.setOutputs(outputs);
      // The driver reports an output as connected only to who looks, and Chromium waits for the report.
      await runOrThrow(findTool(['xrandr'], 'Run `npm run setup`.'), ['--display', xorg.display]);
    }

    async function picture(name: string): Promise<void> {
      if (pictures === undefined) return;
      const whole = join(folder, 'whole.png');
      await desk.picture(whole);
      await toPalette(whole, join(pictures, `pill-${name}.png`));
    }

    /** Resolves when there is one pill, wholly on each of these monitors, and none elsewhere. */
    async function expectPillOnEach(...monitors: Rect[]): Promise<Rect[]> {
      const panel = monitors.length === 1 ? PANEL : 0;
      const areas = monitors.map((one) => ({ ...one, height: one.height - panel }));
      const found = async (): Promise<string> => {
        const pills = await desk.placesOf(PILL);
        const lone = pills.filter((pill) => !areas.some((area) => isWithin(pill, area)));
        const bare = areas.filter((area) => !pills.some((pill) => isWithin(pill, area)));
        return lone.length + bare.length === 0 && pills.length === monitors.length
          ? 'one on each'
          : JSON.stringify({ pills, bare });
      };
      await expect.poll(found, POLL).toBe('one on each');
      return desk.placesOf(PILL);
    }

    /** How much of the place has the colour of the other program's window, from 0 to 1. */
    async function coveredShare({ x, y, width, height }: Rect): Promise<number> {
      const file = join(folder, 'place.rgb');
      await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
        ...['-v', 'error', '-f', 'x11grab', '-draw_mouse', '0', '-video_size', `${width}x${height}`],
        ...['-i', `${desk.display}.0+${x},${y}`, '-frames:v', '1'],
        ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-y', file],
      ]);
      const pixels = await readFile(file);
      let covered = 0;
      for (let at = 0; at < pixels.length; at += 3)
        if (pixels.readUIntBE(at, 3) === COVER_COLOUR) covered += 1;
      return covered / (width * height);
    }

    it('follows a smaller, a larger and a second monitor, and one that is taken away', async () => {
      await expectPillOnEach(left);
      const small = { ...left, width: 1024, height: 600 };
      await arrange(small, null);
      const [shrunk] = await expectPillOnEach(small);
      expect(shrunk!.x + shrunk!.width).toBeGreaterThan(900);
      await picture('smaller');
      await arrange(left, right);
      const both = await expectPillOnEach(left, right);
      // Bottom right, as before.
      expect(both.map(({ x, width }) => x + width)).toEqual([1269, 2295]);
      await picture('two-monitors');
      // The second becomes the first, and moves to the left of the other.
      const swapped = [
        { ...left, x: 1024, primary: false },
        { ...right, x: 0, primary: true },
      ] as const;
      await arrange(...swapped);
      await expectPillOnEach(...swapped);
      await arrange(left, null);
      await expectPillOnEach(left);
    });

    it('returns when another program moves it off the screen', async () => {
      const [before] = await expectPillOnEach(left);
      onTestFinished(() => desk.moveWindow(PILL, before!.x, before!.y));
      await desk.moveWindow(PILL, -400, -300);
      const [after] = await expectPillOnEach(left);
      // Its width follows what it says.
      expect(Math.abs(after!.x - before!.x)).toBeLessThan(40);
    });

    it('is placed again after a monitor went away in the middle of a drag', async () => {
      await arrange(left, right);
      const [, second] = await expectPillOnEach(left, right);
      await desk.grip({ x: second!.x + 60, y: second!.y + 18 }, { x: second!.x + 20, y: second!.y - 60 });
      await arrange(left, null);
      await desk.release();
      const small = { ...left, width: 800, height: 600 };
      await arrange(small, null);
      await expectPillOnEach(small);
      await arrange(left, null);
      await expectPillOnEach(left);
      await desk.moveMouseAway();
    });

    it.each(['managed', 'override-redirect'] as const)(
      'is above a %s window of another program that comes up over it',
      async (kind) => {
        const [pill] = await expectPillOnEach(left);
        const cover = await coverPlace(
          desk.display,
          { x: pill!.x - 100, y: pill!.y - 100, width: pill!.width + 110, height: pill!.height + 110 },
          kind,
        );
        onTestFinished(() => cover.close());
        // It is there, beside the pill.
        await expect.poll(() => coveredShare({ ...pill!, y: pill!.y - 60 }), POLL).toBeGreaterThan(0.95);
        await expect.poll(() => coveredShare(pill!), POLL).toBeLessThan(0.3);
        await picture(`above-${kind}`);
        await sleep(1000);
        expect(await coveredShare(pill!)).toBeLessThan(0.3);
      },
    );
  },
);

function isWithin(pill: Rect, area: Rect): boolean {
  return (
    pill.x >= area.x &&
    pill.y >= area.y &&
    pill.x + pill.width <= area.x + area.width &&
    pill.y + pill.height <= area.y + area.height
  );
}
