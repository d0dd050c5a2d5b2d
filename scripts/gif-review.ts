// Makes docs/pictures/review/player.gif: a click in the timeline, zoom to a monitor, and playing only what changes, in the real player
// over a real recording of the demo's desk. `npx tsx scripts/gif-review.ts`, after a build.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../test/rig/browser.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../test/rig/process.ts';
import { openPlayer } from '../test/rig/reviewPlayer.ts';
import { startReview } from '../test/rig/reviewProgram.ts';
import { recordForReview } from '../test/rig/reviewRecording.ts';

const FRAMES_PER_SECOND = 4;
const WIDTH = 960;

const out = fileURLToPath(new URL('../docs/pictures/review/player.gif', import.meta.url));
const home = await mkdtemp(join(tmpdir(), 'sightline-gif-'));
try {
  await mkdir(join(home, 'frames'));
  await mkdir(join(out, '..'), { recursive: true });
  await film();
  await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
    ...['-v', 'error', '-y', '-framerate', String(FRAMES_PER_SECOND), '-i', join(home, 'frames', '%03d.png')],
    ...[
      '-vf',
      `scale=${WIDTH}:-1:flags=lanczos,split[a][b];[a]palettegen=max_colors=96:stats_mode=diff[p];[b][p]paletteuse=dither=none:diff_mode=rectangle`,
    ],
    out,
  ]);
} finally {
  await rm(home, { recursive: true, force: true });
}

async function film(): Promise<void> {
  const { folder, audioFolder } = await recordForReview(home, {
    scene: 'demo',
    size: { width: 1280, height: 720 },
  });
  const review = await startReview(home, [folder, '--audio', audioFolder]);
  const browser = await startBrowser();
  try {
    const page = await browser.context.newPage();
    await page.setViewportSize({ width: 1366, height: 768 });
    await openPlayer(page, review.link.href);
    const box = await page.locator('.player-track').boundingBox();
    if (box === null) throw new Error('the player has no timeline');
    const at = (share: number): [number, number] => [box.x + share * box.width, box.y + box.height / 2];
    let count = 0;
    const take = async (seconds: number): Promise<void> => {
      for (let left = Math.round(seconds * FRAMES_PER_SECOND); left > 0; left -= 1) {
        const began = performance.now();
        await page.screenshot({ path: join(home, 'frames', `${String(count).padStart(3, '0')}.png`) });
        count += 1;
        await sleep(Math.max(0, 1000 / FRAMES_PER_SECOND - (performance.now() - began)));
      }
    };
    await take(0.75);
    await page.mouse.move(...at(0.67));
    await take(1.25);
    await page.mouse.click(...at(0.12));
    await take(0.75);
    await page.keyboard.press('z');
    await take(1);
    await page.keyboard.press('a');
    await page.getByLabel('Play only what changes').check();
    await page.getByRole('tab', { name: 'Transcript' }).click();
    await page.keyboard.press('k');
    await take(7.5);
  } finally {
    await browser.stop();
    await review.stop();
  }
}
