// The index: one entry for each recording, in memory, brought up to date by listing names. Only manifests that are new or have
// changed are read, the newest first; an MP4 never is. A manifest that cannot be read costs its own row, nothing else.

import { setMaxListeners } from 'node:events';
import type { IndexState, RecordingRow, SortKey } from '../../contract.ts';
import { ReviewFailure } from '../failure.ts';
import { entryOf, type Entry } from './entry.ts';
import { interned, type IndexCache } from './indexCache.ts';
import { fromName, stemOf } from './names.ts';
import { Orders } from './orders.ts';
import { MAX_MANIFEST_BYTES } from './readManifest.ts';
import { rowOf, withVideo } from './row.ts';
import type { FileSource, ListedManifest } from './source.ts';

/** Saved before it is complete, so that an end in between does not cost everything. */
const SAVE_EVERY = 25_000;

export interface IndexOptions {
  /** How many manifests are read at a time. */
  readonly readers: number;
  readonly now: () => number;
  /** What cannot be told to a reviewer: the cache on the disk. */
  readonly onProblem: (what: string, error: unknown) => void;
}

/** What a listing has found. */
interface Listing {
  readonly toRead: ListedManifest[];
  readonly manifests: Set<string>;
  readonly videos: Set<string>;
}

export class RecordingIndex {
  private readonly byStem = new Map<string, Entry>();
  private readonly byId = new Map<string, Entry>();
  private readonly orders = new Orders(
    () => this.byStem.values(),
    (entry) => this.byStem.get(entry.stem) === entry,
  );
  private readonly intern = interned();
  private readonly stopped = new AbortController();
  private phase: Pick<IndexState, 'state' | 'total' | 'problem'> = { state: 'listing', total: null };
  private updatedAt: string | null = null;
  private running: Promise<void> | null = null;
  private isLoaded = false;
  private isSaved = true;

  constructor(
    private readonly source: FileSource,
    private readonly cache: IndexCache | null,
    private readonly options: IndexOptions,
  ) {}

  get state(): IndexState {
    return { ...this.phase, indexed: this.byStem.size, updatedAt: this.updatedAt };
  }

  find(id: string): Entry | null {
    return this.byId.get(id) ?? null;
  }

  entries(): Iterable<Entry> {
    return this.byStem.values();
  }

  ascending(key: SortKey): readonly Entry[] {
    return this.orders.ascending(key);
  }

