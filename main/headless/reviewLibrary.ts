// What `sightline review` and `sightline verify` share: which library they read, and how they load what reads it.

import type { Policy } from '../policy/keys.ts';
import { SightlineError, errorMessage } from '../shared/errors.ts';

/** Where the recorder of this policy sends recordings: the part of the prefix that all of them have. */
export function locationFrom({ sink, sinkFolder, s3Bucket, keyPrefix, instanceAlias }: Policy): string {
  if (sink === 'folder') return sinkFolder;
  const [known = ''] = keyPrefix.replaceAll('<alias>', instanceAlias ?? '<alias>').split('<', 1);
  const prefix = known.includes('<') || known.length < keyPrefix.length ? known.replace(/[^/]*$/, '') : known;
  return `s3://${s3Bucket ?? ''}/${prefix}`;
}

/**
 * A bundle beside this program: dist/review, or review/ of an installation. Its place is computed, so that no bundler includes it.
 * @throws SightlineError REVIEW_NOT_STARTED
 */
export async function reviewBundle(name: 'server' | 'verify'): Promise<unknown> {
  try {
    return await import(new URL(`../review/${name}.mjs`, import.meta.url).href);
  } catch (error) {
    throw new SightlineError(
      'REVIEW_NOT_STARTED',
      `This Sightline has no review server: ${errorMessage(error)}. Install it again, or run \`npm run build\`.`,
      { cause: error },
    );
  }
}
