// The name under which a recording is delivered: AWS's scheme, so that tools written for it find ours
// (`prefix/year/month/day/contact-id_UTC-timestamp.mp4`, Amazon Connect's screen recording guide).

import { createHash } from 'node:crypto';
import type { Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';

export interface KeyParts {
  /** May contain `<alias>`. Default: `connect/<alias>/ScreenRecordings`. */
  readonly prefix: string;
  readonly instanceAlias: string | undefined;
  readonly instanceArn: string;
  readonly contactId: string;
  readonly startTime: Moment;
}

/** Dates and times in the key are UTC and those of the recording's start. */
export function objectKey(parts: KeyParts): string {
  const time = toTimestamp(parts.startTime); // 2026-01-02T03:04:05.678Z
  const [year, month, day] = time.slice(0, 10).split('-');
  const compact = `${time.slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const prefix = parts.prefix.replaceAll('<alias>', aliasOf(parts)).replaceAll(/^\/+|\/+$/g, '');
  return [prefix, year, month, day, `${parts.contactId}_${compact}.mp4`]
    .filter((part) => part !== '')
    .join('/');
}

/** Of what a page names, at most: file systems take 255 bytes, and a file's name has more than this part (RFC 4122: 36). */
const MAX_ALIAS = 64;
/** Windows: devices, whatever folder they are named in. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** Without an alias the instance's id stands in: the last part of its ARN, reduced to characters safe in a name. */
function aliasOf({ instanceAlias, instanceArn }: KeyParts): string {
  const id = instanceArn.split('/').at(-1) ?? '';
  const alias = instanceAlias ?? (id.replaceAll(/[^A-Za-z0-9-]/g, '-') || 'instance');
  if (alias.length > MAX_ALIAS) {
    // Cut short two instances could have the same.
    const hash = createHash('sha256').update(instanceArn).digest('hex').slice(0, 8);
    return `${alias.slice(0, MAX_ALIAS - 9)}-${hash}`;
  }
  return DEVICE.test(alias) ? `instance-${alias}` : alias;
}
