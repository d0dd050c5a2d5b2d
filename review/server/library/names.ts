// The names of a library: which files are recordings, which names are ignored, and what may be shown of them. A name comes from
// a folder or a bucket in which others may write, so it never decides where something is read outside of it.

import { createHash } from 'node:crypto';

const VIDEO = '.mp4';
const MANIFEST = '.json';
/** S3 allows 1,024 bytes for a key (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html). */
const MAX_NAME = 1024;
/** `<contactId>_<start>`, and the beginning of the recording's id where two recordings started in one second. */
const RECORDING = /^(.{1,256})_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:_[\w-]{1,36})?$/s;

export type NameKind = 'video' | 'manifest';

/**
 * null: ignored. Names with "..", an empty part or a part that begins with "." are: an HTTP client would turn `a/../b` into
 * `b`, another object than the one whose name was checked; and hidden files are those of uploads that have not finished.
 */
export function nameKind(name: string): NameKind | null {
  if (name.length > MAX_NAME || name.split('/').some((part) => part === '' || part.startsWith('.')))
    return null;
  if (name.endsWith(VIDEO)) return 'video';
  return name.endsWith(MANIFEST) ? 'manifest' : null;
}

/** Without its ending: what an MP4 and its manifest have in common. */
export function stemOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}

export function videoOf(stem: string): string {
  return stem + VIDEO;
}

export function manifestOf(stem: string): string {
  return stem + MANIFEST;
}

/** What the name of a recording says; null: it is not named like one. @returns `startTime` RFC 3339 UTC */
export function fromName(stem: string): { readonly contactId: string; readonly startTime: string } | null {
  const parts = RECORDING.exec(stem.slice(stem.lastIndexOf('/') + 1));
  if (parts === null) return null;
  const [, contactId = '', year, month, day, hour, minute, second] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`);
  return Number.isNaN(time) ? null : { contactId, startTime: new Date(time).toISOString() };
}

/** Opaque, and the same in every run. */
export function idOf(videoKey: string): string {
  return createHash('sha256').update(videoKey).digest('base64url').slice(0, 24);
}

/**
 * Control characters, those that turn the direction of writing, and halves of characters: they would forge what is read. Joiners
 * (U+200C, U+200D) stay, for scripts and emoji need them.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

export function hasUnsafeCharacters(text: string): boolean {
  return text.search(UNSAFE) >= 0;
}

/** Text from outside, as it may be shown: each unsafe character is U+FFFD, and a longer text is cut. */
export function safeText(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? text.slice(0, maxLength) : text;
  return cut.replaceAll(UNSAFE, '\ufffd');
}
