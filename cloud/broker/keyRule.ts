// Which keys a request may get credentials for. The recorder names the key of its recording; here it counts only if it is exactly
// what Sightline makes of this contact below the folder of this instance. Never repaired: what is not right is refused.

import type { Instance } from '../settings.ts';
import { Refusal } from '../http/lambda.ts';

export interface KeyQuestion {
  readonly recordingId: string;
  readonly contactId: string;
  readonly bucket: string;
  /** The recording's key without `.mp4`. */
  readonly keyPrefix: string;
}

/**
 * A folder that a recorder makes (main/publisher/objectKey.ts), and the punctuation that policy `keyPrefix` may have. None of them means
 * anything to IAM or S3 ("*", "?", "$") or can be decoded into something else ("%").
 */
const FOLDER = /^(?!\.+$)[A-Za-z0-9!_.'()=@+-]{1,128}$/;
const MAX_FOLDERS = 12;
/** A recording cannot begin in the future; clocks of desks may be off. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

/**
 * The complete keys that the recorder may write: video and manifest, and both with the longer name that it uses if the first one is taken.
 * @throws Refusal 403
 */
export function allowedKeys(question: KeyQuestion, instance: Instance, now: Date): string[] {
  const { bucket, keyPrefix, recordingId } = question;
  if (bucket !== instance.bucket)
    throw new Refusal(403, 'BUCKET_NOT_ALLOWED', 'The instance’s recordings do not go to this bucket.');
  const why = whyNotAllowed(question, instance.keyPrefix, now);
  if (why !== null) throw new Refusal(403, 'KEY_NOT_ALLOWED', why);
  const longer = `${keyPrefix}_${recordingId.slice(0, 8)}`;
  return [keyPrefix, longer].flatMap((name) => [`${name}.mp4`, `${name}.json`]);
}

function whyNotAllowed({ contactId, keyPrefix }: KeyQuestion, root: string, now: Date): string | null {
  if (!keyPrefix.startsWith(`${root}/`)) return 'The key is not below the folder of this instance.';
  const parts = keyPrefix.slice(root.length + 1).split('/');
  if (parts.length > MAX_FOLDERS) return 'The key has too many folders.';
  if (!parts.every((part) => FOLDER.test(part))) return 'The key has a folder that no recorder makes.';
  const [year, month, day, name] = parts.slice(-4);
  const time = timeIn(name ?? '', contactId);
  if (time === null) return 'The key is not one of this contact.';
  if (`${year}/${month}/${day}` !== time.toISOString().slice(0, 10).replaceAll('-', '/'))
    return 'The folders of the date do not match the time in the name.';
  if (time.getTime() > now.getTime() + MAX_AHEAD_MS) return 'The time in the name is in the future.';
  return null;
}

/** Of `<contactId>_20260102T030405Z`; null: it is another name. */
function timeIn(name: string, contactId: string): Date | null {
  if (!name.startsWith(`${contactId}_`)) return null;
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(name.slice(contactId.length + 1));
  if (found === null) return null;
  const [, year, month, day, hour, minute, second] = found;
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(text);
  // Date accepts the 30th of February.
  return !Number.isNaN(time.getTime()) && time.toISOString() === text ? time : null;
}
