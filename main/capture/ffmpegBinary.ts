// Which ffmpeg is used, and which of its encoders. Looked for in the order of the design: policy "ffmpegPath", our own
// build under resources/ffmpeg, the optional package ffmpeg-static, PATH. The first one that runs is taken.

import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { isInstalledCommandLine } from '../platform/installation.ts';
import { SightlineError } from '../shared/errors.ts';
import type { EncoderName } from '../shared/names.ts';
import { encoderNames } from '../shared/names.ts';

const run = promisify(execFile);

export interface FfmpegBinary {
  readonly path: string;
  readonly origin: 'policy' | 'resources' | 'ffmpeg-static' | 'PATH';
  /** As ffmpeg says it: `8.1.2`, `5.1.9-0+deb12u1`. */
  readonly version: string;
  readonly encoders: readonly EncoderName[];
}

export interface ChosenEncoder {
  readonly binary: FfmpegBinary;
  readonly encoder: EncoderName;
  /** Words for the user where the encoder is not the one that Sightline is made for. */
  readonly warning: string | null;
}

export interface FfmpegSearch {
  readonly ffmpegPath: string | null;
  readonly resourcesFolder: string;
  readonly encoder: EncoderName | 'auto';
}

/** Remembers a success (ffmpeg is not swapped under a running recorder), asks again after a failure. */
export class FfmpegFinder {
  private chosen: Promise<ChosenEncoder> | null = null;
  private known: ChosenEncoder | null = null;

  constructor(private readonly search: FfmpegSearch) {}

  /** @throws SightlineError ENCODER_UNAVAILABLE */
  find(): Promise<ChosenEncoder> {
    this.chosen ??= this.choose().catch((error: unknown) => {
      this.chosen = null;
      throw error;
    });
    return this.chosen;
  }

  /** Policy names another one; whoever asks next is told of that. Not while anything is recorded. */
  forget(): void {
    this.chosen = null;
    this.known = null;
  }

  /** What has been found so far, without looking. */
  get current(): ChosenEncoder | null {
    return this.known;
  }

  private async choose(): Promise<ChosenEncoder> {
    const binary = await findBinary(this.search);
    this.known = chooseEncoder(binary, this.search.encoder);
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

async function findBinary(search: FfmpegSearch): Promise<FfmpegBinary> {
  const tried: string[] = [];
  for (const { path, origin } of candidates(search)) {
    if (!(await isExecutable(path))) {
      if (origin === 'policy') tried.push(`${path} (not there, or not executable)`);
    } else {
      try {
        return await inspect(path, origin);
      } catch (error) {
        tried.push(`${path} (${error instanceof Error ? error.message.split('\n', 1)[0] : 'does not run'})`);
      }
    }
    // A path that policy names is meant: another ffmpeg in its place would be a surprise.
    if (origin === 'policy') break;
  }
  throw new SightlineError(
    'ENCODER_UNAVAILABLE',
    `No ffmpeg was found${tried.length > 0 ? `: ${tried.join(', ')}` : ''}. Reinstall Sightline, or set "ffmpegPath".`,
  );
}

function candidates(search: FfmpegSearch): { path: string; origin: FfmpegBinary['origin'] }[] {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  const platform = `${process.platform}-${process.arch}`;
  const packaged = ffmpegStaticPath();
  return [
    ...(search.ffmpegPath === null ? [] : [{ path: search.ffmpegPath, origin: 'policy' as const }]),
    { path: join(search.resourcesFolder, 'ffmpeg', platform, name), origin: 'resources' as const },
    ...(packaged === null ? [] : [{ path: packaged, origin: 'ffmpeg-static' as const }]),
    ...(process.env.PATH ?? '')
      .split(delimiter)
      // "" and "." are the current folder, in which anybody may have put one.
      .filter((folder) => isAbsolute(folder))
      .map((folder) => ({ path: join(folder, name), origin: 'PATH' as const })),
  ];
}

/** The optional package's binary; its download may have failed, and then the package is not there. */
function ffmpegStaticPath(): string | null {
  // No installation has it, and Node would look for it in folders that users may write to.
  if (isInstalledCommandLine) return null;
  try {
    const path: unknown = createRequire(import.meta.url)('ffmpeg-static');
    return typeof path === 'string' ? path : null;
  } catch {
    return null;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function inspect(path: string, origin: FfmpegBinary['origin']): Promise<FfmpegBinary> {
  const options = { timeout: 10_000, windowsHide: true };
  const [version, encoders] = await Promise.all([
    run(path, ['-hide_banner', '-version'], options),
    run(path, ['-hide_banner', '-encoders'], options),
  ]);
  return { path, origin, version: parseVersion(version.stdout), encoders: parseEncoders(encoders.stdout) };
}

/** `ffmpeg version 5.1.9-0+deb12u1 Copyright (c) ...` -> `5.1.9-0+deb12u1` */
export function parseVersion(output: string): string {
  return /^ffmpeg version (\S+)/m.exec(output)?.[1] ?? 'unknown';
}

/** The encoders of ours in `ffmpeg -encoders`, best first: ` V....D libopenh264          OpenH264 H.264 ...` */
export function parseEncoders(output: string): EncoderName[] {
  return encoderNames.filter((name) => new RegExp(`^ V\\S{5} ${name} `, 'm').test(output));
}
