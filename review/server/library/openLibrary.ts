// Opens a library of recordings, read only: a folder or an S3 prefix, with policy's settings for S3.

import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Network } from '../../../main/platform/network/network.ts';
import type { Policy } from '../../../main/policy/keys.ts';
import type { S3Settings } from '../../../main/publisher/s3/settings.ts';
import type { Facets, IndexState, RecordingPage, RecordingQuery, RecordingRow } from '../../contract.ts';
import { ContactFiles } from './contactFiles.ts';
import { FolderSource } from './folderSource.ts';
import { IndexCache } from './indexCache.ts';
import { parseLocation, type Location } from './location.ts';
import { Mp4Tables } from './mp4Tables.ts';
import type { Library, Recording, Scope } from './ports.ts';
import { LibraryRecording, type RecordingParts } from './recording.ts';
import { RecordingIndex } from './recordingIndex.ts';
import { S3Source } from './s3Source.ts';
import { facetsOf, inScope, orderOf, pageOf, rowsOf } from './search.ts';
import type { FileSource } from './source.ts';

export type S3Policy = Pick<Policy, 'awsRegion' | 'awsProfile' | 's3Endpoint' | 's3PathStyle'>;

export interface LibraryOptions {
  /** A folder or `s3://bucket/prefix`. */
  readonly location: string;
  /** Where Amazon Connect's audio, transcripts and contact records are, each a folder or `s3://bucket/prefix`. */
  readonly audio?: readonly string[];
  /** For S3. */
  readonly policy: S3Policy;
  readonly network: Network;
  /** null: the default chain, or policy's profile. */
  readonly credentials?: S3ClientConfig['credentials'] | null;
  /** For the index, private to the user of the review server; null: it is kept in memory only. */
  readonly cacheFolder: string | null;
  readonly onProblem?: (what: string, error: unknown) => void;
  readonly now?: () => number;
}

/** A disk answers faster when it is asked for several files; a store's answer takes its time to arrive. */
const FOLDER_READERS = 16;
const S3_READERS = 48;

/** Begins to read the index at once: see `state`. @throws ReviewFailure INVALID_REQUEST for a location that cannot be one */
export function openLibrary(options: LibraryOptions): Library {
  const { policy, network, credentials = null, cacheFolder, now = Date.now } = options;
  const access = { settings: settingsOf(policy), credentials, network };
  const sourceOf = (location: Location): FileSource =>
    location.kind === 's3' ? new S3Source(location, access) : new FolderSource(location.folder);
  const location = parseLocation(options.location);
  const source = sourceOf(location);
  const contacts = new ContactFiles(
    (options.audio ?? []).map((one) => sourceOf(parseLocation(one))),
    now,
  );
  const cached = location.kind === 's3' ? `${location.name} ${policy.s3Endpoint ?? ''}` : location.name;
  const index = new RecordingIndex(
    source,
    cacheFolder === null ? null : new IndexCache(cacheFolder, cached),
    {
      readers: location.kind === 's3' ? S3_READERS : FOLDER_READERS,
      now,
      onProblem: options.onProblem ?? (() => undefined),
    },
  );
  const library = new OpenLibrary(options.location, index, { source, tables: new Mp4Tables(), contacts });
  void library.refresh();
  return library;
}

/** Those of the S3 sink, as far as reading needs them. */
function settingsOf({ awsRegion, awsProfile, s3Endpoint, s3PathStyle }: S3Policy): S3Settings {
  return {
    ...{ bucket: '', region: awsRegion, endpoint: s3Endpoint, pathStyle: s3PathStyle, profile: awsProfile },
    ...{ kmsKeyId: null, storageClass: null, tags: {} },
    ...{ idleTimeoutMs: 30_000, requestTimeoutMs: 60_000 },
  };
}

class OpenLibrary implements Library {
  constructor(
    readonly name: string,
    private readonly index: RecordingIndex,
    private readonly parts: RecordingParts,
  ) {}

  get state(): IndexState {
    return this.index.state;
  }

  refresh(): Promise<void> {
    return this.index.refresh();
  }

  list(query: RecordingQuery, scope: Scope): RecordingPage {
    const ascending = this.index.ascending(orderOf(query).sort);
    return { ...pageOf(ascending, query, scope), index: this.state };
  }

  facets(scope: Scope): Facets {
    return facetsOf(this.index.entries(), scope);
  }

  rows(query: RecordingQuery, scope: Scope): Iterable<RecordingRow> {
    return rowsOf(this.index.ascending(orderOf(query).sort), query, scope);
  }

  find(id: string, scope: Scope): Recording | null {
    const entry = this.index.find(id);
    return entry === null || !inScope(entry.stem, scope) ? null : new LibraryRecording(entry, this.parts);
  }

  async close(): Promise<void> {
    await this.index.close();
    this.parts.tables.close();
    this.parts.contacts.close();
    this.parts.source.close();
  }
}
