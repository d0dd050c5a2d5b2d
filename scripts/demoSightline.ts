// Sightline as it runs on an agent's machine, for the demos: the app where Electron is present, else the recorder without windows.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findElectron, startElectronApp } from '../test/rig/electronApp.ts';
import { FFMPEG_HINT, findTool, run } from '../test/rig/process.ts';
import { startRecorder } from '../test/rig/recorder.ts';

export interface DemoOptions {
  /** Where recordings go, and pictures. */
  readonly out: string;
  /** Without Electron. */
  readonly quick: boolean;
  /** `:N`; null where the system has none. */
  readonly display: string | null;
  /** Nobody's own screen: pictures may be taken of it. */
  readonly isVirtual: boolean;
  readonly say: (text: string) => void;
}

export interface DemoSightline {
  readonly port: number;
  readonly dataDir: string;
  /** A picture of the virtual screen with the app's window and indicator on it. A real screen is never photographed. */
  readonly showAgentSide: (state: string) => Promise<void>;
  stop(): Promise<unknown>;
}

/** @param options.hasWindow the app opens its window, not the indicator alone */
export async function startSightline(options: DemoOptions & { hasWindow?: boolean }): Promise<DemoSightline> {
  const { out, quick, display, isVirtual, say, hasWindow = true } = options;
  const electron = display === null || quick ? null : await findElectron();
  if (electron === null || display === null) {
    const recorder = await startRecorder({ display, flags: ['--sink-folder', out] });
    const { port, dataDir } = recorder;
    return { port, dataDir, showAgentSide: () => Promise.resolve(), stop: () => recorder.stop() };
  }
  say(`The agent's side: the app in ${electron.name}.`);
  const app = await startElectronApp({ electron, display, environment: { SIGHTLINE_SINK_FOLDER: out } });
  if (app.port === null) throw new Error(`The app could not start its services:\n${app.said()}`);
  if (hasWindow) await app.startAgain(); // the app shows its window
  return {
    port: app.port,
    dataDir: app.dataDir,
    async showAgentSide(state) {
      if (!isVirtual) return;
      const file = join(out, `agent-${state}.png`);
      if (await grabScreen(display, file)) say(`  the agent sees this: ${file}`);
    },
    async stop() {
      await app.quit();
      await app.dispose();
    },
  };
}

async function grabScreen(display: string, file: string): Promise<boolean> {
  await mkdir(join(file, '..'), { recursive: true });
  const input = ['-f', 'x11grab', '-i', display, '-frames:v', '1'];
  const { code } = await run(findTool(['ffmpeg'], FFMPEG_HINT), ['-v', 'error', '-y', ...input, file]);
  return code === 0;
}
