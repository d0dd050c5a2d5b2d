// Parsers for ffmpeg's stderr. Pure; tested on lines captured from real runs.

import type { ErrorCode } from '../shared/errors.ts';

/**
 * The wall-clock time of the first grabbed frame in milliseconds since the Unix epoch, from the line
 * `Duration: N/A, start: 1795218440.657733, bitrate: N/A` that ffmpeg prints for a live input (dump_format in
 * libavformat); null in any other line.
 */
export function parseStartTime(line: string): number | null {
  const match = /^\s*Duration: \S+ start: (\d+\.\d+)/.exec(line);
  return match?.[1] === undefined ? null : Number(match[1]) * 1000;
}

/**
 * A stretch of entirely black frames began or ended, at milliseconds since the Unix epoch. Our ffmpeg reports it ten seconds
 * after the first of them (resources/ffmpeg/patches/black-stretches.patch).
 */
export function parseBlack(line: string): { readonly isBlack: boolean; readonly wallMs: number } | null {
  const match = /^\[(?:in#0\/)?(?:gdigrab|x11grab) @ \S+\] black (since|until) (\d+\.\d+)$/.exec(line);
  return match === null ? null : { isBlack: match[1] === 'since', wallMs: Number(match[2]) * 1000 };
}

export interface Diagnosis {
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether an immediate retry cannot help. */
  readonly permanent: boolean;
}

const diagnoses: readonly (Diagnosis & { readonly pattern: RegExp })[] = [
  {
    pattern:
      /Cannot open display|Can't open X display|Failed to query xcb pointer|Cannot get the image data/i,
    code: 'NO_DISPLAY',
    message: 'The display cannot be captured. Check that a session is logged on and that "display" names it.',
    permanent: true,
  },
  {
    // gdigrab, on any desktop that is not the agent's. ffmpeg then exits with code 0 or another one.
    pattern: /Failed to capture image|Couldn't get window device context|Screen DC CreateCompatibleDC/i,
    code: 'NO_DISPLAY',
    message:
      'Windows does not permit capture at the moment: it shows its secure desktop (User Account Control, Ctrl+Alt+Del, ' +
      'sign-in), or no session is logged on. Capture returns automatically.',
    permanent: false,
  },
  {
    pattern: /Unknown encoder|Encoder not found|Unknown input format|Error while opening encoder/i,
    code: 'ENCODER_UNAVAILABLE',
    message:
      'This ffmpeg lacks an encoder or grabber that recording needs. Install Sightline\'s own or set "ffmpegPath".',
    permanent: true,
  },
  {
    pattern: /No space left on device/i,
    code: 'SPOOL_FULL',
    message: 'The disk is full. Free some space; recording continues then.',
    permanent: false,
  },
];

/** Why ffmpeg exited without a request. @param lines the last ones of its stderr */
export function diagnose(exit: string, lines: readonly string[]): Diagnosis {
  const text = lines.join('\n');
  const known = diagnoses.find((one) => one.pattern.test(text));
  if (known !== undefined) {
    const { pattern: _, ...diagnosis } = known;
    return diagnosis;
  }
  const last = lines.filter((line) => line.trim() !== '').at(-1) ?? 'no message';
  return {
    code: 'CAPTURE_FAILED',
    message: `ffmpeg exited unexpectedly (${exit}): ${last.trim()}. Capture restarts automatically.`,
    permanent: false,
  };
}

/** Splits a stream of text into whole lines; ffmpeg also ends lines with a bare CR. */
export class LineReader {
  private rest = '';

  push(text: string): string[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? '';
    return lines;
  }
}
