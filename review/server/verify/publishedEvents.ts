// What the recorder's own status events say of the recordings that it has published: a record that somebody who can write into the
// bucket cannot change, as long as it is kept elsewhere.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseJsonObject } from '../../../main/shared/json.ts';
import type { Manifest } from '../../../main/shared/manifest.ts';
import { statusEventSchema } from '../../../main/shared/statusEvent.ts';

interface Published {
  readonly location: string;
  readonly sizeInBytes: number;
  /** More than one where an upload was repeated by a later version. */
  readonly manifestSha256: Set<string>;
}

/** Sentences. `changed`: it is not what was published; `unknown`: the events do not say; `agrees`: it is. */
export interface Comparison {
  readonly changed: readonly string[];
  readonly unknown: readonly string[];
  readonly agrees: readonly string[];
}

/** The longest line that can be an event: EventBridge takes 256 KB. */
const MAX_LINE = 1024 * 1024;

export class PublishedEvents {
  private readonly published = new Map<string, Published>();
  private readonly seen = new Set<string>();
  /** Lines that are not JSON objects. */
  unreadableLines = 0;

  /** Adds those of a file with one event a line; other events are left out. @throws the file system's error */
  async read(path: string): Promise<void> {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity }))
      this.add(line);
  }

  get size(): number {
    return this.published.size;
  }

  add(line: string): void {
    if (line.trim() === '') return;
    const object = line.length > MAX_LINE ? null : parseJsonObject(line);
    if (object === null) this.unreadableLines += 1;
    const event = statusEventSchema.safeParse(object).data;
    if (event?.detail.recordingStatus !== 'PUBLISHED') return;
    const { eventDeduplicationId, recordingInfo, sightline } = event.detail;
    // They may be removed from the library as soon as they are verified.
    if (sightline?.trial === true) return;
    const recordingId = eventDeduplicationId.replace(/:PUBLISHED$/, '');
    const { location, sizeInBytes, manifestSha256 } = recordingInfo;
    const known = this.published.get(recordingId)?.manifestSha256 ?? new Set();
    if (manifestSha256 !== undefined) known.add(manifestSha256);
    this.published.set(recordingId, { location, sizeInBytes, manifestSha256: known });
  }

  /** @param sha256 of the manifest's file */
  compare({ recordingId, trial, video }: Manifest, sha256: string): Comparison {
    const nothing: Comparison = { changed: [], unknown: [], agrees: [] };
    if (trial === true) return nothing;
    const isSecond = this.seen.has(recordingId);
    this.seen.add(recordingId);
    if (isSecond)
      return {
        ...nothing,
        changed: ['Another manifest in the library has the same recordingId: one of the two is a copy.'],
      };
    const event = this.published.get(recordingId);
    if (event === undefined)
      return {
        ...nothing,
        unknown: [
          'There is no PUBLISHED event of this recording: the events do not reach back so far, or it is not from a recorder.',
        ],
      };
    if (event.manifestSha256.size > 0)
      return event.manifestSha256.has(sha256)
        ? { ...nothing, agrees: ['The manifest is the one of the PUBLISHED event.'] }
        : {
            ...nothing,
            changed: [
              'The manifest is not the one of the PUBLISHED event: it was changed or replaced after the upload.',
            ],
          };
    if (event.sizeInBytes !== video.sizeBytes)
      return {
        ...nothing,
        changed: ['The size of the MP4 in the manifest is not that of the PUBLISHED event.'],
      };
    return {
      ...nothing,
      agrees: [
        'The PUBLISHED event has the same size; an earlier version of Sightline wrote it without a SHA-256.',
      ],
    };
  }

  /** Locations of recordings that are not among those compared. */
  missing(): string[] {
    return [...this.published]
      .filter(([recordingId]) => !this.seen.has(recordingId))
      .map(([, { location }]) => location);
  }
}
