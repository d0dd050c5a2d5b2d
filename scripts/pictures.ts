// `npm run pictures`: every state of the status window, light and dark, at 100 and 200 %, into docs/pictures/window.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../test/rig/browser.ts';
import { LOOKS } from '../test/rig/statusWindow.ts';
import { toPalette } from '../test/rig/trayDesk.ts';
import { playScenes } from '../test/rig/windowScenes.ts';

const folder = fileURLToPath(new URL('../docs/pictures/window', import.meta.url));
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
