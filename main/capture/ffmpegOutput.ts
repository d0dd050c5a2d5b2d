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

export interface Diagnosis {
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether an immediate retry cannot help. */
  readonly permanent: boolean;
}

const diagnoses: readonly { pattern: RegExp; code: ErrorCode; message: string }[] = [
  {
    pattern:
      /Cannot open display|Can't open X display|Failed to query xcb pointer|Cannot get the image data|Failed to capture image|error opening device desktop/i,
    code: 'NO_DISPLAY',
    message: 'The display cannot be captured. Check that a session is logged on and that "display" names it.',
  },
  {
    pattern: /Unknown encoder|Encoder not found|Unknown input format|Error while opening encoder/i,
    code: 'ENCODER_UNAVAILABLE',
    message:
      'This ffmpeg lacks an encoder or grabber that recording needs. Install Sightline\'s own or set "ffmpegPath".',
  },
  {
    pattern: /No space left on device/i,
    code: 'SPOOL_FULL',
    message: 'The disk is full. Free some space; recording continues then.',
  },
];

/** Why ffmpeg exited without a request. @param lines the last ones of its stderr */
export function diagnose(exit: string, lines: readonly string[]): Diagnosis {
  const text = lines.join('\n');
  const known = diagnoses.find((one) => one.pattern.test(text));
  if (known !== undefined) {
    return { code: known.code, message: known.message, permanent: known.code !== 'SPOOL_FULL' };
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
