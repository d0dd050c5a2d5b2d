// Which ffmpeg is used, and which of its encoders. Searched in this order: policy "ffmpegPath", our own build under
// resources/ffmpeg, the optional package ffmpeg-static, PATH. The first one that runs is used.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../platform/log.ts';
import { isExecutable } from '../platform/runTool.ts';
import { isInstalledCommandLine } from '../platform/version.ts';
import { SightlineError, errorMessage } from '../shared/errors.ts';
import type { EncoderName } from '../shared/names.ts';
import { encoderNames } from '../shared/names.ts';

const run = promisify(execFile);

export interface FfmpegBinary {
  readonly path: string;
  readonly origin: 'policy' | 'resources' | 'ffmpeg-static' | 'PATH';
  /** As ffmpeg prints it: `8.1.2`, `5.1.9-0+deb12u1`. */
  readonly version: string;
  readonly encoders: readonly EncoderName[];
  /** Whether it has our patches (resources/ffmpeg/patches). */
  readonly isPatched: boolean;
}

export interface ChosenEncoder {
  readonly binary: FfmpegBinary;
  readonly encoder: EncoderName;
  /** For the user, where the encoder is not libopenh264. */
  readonly warning: string | null;
}

/** Read for each search: policy may change. */
export interface FfmpegPolicy {
  readonly ffmpegPath: string | null;
  readonly encoder: EncoderName | 'auto';
}

/** Caches a success (ffmpeg is not replaced under a running recorder), searches again after a failure. */
export class FfmpegFinder {
  private chosen: Promise<ChosenEncoder> | null = null;
  private known: ChosenEncoder | null = null;

  constructor(
    private readonly policy: FfmpegPolicy,
    private readonly resourcesFolder: string,
    private readonly log?: Logger,
  ) {}

  /** @throws SightlineError ENCODER_UNAVAILABLE */
  find(): Promise<ChosenEncoder> {
    this.chosen ??= this.choose().catch((error: unknown) => {
      this.chosen = null;
      throw error;
    });
    return this.chosen;
  }

  /** The next `find` searches again. */
  policyChanged(keys: ReadonlySet<string>): void {
    if (!keys.has('ffmpegPath') && !keys.has('encoder')) return;
    this.chosen = null;
    this.known = null;
  }

  /** As found before, without a search. */
  get current(): ChosenEncoder | null {
    return this.known;
  }

  private async choose(): Promise<ChosenEncoder> {
    const binary = await findBinary(this.policy.ffmpegPath, this.resourcesFolder);
    this.known = chooseEncoder(binary, this.policy.encoder);
    const { encoder, warning } = this.known;
    const { path, version, origin, isPatched } = binary;
    this.log?.info('encoder', { encoder, ffmpeg: path, version, origin, isPatched });
    if (warning !== null) this.log?.warn(warning);
    return this.known;
  }
}

/** @throws SightlineError ENCODER_UNAVAILABLE */
export function chooseEncoder(binary: FfmpegBinary, wanted: EncoderName | 'auto'): ChosenEncoder {
  const encoder = wanted === 'auto' ? binary.encoders[0] : binary.encoders.find((name) => name === wanted);
  if (encoder === undefined) {
    throw new SightlineError(
      'ENCODER_UNAVAILABLE',
      `${binary.path} (ffmpeg ${binary.version}) has no ${wanted === 'auto' ? 'H.264 encoder that can be used' : wanted}. ` +
        'Install Sightline\'s own ffmpeg, or set "ffmpegPath" to one with libopenh264.',
    );
  }
  const warning =
    encoder === 'libopenh264'
      ? null
      : `Recording with ${encoder} instead of libopenh264 (${binary.path}): files differ in size, and its licence may too.`;
  return { binary, encoder, warning };
}

async function findBinary(ffmpegPath: string | null, resourcesFolder: string): Promise<FfmpegBinary> {
  const tried: string[] = [];
  for (const { path, origin } of candidates(ffmpegPath, resourcesFolder)) {
    if (!(await isExecutable(path))) {
      if (origin === 'policy') tried.push(`${path} (not there, or not executable)`);
    } else {
      try {
        return await inspect(path, origin);
      } catch (error) {
        tried.push(`${path} (${errorMessage(error).split('\n', 1)[0]})`);
      }
    }
    // IT chose this path: never use another ffmpeg instead.
    if (origin === 'policy') break;
  }
  throw new SightlineError(
    'ENCODER_UNAVAILABLE',
    `No ffmpeg was found${tried.length > 0 ? `: ${tried.join(', ')}` : ''}. Reinstall Sightline, or set "ffmpegPath".`,
  );
}

function candidates(
  ffmpegPath: string | null,
  resourcesFolder: string,
): { path: string; origin: FfmpegBinary['origin'] }[] {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  const platform = `${process.platform}-${process.arch}`;
  const packaged = ffmpegStaticPath();
  return [
    ...(ffmpegPath === null ? [] : [{ path: ffmpegPath, origin: 'policy' as const }]),
    { path: join(resourcesFolder, 'ffmpeg', platform, name), origin: 'resources' as const },
    ...(packaged === null ? [] : [{ path: packaged, origin: 'ffmpeg-static' as const }]),
    ...(process.env.PATH ?? '')
      .split(delimiter)
      // "" and "." are the current folder, where any program may have put one.
      .filter((folder) => isAbsolute(folder))
      .map((folder) => ({ path: join(folder, name), origin: 'PATH' as const })),
  ];
}

/** The optional package's binary; its download may have failed, and then the package is not there. */
function ffmpegStaticPath(): string | null {
  // Installations do not contain it, and Node would search for it in folders that users can write to.
  if (isInstalledCommandLine) return null;
  try {
    const path: unknown = createRequire(import.meta.url)('ffmpeg-static');
    return typeof path === 'string' ? path : null;
  } catch {
    return null;
  }
}

async function inspect(path: string, origin: FfmpegBinary['origin']): Promise<FfmpegBinary> {
  const options = { timeout: 10_000, windowsHide: true };
  const [version, encoders, filters] = await Promise.all(
    ['-version', '-encoders', '-filters'].map((list) => run(path, ['-hide_banner', list], options)),
  );
  return {
    ...{ path, origin, version: parseVersion(version?.stdout ?? '') },
    encoders: parseEncoders(encoders?.stdout ?? ''),
    isPatched: hasDeskFilter(filters?.stdout ?? ''),
  };
}

/** Whether `ffmpeg -filters` lists the filter that only our patches add: ` .. deskyuv           V->V       Convert what ...` */
export function hasDeskFilter(output: string): boolean {
  return /^ \S+ deskyuv /m.test(output);
}

/** `ffmpeg version 5.1.9-0+deb12u1 Copyright (c) ...` -> `5.1.9-0+deb12u1` */
export function parseVersion(output: string): string {
  return /^ffmpeg version (\S+)/m.exec(output)?.[1] ?? 'unknown';
}

/** The encoders that we support in `ffmpeg -encoders`, best first: ` V....D libopenh264          OpenH264 H.264 ...` */
export function parseEncoders(output: string): EncoderName[] {
  return encoderNames.filter((name) => new RegExp(`^ V\\S{5} ${name} `, 'm').test(output));
}
