// Slates, the still images shown during gaps, encoded exactly as the runs of the recording are; and badges, which mark short
// gaps on the frame before.

import { join } from 'node:path';
import type { Overlay } from '../media/overlayFrame.ts';
import { SightlineError } from '../shared/errors.ts';
import type { BadgeOrder, Quality, SlateOrder, VideoFormat } from '../shared/names.ts';
import type { Displays } from './displays.ts';
import type { FfmpegFinder } from './ffmpegBinary.ts';
import { slateArguments } from './ffmpegCommand.ts';
import type { Masks } from './masks.ts';
import { loadMasks } from './masks.ts';
import { badgeOverlay, slateImage } from './slateImage.ts';
import type { SpawnFfmpeg } from './spawnFfmpeg.ts';
import { lastLine, runToEnd } from './spawnFfmpeg.ts';

const DEADLINE_MS = 20_000;
/** Of encoded slates, which are 10 to 60 kB each: an upload that is retried needs the same ones again. */
const CACHE_BYTES = 4 * 1024 * 1024;

export interface SlatesOptions {
  readonly finder: Pick<FfmpegFinder, 'find'>;
  readonly spawn: SpawnFfmpeg;
  readonly resourcesFolder: string;
  /** Read for each slate: policy may change. */
  readonly policy: { readonly quality: Quality };
}

export class Slates {
  private masks: Promise<Masks> | null = null;
  /** The least recently used ones first. */
  private readonly made = new Map<string, Buffer>();
  private madeBytes = 0;

  constructor(private readonly options: SlatesOptions) {}

  /** A fragmented MP4 with one frame. @throws SightlineError ENCODER_UNAVAILABLE, CAPTURE_FAILED */
  async make(order: SlateOrder): Promise<Buffer> {
    const key = JSON.stringify(order);
    const known = this.made.get(key);
    const slate = known ?? (await this.encode(order));
    this.forget(key);
    this.made.set(key, slate);
    this.madeBytes += slate.byteLength;
    for (const oldest of this.made.keys()) {
      if (this.madeBytes <= CACHE_BYTES) break;
      this.forget(oldest);
    }
    return slate;
  }

  async badge(order: BadgeOrder): Promise<Overlay> {
    return badgeOverlay(await this.loadedMasks(), order);
  }

  private async encode(order: SlateOrder): Promise<Buffer> {
    const { encoder, fps, width, height, reason } = order;
    const image = slateImage(await this.loadedMasks(), { width, height }, order);
    const { finder, spawn, policy } = this.options;
    const { path, isPatched } = (await finder.find()).binary;
    const { quality } = policy;
    const child = spawn(
      path,
      slateArguments({ encoder, fps, quality, isPatched, canvas: { width, height } }),
    );
    const output: Buffer[] = [];
    const { code, stderr } = await runToEnd(child, {
      input: image.data,
      take: (chunk) => output.push(chunk),
      deadlineMs: DEADLINE_MS,
    });
    if (code !== 0 || output.length === 0) {
      throw new SightlineError(
        'CAPTURE_FAILED',
        `The slate "${reason}" could not be made: ${lastLine(stderr)}`,
      );
    }
    return Buffer.concat(output);
  }

  private loadedMasks(): Promise<Masks> {
    this.masks ??= loadMasks(join(this.options.resourcesFolder, 'slates')).catch((error: unknown) => {
      this.masks = null;
      throw error;
    });
    return this.masks;
  }

  private forget(key: string): void {
    this.madeBytes -= this.made.get(key)?.byteLength ?? 0;
    this.made.delete(key);
  }
}

/** Of a recording without any frame (suspended from its start to its end): that of the screen, if there is one. */
export async function formatWithoutFrames(
  finder: FfmpegFinder,
  displays: Displays,
  fps: number,
): Promise<VideoFormat> {
  const [{ encoder }, layout] = await Promise.all([finder.find(), displays.current(null).catch(() => null)]);
  return { ...(layout?.fit.canvas ?? { width: 1280, height: 720 }), fps, encoder };
}
