// `npm run pictures`: every state of the status window, light and dark, at 100 and 200 %, into docs/pictures/window. The
// pictures have a palette of 64 colours, which a window of flat areas does not miss.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../test/rig/browser.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../test/rig/process.ts';
import { LOOKS } from '../test/rig/statusWindow.ts';
import { playScenes } from '../test/rig/windowScenes.ts';

const folder = fileURLToPath(new URL('../docs/pictures/window', import.meta.url));
const ffmpeg = findTool(['ffmpeg'], FFMPEG_HINT);
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await startBrowser();
try {
  await playScenes(browser, async ({ name, window }) => {
    for (const look of LOOKS) {
      const file = join(folder, `${name}-${look.colors}-${look.percent}.png`);
      const whole = `${file}.whole.png`;
      await writeFile(whole, await window.picture(look));
      await toPalette(whole, file);
      await rm(whole);
    }
    console.log(name);
  });
} finally {
  await browser.stop();
}
process.exit(0);

async function toPalette(from: string, to: string): Promise<void> {
  const filter =
    'split[a][b];[a]palettegen=max_colors=64:reserve_transparent=0[p];[b][p]paletteuse=dither=none';
  await runOrThrow(ffmpeg, ['-y', '-v', 'error', '-i', from, '-vf', filter, '-frames:v', '1', to]);
}
