// A contact record of Amazon Connect: as its stream exports it, or as DescribeContact answers. It knows the exact moments that the
// names of audio files do not. https://docs.aws.amazon.com/connect/latest/adminguide/ctr-data-model.html
// It has the holds' number and length, but not when each began: a hold appears only where somebody adds its moments ("Holds").

import { z } from 'zod';
import type { ContactEvent } from '../../contract.ts';
import { parseJsonObject } from '../../../main/shared/json.ts';

export const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_LIST = 200;
const MAX_TIME = 64;
/** With any number of digits and any offset, as the AWS tools write it. */
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;

export interface ContactRecord {
  /** Of the audio; null: not known. */
  readonly audioStartMs: number | null;
  readonly events: readonly ContactEvent[];
}

/** The API itself answers with seconds since 1970. null: none, or nothing that can be read. */
const moment = z
  .union([z.string().max(MAX_TIME), z.number()])
  .nullish()
  .catch(null)
  .transform((value) => {
    if (typeof value === 'number') return inRange(value * 1000);
    return typeof value === 'string' && TIME.test(value) ? inRange(Date.parse(value)) : null;
  });

const agentSchema = z
  .object({
    ConnectedToAgentTimestamp: moment,
    AfterContactWorkStartTimestamp: moment,
    AfterContactWorkEndTimestamp: moment,
  })
  .nullish()
  .catch(null);
const recordingSchema = z
  .object({
    StartTimestamp: moment,
    MediaStreamType: z.string().nullish(),
    ParticipantType: z.string().nullish(),
    Location: z.string().nullish(),
  })
  .nullable()
  .catch(null);
const holdSchema = z.object({ StartTimestamp: moment, StopTimestamp: moment }).nullable().catch(null);
const recordSchema = z.object({
  ContactId: z.string().optional(),
  Id: z.string().optional(),
  Agent: agentSchema,
  AgentInfo: agentSchema,
  TransferCompletedTimestamp: moment,
  DisconnectTimestamp: moment,
  Recordings: z.array(recordingSchema).max(MAX_LIST).nullish().catch(null),
  Holds: z.array(holdSchema).max(MAX_LIST).nullish().catch(null),
});

/** null: not a contact record, or of another contact. */
export function readContactRecord(text: string, contactId: string): ContactRecord | null {
  if (text.length > MAX_RECORD_BYTES) return null;
  const outer = parseJsonObject(text);
  // A list of the wrong kind would make as many mistakes as it is long.
  const inner = outer?.['Contact'] ?? outer;
  if (typeof inner !== 'object' || inner === null || isTooLong(inner)) return null;
  const { data: record } = recordSchema.safeParse(inner);
  if (record === undefined || (record.ContactId ?? record.Id) !== contactId) return null;
  const agent = record.Agent ?? record.AgentInfo;
  const events: ContactEvent[] = [];
  const add = (
    kind: ContactEvent['kind'],
    start: number | null | undefined,
    end: number | null = null,
  ): void => {
    if (typeof start === 'number')
      events.push({ kind, startTime: toTime(start), endTime: end === null ? null : toTime(end) });
  };
  add('connected', agent?.ConnectedToAgentTimestamp);
  for (const hold of record.Holds ?? []) add('hold', hold?.StartTimestamp, hold?.StopTimestamp);
  add('transfer', record.TransferCompletedTimestamp);
  add('disconnected', record.DisconnectTimestamp);
  add('after-contact-work', agent?.AfterContactWorkStartTimestamp, agent?.AfterContactWorkEndTimestamp);
  events.sort((one, other) => (one.startTime < other.startTime ? -1 : 1));
  return { audioStartMs: audioStart(record.Recordings ?? []), events };
}

/** Of the call, not of the IVR before it, and not of the screen. */
function audioStart(recordings: readonly z.infer<typeof recordingSchema>[]): number | null {
  const starts = recordings.flatMap((one) => {
    if (one === null || one.StartTimestamp === null) return [];
    const isAudio = (one.MediaStreamType ?? 'AUDIO') === 'AUDIO' && (one.ParticipantType ?? 'ALL') !== 'IVR';
    const isOther = one.Location !== null && one.Location !== undefined && !/\.wav$/i.test(one.Location);
    return isAudio && !isOther ? [one.StartTimestamp] : [];
  });
  return starts.length === 0 ? null : Math.min(...starts);
}

function isTooLong(record: object): boolean {
  return ['Recordings', 'Holds'].some((name) => {
    const list = (record as Record<string, unknown>)[name];
    return Array.isArray(list) && list.length > MAX_LIST;
  });
}

function inRange(ms: number): number | null {
  return ms > 0 && ms < Date.UTC(2200, 0) ? Math.round(ms) : null;
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
