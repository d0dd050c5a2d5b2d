// The recorder with S3 for its sink: how it is started, and what it has delivered, laid out as a folder would hold it.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readPublished, type Recorder, type RecorderOptions } from './recorder.ts';
import { BUCKET, REGION, type S3Store } from './s3Store.ts';

/** For startRecorder. The credentials come from the environment, as from any default chain. */
export function s3Options(
  store: S3Store,
  flags: readonly string[] = [],
): Required<Pick<RecorderOptions, 'flags' | 'environment'>> {
  return {
    flags: [
      ...['--sink', 's3', '--s3-bucket', BUCKET, '--s3-endpoint', store.endpoint, '--s3-path-style'],
      ...['--aws-region', REGION],
      ...flags,
    ],
    environment: {
      AWS_ACCESS_KEY_ID: store.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: store.credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  };
}

/** Writes the objects of these recordings below a folder, for whoever judges files. */
export async function downloadPublished(
  store: S3Store,
  folder: string,
  isWanted: (contactId: string) => boolean,
): ReturnType<Recorder['published']> {
  for (const { key, bytes, metadata } of await store.objects()) {
    if (!isWanted(metadata['sightline-contact-id'] ?? '')) continue;
    await mkdir(dirname(join(folder, key)), { recursive: true });
    await writeFile(join(folder, key), bytes);
  }
  return readPublished(folder);
}
