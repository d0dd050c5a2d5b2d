// What the kill soak expects of the status events of a contact.
import type { Recorder } from '../rig/recorder.ts';

type Events = Awaited<ReturnType<Recorder['events']>>;

function eventsOf(events: Events, contactId: string): Events {
  return events.filter(({ detail }) => detail.contactArn.endsWith(`/contact/${contactId}`));
}

/** Of the order of its life, each status once. */
export function tellingOf(events: Events, contactId: string): string[] {
  return [...new Set(eventsOf(events, contactId).map(({ detail }) => detail.recordingStatus))];
}

/** Each is told of, in the order of its life; told twice is allowed, with the same deduplication id. */
export function judgeEvents(
  events: Events,
  contactId: string,
  expected: string,
  complain: (words: string) => void,
): void {
  const told = tellingOf(events, contactId);
  if (told.join() !== expected) complain(`${contactId} was told as ${told.join()}`);
  const ids = new Set(eventsOf(events, contactId).map(({ detail }) => detail.eventDeduplicationId));
  if (ids.size !== told.length) complain(`${contactId} has ${ids.size} deduplication ids`);
}
