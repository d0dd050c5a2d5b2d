// An S3 prefix with recordings: what Sightline's S3 sink writes, read with the client and the limits of that sink. An object is
// read in ranges of the ETag that was seen first, so that two versions are never mixed.

import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_ANSWER_BYTES } from '../../../main/platform/limits.ts';
import type { Network } from '../../../main/platform/network/network.ts';
import { closeClient, openClient, type Sdk } from '../../../main/publisher/s3/openClient.ts';
import type { S3Settings } from '../../../main/publisher/s3/settings.ts';
import { ReviewFailure } from '../failure.ts';
import { nameKind } from './names.ts';
import type { ReviewFile } from './ports.ts';
import { isMissing, isOfOneObject, isReplaced, mayPass, s3Failure } from './s3Failures.ts';
import {
  changed,
  MAX_FOUND,
  MAX_NAMES,
  tooManyNames,
  type FileSource,
  type Listed,
  type ListedManifest,
} from './source.ts';

/** Of names. Keys of 1,024 bytes, each written as %XX, would make a page too long for an answer; then fewer are asked for. */
const PAGE = 1000;
const SMALL_PAGE = 100;
/** The largest that an answer may be. */
const READ_BYTES = MAX_ANSWER_BYTES;
const TRY_AGAIN_MS = [200, 1000];
const MAX_TOKEN = 8192;
/** Those of AWS are 34 characters, with parts a few more. */
const ETAG = /^"[\x21\x23-\x7e]{1,128}"$/;

export interface S3Place {
  readonly bucket: string;
  /** '' or with a slash at its end. */
  readonly prefix: string;
}

export interface S3Access {
  readonly settings: S3Settings;
  /** null: the default chain, or the profile of the settings. */
  readonly credentials: S3ClientConfig['credentials'] | null;
  readonly network: Network;
}

interface Opened {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

interface Found {
  readonly name: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
}

export class S3Source implements FileSource {
  private opened: Promise<Opened> | null = null;

  constructor(
    private readonly place: S3Place,
    private readonly access: S3Access,
  ) {}

  async *list(signal: AbortSignal): AsyncGenerator<Listed> {
    let names = 0;
    for await (const page of this.pages('', signal)) {
      names += page.length;
      if (names > MAX_NAMES) throw tooManyNames();
      const manifests: ListedManifest[] = [];
      const videos: string[] = [];
      for (const { name, sizeBytes, etag, modifiedMs } of page) {
        const kind = nameKind(name);
        if (kind === 'video') videos.push(name);
        else if (kind === 'manifest') manifests.push({ key: name, sizeBytes, stamp: etag, modifiedMs });
      }
      yield { manifests, videos };
    }
  }

  async find(folder: string, beginning: string, signal: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    const inFolder = folder === '' ? '' : `${folder}/`;
    for await (const page of this.pages(inFolder + beginning, signal)) {
      for (const { name } of page) {
        const rest = name.slice(inFolder.length);
        if (!rest.includes('/') && found.push(rest) >= MAX_FOUND) return found;
      }
    }
    return found;
  }

