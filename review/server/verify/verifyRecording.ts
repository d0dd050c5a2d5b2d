// Whether a recording is what was recorded: the MP4 against the manifest's SHA-256, the manifest against its own digest and
// itself, and, where they are at hand, both against the recorder's PUBLISHED events. Only the last proves anything against
// somebody who can write where the recordings are (docs/manifest.md).

import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../main/shared/canonicalJson.ts';
import { parseJsonObject } from '../../../main/shared/json.ts';
import type { Manifest } from '../../../main/shared/manifest.ts';
import type { Verification } from '../../contract.ts';
import type { ReviewFile } from '../library/ports.ts';
import { readManifest } from '../library/readManifest.ts';
import { contradictionsIn } from './consistency.ts';
import { hashVideo } from './hashVideo.ts';
import type { Comparison, PublishedEvents } from './publishedEvents.ts';

export interface VerifyOrder {
  /** The whole file; it is no larger than the library's limit. */
  readonly manifestText: string;
  readonly file: ReviewFile;
  /** Of the MP4, with or without folders. Absent: it is not compared. */
  readonly name?: string;
  readonly signal: AbortSignal;
  /** Absent: there are none to compare with. */
  readonly events?: PublishedEvents;
}

const noRecord: Comparison = { changed: [], unknown: [], agrees: [] };

/** Resolves when the whole MP4 is read. @throws ReviewFailure of the library, and the signal's reason */
export async function verifyRecording(order: VerifyOrder): Promise<Verification> {
  const { manifestText, file, name, signal, events } = order;
  const result = (verdict: Verification['verdict'], findings: readonly string[]): Verification => ({
    ...{ verdict, findings, checkedAt: new Date().toISOString() },
  });
  const raw = parseJsonObject(manifestText);
  if (raw !== null && raw['manifestVersion'] !== 1 && typeof raw['manifestVersion'] === 'number')
    return result('not-verifiable', [
      'The manifest has a version that this Sightline does not know. Update Sightline, then verify again.',
    ]);
  const manifest = readManifest(manifestText);
  if (raw === null || manifest === null)
    return result('changed', [
      'The manifest is damaged or was changed: it is not a manifest of Sightline any more.',
    ]);

  const { video } = manifest;
  if (name !== undefined && name.slice(name.lastIndexOf('/') + 1) !== video.file)
    return result('changed', [
      'The MP4 has another name than its manifest says: it was renamed, or the two were put in the place of another recording.',
    ]);
  const record = events?.compare(manifest, sha256Of(manifestText)) ?? noRecord;
  const changed = [...record.changed, ...digestFindings(raw), ...contradictionsIn(manifest)];
  const sizeFindings =
    file.sizeBytes === video.sizeBytes ? [] : [sizeFinding(file.sizeBytes, video.sizeBytes)];
  const hasDigest = video.sha256 !== undefined || (video.parts?.length ?? 0) > 0;
  // A file of another size is not the same: it need not be read for that.
  const hashed =
    hasDigest && sizeFindings.length === 0 ? await hashVideo(video, file, signal) : { findings: [] };
  changed.push(...sizeFindings, ...hashed.findings);
  if (changed.length > 0) return result('changed', changed);
  if (!hasDigest)
    return result('not-verifiable', [
      'The manifest has no SHA-256 of the MP4, so there is nothing to compare it with.',
    ]);
  if (record.unknown.length > 0) return result('not-verifiable', record.unknown);
  return result('intact', [
    "The MP4's size and SHA-256 are those of the manifest, and the manifest agrees with itself.",
    ...(raw['contentSha256'] === undefined
      ? ['The manifest has no digest of its own: an earlier version of Sightline wrote it.']
      : []),
    ...record.agrees,
    ...recordedDamage(manifest),
  ]);
}

function digestFindings({ contentSha256, ...content }: Readonly<Record<string, unknown>>): string[] {
  if (contentSha256 === undefined) return [];
  try {
    if (contentSha256 === sha256Of(canonicalJson(content))) return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // nested deeper than any manifest
  }
  return ['The manifest was changed: its content does not have the SHA-256 that it states (contentSha256).'];
}

function sizeFinding(is: number, was: number): string {
  return is < was
    ? `The MP4 was changed or cut off: it has ${is} bytes, and the manifest says ${was}.`
    : `The MP4 was changed: it has ${is} bytes, and the manifest says ${was}.`;
}

/** Known since the upload, and part of what was recorded. */
function recordedDamage({ integrity }: Manifest): string[] {
  switch (integrity?.state) {
    case 'damaged':
      return [
        'Parts were damaged on the agent’s computer before the upload; the manifest names them. Since then nothing was changed.',
      ];
    case 'end-not-verified':
      return [
        'Whether its end was complete on the agent’s computer could not be proved. Since then nothing was changed.',
      ];
    case undefined:
      return [];
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
