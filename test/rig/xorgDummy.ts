// Xorg with the dummy video driver: an X server without hardware that has real RandR monitors, which can be plugged,
// unplugged, resized and moved while programs run. (Xvfb has one that never changes.)
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDisplay, type Display, type XServerKind } from './display.ts';
import { findTool, runOrThrow } from './process.ts';
import type { Rect } from './timecode.ts';

/** The desktop's largest size; the driver's outputs are called DUMMY0, DUMMY1, ... */
const DESKTOP = { width: 8192, height: 8192 };
const DRIVER = '/usr/lib/xorg/modules/drivers/dummy_drv.so';
const HINT =
  'Install them (on Debian: apt install xserver-xorg-core xserver-xorg-video-dummy x11-xserver-utils), or run `npm run setup`.';

const configuration = `
Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoEnableDevices" "false"
EndSection
Section "Device"
  Identifier "device"
  Driver "dummy"
  VideoRam ${(DESKTOP.width * DESKTOP.height * 4) / 1024}
EndSection
Section "Monitor"
  Identifier "monitor"
  HorizSync 1-5000
  VertRefresh 1-5000
EndSection
Section "Screen"
  Identifier "screen"
  Device "device"
  Monitor "monitor"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Virtual ${DESKTOP.width} ${DESKTOP.height}
    Modes "1280x720"
  EndSubSection
EndSection
`;

/** One output's part of the desktop, or null when it is switched off. */
export type OutputState = (Rect & { readonly primary: boolean }) | null;

export interface XorgDummy extends Display {
  /** Sets all outputs in one step; an output is named by its index. Resolves when the server has done so. */
  setOutputs(outputs: readonly OutputState[]): Promise<void>;
}

export function outputName(index: number): string {
  return `DUMMY${index}`;
}

export async function startXorgDummy(): Promise<XorgDummy> {
  if (!existsSync(DRIVER)) throw new Error(`Xorg's dummy driver is not installed. ${HINT}`);
  const xrandr = findTool(['xrandr'], HINT);
  const folder = await mkdtemp(join(tmpdir(), 'sightline-xorg-'));
  await writeFile(join(folder, 'xorg.conf'), configuration);
  const server: XServerKind = {
    commands: ['Xorg'],
    hint: HINT,
    args: () => [
      ...['-config', join(folder, 'xorg.conf'), '-logfile', join(folder, 'xorg.log')],
      // It must neither take a console nor wait for one, and not reset when its last client leaves.
      ...['-novtswitch', '-sharevts', '-noreset', '-nolisten', 'tcp', '-s', '0'],
    ],
  };
  const display = await startDisplay({ server }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const modes = new Set<string>();
  const run = (args: string[]): Promise<unknown> =>
    runOrThrow(xrandr, ['--display', display.display, ...args]);

  /** Adds the mode to the output if it does not have it yet: any size goes, the timings are of no matter. */
  async function offerMode(output: string, { width, height }: Rect): Promise<string> {
    const mode = `sightline-${width}x${height}`;
    if (!modes.has(mode)) {
      const [w, h] = [String(width), String(height)];
      await run(['--newmode', mode, '100', w, w, w, w, h, h, h, h]);
      modes.add(mode);
    }
    const offered = `${output} ${mode}`;
    if (!modes.has(offered)) await run(['--addmode', output, mode]);
    modes.add(offered);
    return mode;
  }

  return {
    ...display,
    async setOutputs(outputs) {
      const words: string[] = [];
      let [width, height] = [0, 0];
      for (const [index, output] of outputs.entries()) {
        const name = outputName(index);
        words.push('--output', name);
        if (output === null) {
          words.push('--off');
          continue;
        }
        const mode = await offerMode(name, output);
        words.push(
          '--mode',
          mode,
          '--pos',
          `${output.x}x${output.y}`,
          ...(output.primary ? ['--primary'] : []),
        );
        width = Math.max(width, output.x + output.width);
        height = Math.max(height, output.y + output.height);
      }
      await run([...(width > 0 ? ['--fb', `${width}x${height}`] : []), ...words]);
    },
    async stop() {
      await display.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