  /** Resolves when the index agrees with the library, or `state` says why it does not. Never rejects. */
  refresh(): Promise<void> {
    this.running ??= this.update()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.running = null;
      });
    return this.running;
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.running;
    await this.save();
  }

  private async update(): Promise<void> {
    this.phase = { state: 'listing', total: this.phase.total };
    await this.load();
    const { toRead, manifests, videos } = await this.list();
    this.compare(manifests, videos);
    // Other JSON beside the recordings, of Amazon Connect for example, is no damaged manifest.
    const unread = toRead.filter(({ key }) => videos.has(stemOf(key)) || fromName(stemOf(key)) !== null);
    const ahead = this.byStem.size + unread.filter(({ key }) => !this.byStem.has(stemOf(key))).length;
    this.phase = { state: 'reading', total: ahead };
    await this.readAll(newestFirst(unread), videos);
    this.orders.settle();
    this.updatedAt = new Date(this.options.now()).toISOString();
    this.phase = { state: 'ready', total: this.byStem.size };
    await this.save();
  }

  private async load(): Promise<void> {
    if (this.isLoaded || this.cache === null) return;
    this.isLoaded = true;
    for await (const entries of this.cache.load()) for (const entry of entries) this.put(entry);
    this.isSaved = true;
  }

  private async list(): Promise<Listing> {
    const listing: Listing = { toRead: [], manifests: new Set(), videos: new Set() };
    for await (const { manifests, videos } of this.source.list(this.stopped.signal)) {
      for (const name of videos) listing.videos.add(this.known(stemOf(name)));
      for (const manifest of manifests) {
        const stem = this.known(stemOf(manifest.key));
        listing.manifests.add(stem);
        if (this.byStem.get(stem)?.stamp !== manifest.stamp) listing.toRead.push(manifest);
      }
    }
    return listing;
  }

  /** The index's own copy of a name, where it has one: a listing would need twice the memory. */
  private known(stem: string): string {
    return this.byStem.get(stem)?.stem ?? stem;
  }

  /** Removes what is gone, and looks which MP4s have come or gone. */
  private compare(manifests: ReadonlySet<string>, videos: ReadonlySet<string>): void {
    for (const entry of this.byStem.values()) {
      if (!manifests.has(entry.stem)) this.remove(entry);
      else {
        const row = withVideo(entry.row, videos.has(entry.stem));
        if (row !== entry.row) this.put({ ...entry, row });
      }
    }
  }

  private async readAll(unread: readonly ListedManifest[], videos: ReadonlySet<string>): Promise<void> {
    const { signal } = this.stopped;
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    // Each request of each reader listens to it.
    setMaxListeners(0, signal, stop);
    let next = 0;
    const reader = async (): Promise<void> => {
      for (;;) {
        const manifest = unread[next];
        if (manifest === undefined) return;
        next += 1;
        stop.throwIfAborted();
        await this.readOne(manifest, videos.has(stemOf(manifest.key)), stop);
        if (next % SAVE_EVERY === 0) await this.save();
      }
    };
    const readers = Array.from({ length: this.options.readers }, async () => {
      try {
        await reader();
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    });
    const results = await Promise.allSettled(readers);
    signal.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason;
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  private async readOne(manifest: ListedManifest, hasVideo: boolean, signal: AbortSignal): Promise<void> {
    const { key, sizeBytes, stamp, modifiedMs } = manifest;
    const stem = this.known(stemOf(key));
    const isTooLarge = sizeBytes > MAX_MANIFEST_BYTES;
    const bytes = isTooLarge ? 'refused' : await this.source.read(manifest, signal);
    // Gone or replaced since it was listed: the next refresh knows.
    if (bytes === null) return;
    const isRead = bytes !== 'refused';
    const row = withVideo(rowOf(stem, isRead ? bytes.toString('utf8') : null, modifiedMs), hasVideo);
    // What may not be read now may be tomorrow.
    this.put(entryOf(stem, isRead || isTooLarge ? stamp : '', this.shared(row)));
  }

  private shared(row: RecordingRow): RecordingRow {
    return {
      ...row,
      agent: this.intern(row.agent),
      queue: row.queue === null ? null : this.intern(row.queue),
    };
  }

  private put(entry: Entry): void {
    if (this.byStem.has(entry.stem)) this.orders.remove();
    this.byStem.set(entry.stem, entry);
    this.byId.set(entry.row.id, entry);
    this.orders.add(entry);
    this.isSaved = false;
  }

  private remove({ stem, row }: Entry): void {
    this.byStem.delete(stem);
    this.byId.delete(row.id);
    this.orders.remove();
    this.isSaved = false;
  }

  private fail(error: unknown): void {
    this.orders.settle();
    const isKnown = error instanceof ReviewFailure;
    if (!isKnown && !this.stopped.signal.aborted)
      this.options.onProblem('the index could not be updated', error);
    const problem = isKnown
      ? { code: error.code, message: error.message }
      : ({ code: 'UNKNOWN', message: 'The library could not be listed. Try again.' } as const);
    this.phase = { state: 'failed', total: null, problem };
  }

  private async save(): Promise<void> {
    if (this.isSaved || this.cache === null) return;
    this.isSaved = true;
    try {
      await this.cache.save(this.byStem.values());
    } catch (error) {
      // It is only slower the next time.
      this.options.onProblem('the index could not be saved', error);
    }
  }
}

function newestFirst(manifests: readonly ListedManifest[]): ListedManifest[] {
  const dated = manifests.map((manifest) => ({ manifest, startMs: startOf(manifest) }));
  return dated.sort((one, other) => other.startMs - one.startMs).map(({ manifest }) => manifest);
}

function startOf({ key, modifiedMs }: ListedManifest): number {
  const named = fromName(stemOf(key));
  return named === null ? modifiedMs : Date.parse(named.startTime);
}
