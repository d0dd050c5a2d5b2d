// Slates: the still pictures that stand for gaps, encoded exactly as the runs of the recording are. Each is made when
// it is first needed and kept; there are few, and they are small.

import { join } from 'node:path';
import type { SlateOrder, VideoFormat } from '../shared/names.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Displays } from './displays.ts';
import type { FfmpegFinder } from './ffmpegBinary.ts';
import { slateArguments } from './ffmpegCommand.ts';
import type { SpawnFfmpeg } from './spawnFfmpeg.ts';

const DEADLINE_MS = 20_000;

export class Slates {
  private readonly made = new Map<string, Promise<Uint8Array>>();

  constructor(
    private readonly options: { finder: FfmpegFinder; spawn: SpawnFfmpeg; resourcesFolder: string },
  ) {}

  /** A fragmented MP4 with one picture. @throws SightlineError ENCODER_UNAVAILABLE, CAPTURE_FAILED */
  make(order: SlateOrder): Promise<Uint8Array> {
    const key = JSON.stringify(order);
    let slate = this.made.get(key);
    if (slate === undefined) {
      slate = this.encode(order).catch((error: unknown) => {
        this.made.delete(key);
        throw error;
      });
      this.made.set(key, slate);
    }
    return slate;
  }

  private async encode({ reason, encoder, fps, width, height }: SlateOrder): Promise<Uint8Array> {
    const { finder, spawn, resourcesFolder } = this.options;
    const { binary } = await finder.find();
    const picture = join(resourcesFolder, 'slates', `${reason}.gif`);
    const process = spawn(binary.path, slateArguments({ picture, encoder, fps, canvas: { width, height } }));
    const timer = setTimeout(() => process.kill('SIGKILL'), DEADLINE_MS);
    try {
      process.stdin.on('error', () => undefined).end();
      const output: Buffer[] = [];
      let said = '';
      process.stdout.on('data', (chunk: Buffer) => output.push(chunk));
      process.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
      const code = await new Promise<number | null>((resolve, reject) => {
        process.on('error', reject);
        process.on('close', resolve);
      });
      if (code !== 0 || output.length === 0) {
        throw new SightlineError(
          'CAPTURE_FAILED',
          `The slate "${reason}" could not be made: ${lastLine(said)}`,
        );
      }
      return Buffer.concat(output);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Of a recording without any frame (suspended from its start to its end): that of the screen, if there is one. */
export async function formatWithoutFrames(
  finder: FfmpegFinder,
  displays: Displays,
  fps: number,
): Promise<VideoFormat> {
  const [{ encoder }, layout] = await Promise.all([finder.find(), displays.current(null).catch(() => null)]);
  const canvas = layout?.picture.kind === 'composed' ? layout.picture.fit.canvas : null;
  return { ...(canvas ?? { width: 1280, height: 720 }), fps, encoder };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
