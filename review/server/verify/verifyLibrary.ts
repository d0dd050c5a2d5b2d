// `sightline verify`: all recordings of a folder or an S3 prefix. Names are paired as they are listed, so memory does not depend
// on how many there are, nor on their sizes.

import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Network } from '../../../main/platform/network/network.ts';
import type { Policy } from '../../../main/policy/keys.ts';
import { s3SettingsOf } from '../../../main/publisher/s3/settings.ts';
import { parseJsonObject } from '../../../main/shared/json.ts';
import type { Verification } from '../../contract.ts';
import { ReviewFailure } from '../failure.ts';
import { FolderSource } from '../library/folderSource.ts';
import { parseLocation, type Location } from '../library/location.ts';
import { manifestOf, safeText, stemOf, videoOf } from '../library/names.ts';
import { MAX_MANIFEST_BYTES } from '../library/readManifest.ts';
import { S3Source } from '../library/s3Source.ts';
import { readAll, type FileSource } from '../library/source.ts';
import { PublishedEvents } from './publishedEvents.ts';
import { verifyRecording } from './verifyRecording.ts';

export interface VerifyLibraryOptions {
  /** A folder or `s3://bucket/prefix`. */
  readonly location: string;
  /** Files with status events, one a line. */
  readonly events: readonly string[];
  /** How many recordings are read at a time. */
  readonly jobs: number;
  /** awsRegion, awsProfile, s3Endpoint and s3PathStyle apply to S3. */
  readonly policy: Policy;
  readonly network: Network;
  readonly signal: AbortSignal;
  /** In no order. */
  readonly onResult: (result: RecordingResult, soFar: VerifySummary) => void;
}

/** `no-manifest`, `no-video`: the other file is missing; `missing`: published, and neither is there; `unavailable`: not read. */
export type Verdict = Verification['verdict'] | 'no-manifest' | 'no-video' | 'missing' | 'unavailable';

export interface RecordingResult {
  /** Of the MP4 in the library, as it may be shown. */
  readonly name: string;
  readonly verdict: Verdict;
  readonly findings: readonly string[];
}

export interface VerifySummary {
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Of the MP4s that were read. */
  readonly bytes: number;
  readonly elapsedMs: number;
  /** PUBLISHED events that were compared with; null: none were given. */
  readonly events: { readonly recordings: number; readonly unreadableLines: number } | null;
}

/** After so many files in a row that could not be read, the library itself is the problem. */
const GIVE_UP_AFTER = 20;
const MAX_NAME = 1200;
const NO_MANIFEST =
  'The MP4 has no manifest: its upload is not complete, the manifest was deleted, or the MP4 is not from Sightline.';

/** @throws ReviewFailure when the library cannot be listed or read; the file system's error for a file with events */
export async function verifyLibrary(options: VerifyLibraryOptions): Promise<VerifySummary> {
  const location = parseLocation(options.location);
  const events = options.events.length === 0 ? null : new PublishedEvents();
  for (const path of options.events) await events?.read(path);
  const run = new Run(options, sourceOf(location, options), events);
  try {
    await run.all();
    run.reportMissing((published) => nameIn(location, published));
    return run.summary;
  } finally {
    run.close();
  }
}

