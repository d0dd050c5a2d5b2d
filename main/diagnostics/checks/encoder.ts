// Which ffmpeg and which of its encoders recordings are made with.

import type { Check } from '../check.ts';
import { failed, ok, warning, wordsOf } from '../check.ts';

export interface EncoderSubject {
  /** @throws when there is no usable one */
  readonly find: () => Promise<{ encoder: string; path: string; version: string; warning: string | null }>;
}

export function encoderCheck({ find }: EncoderSubject): Check {
  return {
    name: 'ffmpeg and encoder',
    run: async () => {
      try {
        const found = await find();
        const evidence = `${found.encoder} in ${found.path} (ffmpeg ${found.version})`;
        return found.warning === null ? ok(evidence) : warning(evidence, found.warning);
      } catch (error) {
        return failed(wordsOf(error), 'Install Sightline again, or set "ffmpegPath".');
      }
    },
  };
}
