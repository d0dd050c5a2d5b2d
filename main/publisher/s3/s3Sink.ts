// The S3 sink: where a recording goes in its bucket, with which credentials, and what earlier attempts left there.

import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Network } from '../../platform/network/network.ts';
import type { Sink, SinkObject, SinkOrder } from '../sink.ts';
import { manifestKey } from '../sink.ts';
import type { MultipartUpload } from './checksums.ts';
import { hashed } from './checksums.ts';
import { S3Calls, metadataOf } from './s3Client.ts';
import type { Earlier } from './s3Object.ts';
import { S3Object } from './s3Object.ts';
import type { S3Settings } from './settings.ts';
import type { Throttle } from './throttle.ts';

export interface S3SinkOptions {
  readonly settings: S3Settings;
  readonly throttle: Throttle;
  readonly network: Network;
  /** The broker's credentials for an order; null: the SDK's default chain or the profile. */
  readonly credentialsFor: ((order: SinkOrder) => S3ClientConfig['credentials']) | null;
}

const nothing: Earlier = { upload: null, parts: [], stored: null };

export class S3Sink implements Sink {
  readonly takesLive = true;

  constructor(private readonly options: S3SinkOptions) {}

  async begin(order: SinkOrder): Promise<SinkObject> {
    const calls = await this.open(order);
    try {
      const { saved } = order.resume;
      const isHere = saved !== null && saved.bucket === calls.bucket;
      const key = isHere ? saved.key : order.key;
      const upload = isHere && saved.uploadId !== '' ? { key, uploadId: saved.uploadId } : null;
      const earlier = upload === null ? nothing : await this.lookFor(calls, upload, order);
      return new S3Object(calls, order, key, earlier);
    } catch (error) {
      calls.close();
      throw error;
    }
  }

  private async lookFor(
    calls: S3Calls,
    upload: MultipartUpload,
    { recordingId, resume }: SinkOrder,
  ): Promise<Earlier> {
    // The upload was created with another key, or without one, and ListParts does not name it.
    if ((resume.saved?.kmsKeyId ?? null) !== calls.kmsKeyId) {
      await calls.abort(upload);
      return nothing;
    }
    const parts = await calls.listParts(upload);
    if (parts !== null) return { upload, parts, stored: null };
    const found = await calls.find(upload.key);
    return { ...nothing, stored: found?.recordingId === recordingId ? found : null };
  }

  async putManifest(order: SinkOrder, videoKey: string, text: string): Promise<void> {
    const calls = await this.open(order);
    try {
      await calls.put(manifestKey(videoKey), hashed(Buffer.from(text)), {
        contentType: 'application/json',
        metadata: metadataOf(order),
        mayReplace: true,
        signal: new AbortController().signal,
      });
    } finally {
      calls.close();
    }
  }

  async remove(order: SinkOrder, videoKey: string): Promise<void> {
    const calls = await this.open(order);
    try {
      for (const key of [manifestKey(videoKey), videoKey]) await calls.remove(key);
    } finally {
      calls.close();
    }
  }

  private open(order: SinkOrder): Promise<S3Calls> {
    const { settings, throttle, credentialsFor, network } = this.options;
    const tags = { ...settings.tags, ...order.tags };
    return S3Calls.open({ ...settings, tags }, throttle, credentialsFor?.(order) ?? null, network);
  }
}
