// On PUBLISHED: remembers where the recording is, and writes it on the contact as attributes. Idempotent, in any order: events come at least
// once, and what is written follows from everything that is known of the contact.

import { z } from 'zod';
import { ConnectApiError, type ConnectApi } from '../aws/connectApi.ts';
import { allowedKeys } from '../broker/keyRule.ts';
import { Refusal } from '../http/lambda.ts';
import type { Log } from '../http/log.ts';
import type { Instance } from '../settings.ts';
import { lastPart } from '../tokens/agent.ts';
import type { LocationStore } from './store.ts';

/** What is used of docs/status-events.md. */
const eventSchema = z.object({
  source: z.literal('sightline'),
  detail: z.object({
    recordingStatus: z.literal('PUBLISHED'),
    eventDeduplicationId: z.string().regex(/^[A-Za-z0-9-]{8,64}:PUBLISHED$/),
    instanceArn: z.string().max(512),
    contactArn: z.string().max(1024),
    recordingInfo: z.object({ startTime: z.iso.datetime(), location: z.string().max(2048) }),
  }),
});

export interface LocationParts {
  readonly instances: readonly Instance[];
  readonly store: LocationStore;
  /** The API in a region; null: no attributes are written. */
  readonly connectIn: ((region: string) => Pick<ConnectApi, 'setAttributes'>) | null;
  /** The attribute's name; with "Count" behind it there is another one. */
  readonly attribute: string;
  readonly log: Log;
  readonly now?: () => Date;
}

/**
 * @returns `ignored`: no event that can be used, which a retry would not change
 * @throws what the store or Connect throw, so that Lambda tries again
 */
export function createLocation(parts: LocationParts): (event: unknown) => Promise<'written' | 'ignored'> {
  const { instances, store, connectIn, attribute, log, now = () => new Date() } = parts;
  return async (event) => {
    const parsed = eventSchema.safeParse(event);
    if (!parsed.success) {
      log({ event: 'location-ignored', code: 'INVALID_EVENT' });
      return 'ignored';
    }
    const { instanceArn, contactArn, eventDeduplicationId, recordingInfo } = parsed.data.detail;
    const contactId = lastPart(contactArn);
    const recordingId = eventDeduplicationId.replace(/:PUBLISHED$/, '');
    const found = /^s3:\/\/([^/]+)\/(.+)$/.exec(recordingInfo.location);
    const [, bucket = '', key = ''] = found ?? [];
    const instance = instances.find((one) => one.instanceArn === instanceArn);
    // Any desk may send events. One that names another folder or contact must not become a link to it.
    if (instance === undefined || !isKeyOf(key, { recordingId, contactId, bucket }, instance, now())) {
      log({ event: 'location-ignored', code: 'LOCATION_NOT_ALLOWED', instanceArn, contactId, recordingId });
      return 'ignored';
    }
    await store.put({ instanceArn, contactId, recordingId, bucket, key, startTime: recordingInfo.startTime });
    const all = await store.of(instanceArn, contactId);
    const last = all.at(-1);
    if (connectIn !== null && last !== undefined) {
      const attributes = {
        [attribute]: `s3://${last.bucket}/${last.key}`,
        [`${attribute}Count`]: String(all.length),
      };
      try {
        await connectIn(instanceArn.split(':')[3] ?? '').setAttributes(
          lastPart(instanceArn),
          contactId,
          attributes,
        );
      } catch (error) {
        // Connect keeps contacts for 24 months, and test contacts never were there.
        if (!(error instanceof ConnectApiError) || error.status !== 404) throw error;
        log({ event: 'contact-unknown', instanceArn, contactId, recordingId });
      }
    }
    log({ event: 'location-written', instanceArn, contactId, recordingId, recordings: all.length });
    return 'written';
  };
}

function isKeyOf(
  key: string,
  question: { recordingId: string; contactId: string; bucket: string },
  instance: Instance,
  now: Date,
): boolean {
  const longer = `_${question.recordingId.slice(0, 8)}.mp4`;
  const keyPrefix = key.endsWith(longer) ? key.slice(0, -longer.length) : key.replace(/\.mp4$/, '');
  try {
    return allowedKeys({ ...question, keyPrefix }, instance, now).includes(key);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
