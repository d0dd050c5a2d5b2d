// The name of an uploaded recording: AWS's scheme, so that tools written for that find ours
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

/** Date and time in the key are the recording's start in UTC. */
export function objectKey(parts: KeyParts): string {
  const time = toTimestamp(parts.startTime); // 2026-01-02T03:04:05.678Z
  const [year, month, day] = time.slice(0, 10).split('-');
  const compact = `${time.slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const prefix = parts.prefix.replaceAll('<alias>', aliasOf(parts)).replaceAll(/^\/+|\/+$/g, '');
  const folders = prefix.split('/').map(usable);
  return [...folders, year, month, day, `${parts.contactId}_${compact}.mp4`]
    .filter((part) => part !== '')
    .join('/');
}

/** Between two slashes. File systems allow 255 bytes. */
const MAX_PART = 128;
/** Windows device names, reserved in every folder. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** Without an alias the instance's id is used: the last part of its ARN, reduced to safe characters. */
function aliasOf(parts: KeyParts): string {
  if (parts.instanceAlias !== undefined) return parts.instanceAlias;
  const id = parts.instanceArn.split('/').at(-1) ?? '';
  return id.replaceAll(/[^A-Za-z0-9-]/g, '-') || 'instance';
}

/** A name that every file system accepts. A shortened one gets a hash, so that it stays unique. */
function usable(part: string): string {
  if (DEVICE.test(part)) return `${part}-`;
  if (part.length <= MAX_PART) return part;
  const hash = createHash('sha256').update(part).digest('hex').slice(0, 8);
  return `${part.slice(0, MAX_PART - hash.length - 1)}-${hash}`;
}