class Run {
  private readonly counts: Record<Verdict, number> = {
    ...{
      intact: 0,
      changed: 0,
      'not-verifiable': 0,
      'no-manifest': 0,
      'no-video': 0,
      missing: 0,
      unavailable: 0,
    },
  };
  private readonly running = new Set<Promise<void>>();
  private readonly began = performance.now();
  /** Whose other file was not listed yet. */
  private readonly manifests = new Set<string>();
  private readonly videos = new Set<string>();
  private bytes = 0;
  private failedInARow = 0;
  private failure: Error | null = null;
  private readonly notIntact = new Set<string>();
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly options: VerifyLibraryOptions,
    private readonly source: FileSource,
    private readonly events: PublishedEvents | null,
  ) {
    this.signal = AbortSignal.any([options.signal, this.stop.signal]);
  }

  get summary(): VerifySummary {
    const { counts, bytes, events } = this;
    const compared =
      events === null ? null : { recordings: events.size, unreadableLines: events.unreadableLines };
    return { counts: { ...counts }, bytes, elapsedMs: performance.now() - this.began, events: compared };
  }

  async all(): Promise<void> {
    try {
      for await (const { manifests, videos } of this.source.list(this.signal)) {
        for (const { key } of manifests) await this.pair(stemOf(key), this.manifests, this.videos);
        for (const key of videos) await this.pair(stemOf(key), this.videos, this.manifests);
      }
      // What has only one file: the other one may have come meanwhile.
      for (const stem of [...this.videos, ...this.manifests]) await this.start(stem);
      await Promise.all(this.running);
      if (this.failure !== null) throw this.failure;
    } finally {
      this.stop.abort();
      await Promise.allSettled(this.running);
    }
  }

  /** @param nameOf of what was published here; null: elsewhere */
  reportMissing(nameOf: (location: string) => string | null): void {
    for (const location of this.events?.missing() ?? []) {
      const name = nameOf(location);
      // Where the manifest or its content is gone, it is known by its name only.
      if (name === null || this.notIntact.has(name)) continue;
      const finding =
        'A PUBLISHED event says that it was stored here. It was deleted or moved, by a retention rule for example.';
      this.report({ name, verdict: 'missing', findings: [finding] });
    }
  }

  close(): void {
    this.source.close();
  }

  private async start(stem: string): Promise<void> {
    while (this.running.size >= this.options.jobs) await Promise.race(this.running);
    if (this.failure !== null) throw this.failure;
    this.signal.throwIfAborted();
    const task = this.verify(stem).finally(() => this.running.delete(task));
    this.running.add(task);
  }

  /** Verifies it as soon as both names are known. */
  private async pair(stem: string, ones: Set<string>, others: Set<string>): Promise<void> {
    if (!others.delete(stem)) ones.add(stem);
    else await this.start(stem);
  }

  /** Never rejects. */
  private async verify(stem: string): Promise<void> {
    try {
      const result = await this.resultOf(stem);
      this.failedInARow = 0;
      if (result !== null) this.report(result);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      if (cause instanceof ReviewFailure && (this.failedInARow += 1) < GIVE_UP_AFTER)
        this.report({ name: videoOf(stem), verdict: 'unavailable', findings: [cause.message] });
      else this.fail(cause);
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.stop.abort();
  }

  /** null: no recording, or none any more */
  private async resultOf(stem: string): Promise<RecordingResult | null> {
    const { source, signal, events } = this;
    const name = videoOf(stem);
    const [manifest, file] = await Promise.all([
      source.open(manifestOf(stem), signal),
      source.open(name, signal),
    ]);
    if (manifest === null)
      return file === null ? null : { name, verdict: 'no-manifest', findings: [NO_MANIFEST] };
    if (manifest.sizeBytes > MAX_MANIFEST_BYTES)
      return file === null
        ? null
        : { name, verdict: 'changed', findings: ['The manifest is larger than any of Sightline.'] };
    const manifestText = (await readAll(manifest, MAX_MANIFEST_BYTES, signal)).toString('utf8');
    if (file === null) {
      // Any other JSON file is none of ours.
      const isOurs = parseJsonObject(manifestText)?.['manifestVersion'] !== undefined;
      return isOurs
        ? { name, verdict: 'no-video', findings: ['The manifest has no MP4: it was deleted or moved.'] }
        : null;
    }
    const order = { manifestText, file, name, signal };
    const { verdict, findings } = await verifyRecording(events === null ? order : { ...order, events });
    this.bytes += file.sizeBytes;
    return { name, verdict, findings };
  }

  private report(result: RecordingResult): void {
    const { name, verdict } = result;
    this.counts[verdict] += 1;
    if (verdict !== 'intact') this.notIntact.add(name);
    this.options.onResult({ ...result, name: safeText(name, MAX_NAME) }, this.summary);
  }
}

function sourceOf(location: Location, { policy, network }: VerifyLibraryOptions): FileSource {
  return location.kind === 's3'
    ? new S3Source(location, { settings: s3SettingsOf(policy), credentials: null, network })
    : new FolderSource(location.folder);
}

/** null: it was published elsewhere. The recordings may have been copied here: then nothing is missing. */
function nameIn(location: Location, published: string): string | null {
  const beginning =
    location.kind === 's3' ? `s3://${location.bucket}/${location.prefix}` : location.folder + sep;
  const place = location.kind === 's3' ? published : pathOf(published);
  if (place?.startsWith(beginning) !== true) return null;
  const name = place.slice(beginning.length);
  return location.kind === 's3' ? name : name.replaceAll(sep, '/');
}

/** null: no file of this operating system */
function pathOf(url: string): string | null {
  try {
    return resolve(fileURLToPath(url));
  } catch {
    return null;
  }
}
