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
        if (found.warning === null) return ok(evidence);
        return warning(
          `${evidence}. ${found.warning}`,
          'Recordings can be made. For the encoder that Sightline is made for install Sightline again, and take "encoder" and ' +
            '"ffmpegPath" out of its policy if they are set.',
        );
      } catch (error) {
        return failed(
          wordsOf(error),
          'Nothing can be recorded without ffmpeg, the program that makes the video; it comes with Sightline. Install Sightline again, ' +
            'and if "ffmpegPath" or "encoder" is set in its policy take it out.',
        );
      }
    },
  };
}
