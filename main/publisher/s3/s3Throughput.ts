// The health check's timed upload: real bytes of one trial object, sent like a recording's and deleted again.

import { randomBytes } from 'node:crypto';
import type { Network } from '../../platform/network/network.ts';
import { hashed } from './checksums.ts';
import { S3Calls } from './s3Client.ts';
import type { S3Settings } from './settings.ts';
import { Throttle } from './throttle.ts';

export interface S3Line {
  /** Replaces the trial object. @param signal ends it; the object is then as it was before @throws UploadError */
  put(sizeBytes: number, signal: AbortSignal): Promise<void>;
  /** Deletes the object where that is permitted, and disconnects. */
  end(): Promise<void>;
}

/**
 * Connects and signs in, so that the first upload is not timed with it.
 * @param key of the trial object @throws UploadError
 */
export async function openS3Line(settings: S3Settings, key: string, network: Network): Promise<S3Line> {
  // Without the policy's limit, which applies during contacts only.
  const calls = await S3Calls.open(settings, new Throttle(), null, network);
  try {
    await calls.find(key);
  } catch (error) {
    calls.close();
    throw error;
  }
  return {
    async put(sizeBytes, signal) {
      const options = { contentType: 'application/octet-stream', metadata: {}, mayReplace: true, signal };
      // Random, because something on the way may compress.
      await calls.put(key, hashed(randomBytes(sizeBytes)), options);
    },
    async end() {
      // The check "sink bucket" reports a missing permission.
      await calls.remove(key).catch(() => undefined);
      calls.close();
    },
  };
}
