// The name and the tags of an uploaded recording. The name follows AWS's scheme, so that tools written for that find ours
// (`prefix/year/month/day/contact-id_UTC-timestamp.mp4`, Amazon Connect's screen recording guide). Both are made of the journal
// and policy only: each attempt, also of a later process, gives a recording the same ones.
// What a page named is hostile: it must neither leave its folder nor make a name that a store or a file system refuses.

import { createHash } from 'node:crypto';
import { attributeIn, fill } from '../shared/placeholders.ts';
import type { Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { LedgerRecording } from '../spool/ledger.ts';

/** Policy's part. */
export interface Naming {
  /** May contain placeholders. Default: `connect/<alias>/ScreenRecordings`. */
  readonly keyPrefix: string;
  /** Takes precedence over the page's. */
  readonly instanceAlias: string | null;
  /** The contact attributes that may be used. */
  readonly attributesForKeys: readonly string[];
  /** `name=value` each; the values may contain placeholders. */
  readonly s3Tags: readonly string[];
}

/** The journal's part. */
export type NamedContact = Pick<LedgerRecording['started'], 'contact' | 'agent'>;

/** Date and time in the key are the recording's start in UTC. */
export function objectKey(naming: Naming, named: NamedContact, startTime: Moment): string {
  const time = toTimestamp(startTime); // 2026-01-02T03:04:05.678Z
  const [year, month, day] = time.slice(0, 10).split('-');
  const compact = `${time.slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const prefix = keyPrefixFor(naming.keyPrefix, (placeholder) => valueOf(placeholder, naming, named));
  return [...prefix, year, month, day, `${named.contact.contactId}_${compact}.mp4`].join('/');
}

/** The folders of a prefix. */
export function keyPrefixFor(keyPrefix: string, value: (placeholder: string) => string): string[] {
  const prefix = fill(keyPrefix, (placeholder) => forKey(value(placeholder)) || standIn(placeholder));
  return prefix
    .split('/')
    .filter((part) => part !== '')
    .map(usable);
}

export function objectTags(naming: Naming, named: NamedContact): Record<string, string> {
  return tagsFor(naming.s3Tags, (placeholder) => valueOf(placeholder, naming, named));
}

/** @param list `name=value` each, as the policy's schema ensures */
export function tagsFor(
  list: readonly string[],
  value: (placeholder: string) => string,
): Record<string, string> {
  const tags = list.map((tag) => {
    const at = tag.indexOf('=');
    const text = fill(tag.slice(at + 1), (placeholder) => forTag(value(placeholder)) || standIn(placeholder));
    return [tag.slice(0, at), upTo(text, MAX_TAG)];
  });
  return Object.fromEntries(tags) as Record<string, string>;
}

/** '': nothing is known. */
function valueOf(placeholder: string, naming: Naming, { contact, agent }: NamedContact): string {
  const name = attributeIn(placeholder);
  if (name !== null) {
    const { attributes = {} } = contact;
    const mayBeUsed = naming.attributesForKeys.includes(name) && Object.hasOwn(attributes, name);
    return mayBeUsed ? (attributes[name] ?? '') : '';
  }
  const instanceId = agent.instanceArn.split('/').at(-1) ?? '';
  switch (placeholder) {
    case 'alias':
      return naming.instanceAlias ?? agent.instanceAlias ?? instanceId;
    case 'instanceId':
      return instanceId;
    case 'channel':
      return contact.channel;
    case 'queue':
      return contact.queue ?? '';
    default:
      return '';
  }
}

/** For what is not known, or has no character that may be used. */
function standIn(placeholder: string): string {
  return placeholder === 'alias' || placeholder === 'instanceId' ? 'instance' : 'none';
}

/** A longer value is cut. S3's limit is 1,024 bytes for the whole key, and policy allows five placeholders and 512 characters. */
const MAX_VALUE = 64;
/** Between two slashes. File systems allow 255 bytes. */
const MAX_PART = 128;
/** Of UTF-16 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html). */
const MAX_TAG = 256;
/** Windows device names, reserved in every folder, also with an extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * Characters that are safe in S3 keys and in the names of all file systems. Others become "-", at the ends nothing. If letters
 * were lost or the value was cut, a hash keeps it distinct from others.
 */
function forKey(value: string): string {
  const safe = value.replaceAll(/(?:[^A-Za-z0-9!_.'()-]|\.{2,})+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '');
  if (safe === '') return '';
  const isDistinct = /^[\x20-\x7e]*$/.test(value) && safe.length <= MAX_VALUE;
  return isDistinct ? safe : withHash(safe, value, MAX_VALUE);
}

/** Letters and digits of all scripts, spaces, and _.:/=+-@. Marks that change the direction of text are none of these. */
function forTag(value: string): string {
  const text = value.slice(0, MAX_TAG * 2).normalize('NFC');
  return upTo(text.replaceAll(/[^\p{L}\p{N} _.:/=+@-]+/gu, '-').replaceAll(/^[ -]+|[ -]+$/g, ''), MAX_TAG);
}

/** Never half of a character. */
function upTo(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}

/** A name that every file system accepts. A shortened one gets a hash, so that it stays unique. */
function usable(part: string): string {
  const name = part.replace(DEVICE, '$1-');
  return name.length <= MAX_PART ? name : withHash(name, name, MAX_PART);
}

function withHash(text: string, of: string, length: number): string {
  const hash = createHash('sha256').update(of).digest('hex').slice(0, 8);
  return `${text.slice(0, length - hash.length - 1)}-${hash}`;
}
