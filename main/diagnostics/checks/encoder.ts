// Which ffmpeg and which of its encoders make the recordings.

import { errorMessage } from '../../shared/errors.ts';
import type { Check } from '../check.ts';
import { failed, ok, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

export function encoderCheck({ finder }: Pick<CheckContext, 'finder'>): Check {
  return {
    name: 'ffmpeg and encoder',
    run: async () => {
      try {
        const { encoder, binary, warning: unusual } = await finder.find();
        const evidence = `${encoder} in ${binary.path} (ffmpeg ${binary.version})`;
        if (unusual === null) return ok(evidence);
        return warning(
          `${evidence}. ${unusual}`,
          'Recordings can be made. To use the encoder that Sightline is tested with, install Sightline again, and remove "encoder" and ' +
            '"ffmpegPath" from its policy if they are set.',
        );
      } catch (error) {
        return failed(
          errorMessage(error),
          'Nothing can be recorded without ffmpeg, the program that makes the video; it comes with Sightline. Install Sightline again, ' +
            'and if "ffmpegPath" or "encoder" is set in its policy, remove it.',
        );
      }
    },
  };
}
