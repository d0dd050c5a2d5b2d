// What happens to the list of records: pure functions of the list, for `FailureStore.update`.

import type { FailureEvent } from './event.ts';
import type { Change, FailureRecord } from './store.ts';

const DAY_MS = 86_400_000;
/** Of events and of what prevents repetitions. */
export const MAX_AGE_MS = 7 * DAY_MS;
/** Unposted ones. Of more, the oldest is dropped: the newest say what is wrong now. */
export const MAX_EVENTS = 200;
export const MAX_RECORDS = 1000;

type Records = readonly FailureRecord[];

/** An event of a contact, to be posted at `dueAt` unless the recorder turns out to know the contact. */
export function addEvent(
  records: Records,
  {
    contactId,
    code,
    event,
    now,
    dueAt,
  }: {
    readonly contactId: string;
    readonly code: string;
    readonly event: FailureEvent;
    readonly now: number;
    readonly dueAt: number;
  },
): Change<boolean> {
  const key = `${contactId}:${code}`;
  const ofContact = records.filter((one) => one.contactId === contactId);
  if (ofContact.some((one) => one.key === key || one.key === contactId)) return { result: false };
  // One that is not due yet was about another state of affairs; the contact has waited since then.
  const outdated = ofContact.filter((one) => one.event !== null && one.dueAt > now);
  const record = {
    ...{ key, contactId, addedAt: now, event },
    dueAt: Math.min(dueAt, ...outdated.map((one) => one.dueAt)),
  };
  const rest = records.filter((one) => !outdated.includes(one));
  const { put, remove } = bounded([...rest, record], now);
  return { put: [record, ...put], remove: [...outdated.map((one) => one.key), ...remove], result: true };
}

/** The recorder knows the contact and says itself what becomes of it. */
export function contactIsKnown(records: Records, contactId: string, now: number): Change<void> {
  const outdated = records.filter(
    (one) => one.contactId === contactId && one.event !== null && one.dueAt > now,
  );
  const known = { key: contactId, contactId, addedAt: now, dueAt: now, event: null };
  return { put: [known], remove: outdated.map((one) => one.key), result: undefined };
}

/** The contact has ended: nothing can come any more. True if the contact has an event, posted or not. */
export function contactEnded(records: Records, contactId: string, now: number): Change<boolean> {
  const ofContact = records.filter((one) => one.contactId === contactId);
  const waiting = ofContact.filter((one) => one.event !== null && one.dueAt > now);
  return { put: waiting.map((one) => ({ ...one, dueAt: now })), result: ofContact.length > 0 };
}

/** Events that are due, oldest first, and when the next one will be. Drops what is too old or too much. */
export function dueEvents(
  records: Records,
  now: number,
): Change<{ readonly due: readonly FailureRecord[]; readonly nextDueAt: number | null }> {
  const { put, remove } = bounded(records, now);
  const isDropped = ({ key }: FailureRecord) => remove.includes(key) || put.some((one) => one.key === key);
  const unposted = records.filter((one) => one.event !== null && !isDropped(one));
  const later = unposted.filter((one) => one.dueAt > now).map((one) => one.dueAt);
  return {
    put,
    remove,
    result: {
      due: unposted.filter((one) => one.dueAt <= now).sort((a, b) => a.addedAt - b.addedAt),
      nextDueAt: later.length === 0 ? null : Math.min(...later),
    },
  };
}

export function eventPosted(records: Records, key: string): Change<void> {
  const record = records.find((one) => one.key === key);
  return { put: record === undefined ? [] : [{ ...record, event: null }], result: undefined };
}

/** What must go. Of events that are too many, the record stays: it prevents that they come again. */
function bounded(records: Records, now: number): { put: FailureRecord[]; remove: string[] } {
  // A clock that was wrong must not keep a record for years.
  const isOld = (one: FailureRecord) => Math.abs(now - one.addedAt) > MAX_AGE_MS;
  // Of the same millisecond, the one that comes now is last in the list.
  const fresh = records.filter((one) => !isOld(one)).reverse();
  const newestFirst = fresh.sort((a, b) => b.addedAt - a.addedAt);
  const tooMany = newestFirst.filter((one) => one.event !== null).slice(MAX_EVENTS);
  const settled = newestFirst.filter((one) => one.event === null).slice(MAX_RECORDS - MAX_EVENTS);
  return {
    put: tooMany.map((one) => ({ ...one, event: null })),
    remove: [...records.filter(isOld), ...settled].map((one) => one.key),
  };
}
