// A line of the audit log: an AuditEntry and the SHA-256 of the line before it, so that a line that was changed, removed or
// put in between shows. Every field is short: no secret, no text of a customer, nothing that an attacker can make long.

import { z } from 'zod';
import { parseJson } from '../../../../main/shared/json.ts';
import { roles, type AuditEntry } from '../../../contract.ts';
import { sha256Hex } from '../constantTime.ts';

export const FIRST_PREVIOUS = '0'.repeat(64);
export const MAX_LINE_BYTES = 16 * 1024;
const MAX_TEXT = 300;
const MAX_KEY = 1100;

const actions = [
  ...(['sign-in', 'sign-in-refused', 'sign-out', 'list', 'view', 'listen', 'download', 'export'] as const),
  ...(['notes', 'verify', 'snapshot', 'share-link', 'read-audit', 'refused'] as const),
] satisfies AuditEntry['action'][];

const lineSchema = z.strictObject({
  number: z.number().int().positive(),
  time: z.iso.datetime(),
  user: z.string(),
  role: z.enum(roles).nullable(),
  action: z.enum(actions),
  recordingId: z.string().optional(),
  contactId: z.string().optional(),
  key: z.string().optional(),
  address: z.string().optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** SHA-256 of the bytes of the line before, without its line break; of the first line FIRST_PREVIOUS; see afterTornLine. */
  previous: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AuditLine = z.infer<typeof lineSchema>;

/** What happened; the log gives it number and time. */
export type AuditFact = Omit<AuditEntry, 'number' | 'time'>;

/** Where a chain ends: what the next line continues. */
export interface ChainEnd {
  readonly number: number;
  readonly sha256: string;
}

export function formatLine(fact: AuditFact, end: ChainEnd, time: string): string {
  const { user, role, action, recordingId, contactId, key, address, details } = fact;
  return JSON.stringify({
    ...{ number: end.number + 1, time, user: short(user), role, action },
    ...(recordingId === undefined ? {} : { recordingId: short(recordingId) }),
    ...(contactId === undefined ? {} : { contactId: short(contactId) }),
    ...(key === undefined ? {} : { key: short(key, MAX_KEY) }),
    ...(address === undefined ? {} : { address: short(address) }),
    ...(details === undefined ? {} : { details: shortened(details) }),
    previous: end.sha256,
  });
}

/** null: not a line of an audit log. */
export function parseLine(text: string): AuditLine | null {
  const parsed = lineSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

export function entryOf({ previous: _, ...entry }: AuditLine): AuditEntry {
  return entry as AuditEntry;
}

/** The end of a chain after a line that cannot be read: it still covers that line and all before it. */
export function afterTornLine({ number, sha256 }: ChainEnd, raw: Uint8Array): ChainEnd {
  return { number, sha256: hashOf(Buffer.concat([Buffer.from(`${sha256} `), raw])) };
}

export function hashOf(line: string | Uint8Array): string {
  return sha256Hex(line);
}

function short(text: string, limit = MAX_TEXT): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

function shortened(details: NonNullable<AuditEntry['details']>): Record<string, string | number | boolean> {
  const entries = Object.entries(details).slice(0, 20);
  return Object.fromEntries(
    entries.map(([name, value]) => [short(name, 40), typeof value === 'string' ? short(value) : value]),
  );
}