  async open(key: string, signal: AbortSignal): Promise<ReviewFile | null> {
    const object = { Bucket: this.place.bucket, Key: this.place.prefix + key };
    const head = await this.request(signal, async ({ sdk, client }) =>
      client.send(new sdk.HeadObjectCommand(object), { abortSignal: signal }),
    ).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw s3Failure(error);
    });
    if (head === null) return null;
    const { ETag = '', ContentLength: sizeBytes = 0 } = head;
    if (!ETAG.test(ETag)) throw notS3();
    return {
      sizeBytes,
      etag: ETag,
      read: (start, end, readSignal) =>
        Promise.resolve(this.stream(object.Key, ETag, start, end, readSignal)),
    };
  }

  async read(file: ListedManifest, signal: AbortSignal): Promise<Buffer | 'refused' | null> {
    const parts: Buffer[] = [];
    try {
      for (let at = 0; at < file.sizeBytes; at += READ_BYTES) {
        const end = Math.min(at + READ_BYTES, file.sizeBytes) - 1;
        parts.push(await this.range(this.place.prefix + file.key, file.stamp, at, end, signal));
      }
    } catch (error) {
      if (isMissing(error) || isReplaced(error)) return null;
      if (isOfOneObject(error)) return 'refused';
      throw s3Failure(error);
    }
    return Buffer.concat(parts);
  }

  close(): void {
    void this.opened?.then(
      ({ client }) => closeClient(client),
      () => undefined,
    );
    this.opened = null;
  }

  /** Each range is a request of its own: none is larger than what the network accepts, and the next one is on its way already. */
  private stream(key: string, etag: string, start: number, end: number, signal: AbortSignal) {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    let at = start;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const last = Math.min(at + READ_BYTES - 1, end);
          try {
            controller.enqueue(await this.range(key, etag, at, last, either));
          } catch (error) {
            throw isReplaced(error) || isMissing(error) ? changed(error) : s3Failure(error);
          }
          at = last + 1;
          if (at > end) controller.close();
        },
        cancel: () => stop.abort(),
      },
      { highWaterMark: 1 },
    );
  }

  private async range(
    key: string,
    etag: string,
    start: number,
    end: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    return this.request(signal, async ({ sdk, client }) => {
      const command = new sdk.GetObjectCommand({
        ...{ Bucket: this.place.bucket, Key: key, Range: `bytes=${start}-${end}` },
        ...(ETAG.test(etag) ? { IfMatch: etag } : {}),
      });
      const { Body, ContentRange } = await client.send(command, { abortSignal: signal });
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      if (bytes.byteLength !== end - start + 1 || ContentRange?.startsWith(`bytes ${start}-${end}/`) !== true)
        throw notS3();
      return bytes;
    });
  }

  /** @param beginning of the names, below the prefix */
  private async *pages(beginning: string, signal: AbortSignal): AsyncGenerator<Found[]> {
    const { bucket, prefix } = this.place;
    let size = PAGE;
    let token: string | undefined;
    for (;;) {
      const page = await this.request(signal, async ({ sdk, client }) =>
        client.send(
          new sdk.ListObjectsV2Command({
            ...{ Bucket: bucket, Prefix: prefix + beginning, MaxKeys: size, EncodingType: 'url' },
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          { abortSignal: signal },
        ),
      ).catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== 'AnswerTooLong' || size === SMALL_PAGE)
          throw s3Failure(error);
        size = SMALL_PAGE;
        return null;
      });
      if (page === null) continue;
      const isEncoded = page.EncodingType === 'url';
      yield (page.Contents ?? []).flatMap(({ Key = '', Size = 0, ETag = '', LastModified }) => {
        const key = isEncoded ? decoded(Key) : Key;
        // What another prefix has is not ours, whatever the store answers.
        if (key?.startsWith(prefix + beginning) !== true) return [];
        const modifiedMs = LastModified?.getTime() ?? 0;
        return [{ name: key.slice(prefix.length), sizeBytes: Size, etag: ETag, modifiedMs }];
      });
      if (page.IsTruncated !== true) return;
      const next = page.NextContinuationToken;
      if (next === undefined || next === token || next.length > MAX_TOKEN) throw notS3();
      token = next;
    }
  }

  /** Retries what may pass; the SDK does not. */
  private async request<T>(signal: AbortSignal, send: (opened: Opened) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await send(await this.client());
      } catch (error) {
        const waitMs = TRY_AGAIN_MS[attempt];
        if (waitMs === undefined || !mayPass(error) || isTooLong(error)) throw error;
        await sleep(waitMs, undefined, { signal });
      }
    }
  }

  private client(): Promise<Opened> {
    const { settings, credentials, network } = this.access;
    this.opened ??= openClient({ ...settings, bucket: this.place.bucket }, credentials, network);
    return this.opened;
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof Error && error.name === 'AnswerTooLong';
}

function decoded(key: string): string | null {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function notS3(): ReviewFailure {
  return new ReviewFailure(
    'LIBRARY_UNAVAILABLE',
    'The store does not answer as S3 does. Check policy "s3Endpoint" and the proxy.',
  );
}
