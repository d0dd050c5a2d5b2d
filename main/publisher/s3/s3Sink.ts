// The S3 sink: where a recording goes in its bucket, with whose credentials, and what earlier tries have left there.

import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import type { Sink, SinkObject, SinkOrder } from '../sink.ts';
import { manifestKey } from '../sink.ts';
import type { S3Settings, Upload } from './s3Client.ts';
import { S3Calls, metadataOf } from './s3Client.ts';
import type { Earlier } from './s3Object.ts';
import { S3Object } from './s3Object.ts';
import type { Throttle } from './throttle.ts';

export interface S3SinkOptions {
  readonly settings: S3Settings;
  readonly throttle: Throttle;
  /** Where somebody else than the SDK's chain or a profile gives them out. */
  readonly credentialsFor: ((order: SinkOrder) => S3ClientConfig['credentials']) | null;
}

const nothing: Earlier = { upload: null, parts: [], delivered: null };

export class S3Sink implements Sink {
  readonly takesLive = true;

  constructor(private readonly options: S3SinkOptions) {}

  async begin(order: SinkOrder): Promise<SinkObject> {
    const calls = await this.open(order);
    try {
      const { kept } = order.memory;
      const isHere = kept !== null && kept.bucket === calls.bucket;
      const key = isHere ? kept.key : order.key;
      const upload = isHere && kept.uploadId !== '' ? { key, uploadId: kept.uploadId } : null;
      const earlier = upload === null ? nothing : await this.lookFor(calls, upload, order);
      return new S3Object(calls, order, key, earlier);
    } catch (error) {
      calls.close();
      throw error;
    }
  }

  /** S3 knows best which parts it has. */
  private async lookFor(calls: S3Calls, upload: Upload, { recordingId }: SinkOrder): Promise<Earlier> {
    const parts = await calls.listParts(upload);
    if (parts !== null) return { upload, parts, delivered: null };
    const found = await calls.find(upload.key);
    return { ...nothing, delivered: found?.recordingId === recordingId ? found : null };
  }

  async putManifest(order: SinkOrder, videoKey: string, text: string): Promise<void> {
    const calls = await this.open(order);
    try {
      const data = Buffer.from(text);
      const bytes = { data, sha256: createHash('sha256').update(data).digest('hex') };
      await calls.put(manifestKey(videoKey), bytes, {
        contentType: 'application/json',
        metadata: metadataOf(order),
        mayReplace: true,
        signal: new AbortController().signal,
      });
    } finally {
      calls.close();
    }
  }

  private open(order: SinkOrder): Promise<S3Calls> {
    const { settings, throttle, credentialsFor } = this.options;
    return S3Calls.open(settings, throttle, credentialsFor?.(order) ?? null);
  }
}

/** Policy `s3Tags`. `name=value` each, as its schema has checked. */
export function tagsOf(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((tag) => {
      const at = tag.indexOf('=');
      return [tag.slice(0, at), tag.slice(at + 1)];
    }),
  );
}
