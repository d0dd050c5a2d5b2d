// Status events in the shape of AWS's 'Screen Recording Status Changed' (see docs/status-events.md for the source
// of each field), so that programs that consume AWS's events can consume ours.

import { z } from 'zod';
import { channelSchema } from './names.ts';

export const timestamp = z.iso.datetime({ precision: 3 });

/** What all our events have around their details, in AWS's shape. */
export const envelope = {
  version: z.literal('0'),
  id: z.string(),
  source: z.literal('sightline'),
  account: z.string(),
  time: timestamp,
  region: z.string(),
  resources: z.array(z.string()),
};

export const clientInfoSchema = z.object({
  appVersion: z.string(),
  os: z.string(),
  browser: z.string().optional(),
  monitors: z.number().int().nonnegative().optional(),
  encoder: z.string().optional(),
});

const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  source: z.enum(['CLIENT', 'SERVICE', 'UNKNOWN']),
});

/** Ours, in one object of its own: AWS's shape around it stays as it is. */
const contactFactsSchema = z.object({
  channel: channelSchema,
  queue: z.string().optional(),
  initialContactId: z.string().optional(),
  /** No contact, but `sightline try`. */
  trial: z.literal(true).optional(),
});

const common = {
  version: z.literal('1.0'),
  eventDeduplicationId: z.string(),
  instanceArn: z.string(),
  contactArn: z.string(),
  agentArn: z.string(),
  clientInfo: clientInfoSchema,
  /** Absent in events of earlier versions. */
  sightline: contactFactsSchema.optional(),
};

export const statusDetailSchema = z.discriminatedUnion('recordingStatus', [
  z.object({ ...common, recordingStatus: z.literal('INITIATED') }),
  z.object({
    ...common,
    recordingStatus: z.literal('COMPLETED'),
    recordingInfo: z.object({ startTime: timestamp, endTime: timestamp }),
  }),
  z.object({
    ...common,
    recordingStatus: z.literal('PUBLISHED'),
    recordingInfo: z.object({
      startTime: timestamp,
      endTime: timestamp,
      publishTime: timestamp,
      /** `s3://bucket/key`, or a `file:` URL for the folder sink. */
      location: z.string(),
      durationInMillis: z.number().int().nonnegative(),
      sizeInBytes: z.number().int().positive(),
      /** Of the manifest's file, which names the MP4's: a record outside of the sink. Absent in events of earlier versions. */
      manifestSha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
      /** The screen was entirely black for so long; absent: never for ten seconds. The manifest says when (`black`). */
      blackInMillis: z.number().int().positive().optional(),
      /** Only where something was found; the manifest says what (`integrity`). */
      integrity: z.enum(['damaged', 'end-not-verified']).optional(),
    }),
  }),
  /** Ours, with a detail-type of its own: the recording is complete and not published for a long time. */
  z.object({
    ...common,
    recordingStatus: z.literal('OVERDUE'),
    recordingInfo: z.object({ startTime: timestamp, endTime: timestamp }),
    overdueInfo: z.object({
      overdueMinutes: z.number().int().positive(),
      /** Of the latest attempt; absent: there was none yet. */
      reason: failureSchema.optional(),
    }),
  }),
  z.object({
    ...common,
    recordingStatus: z.literal('FAILED'),
    recordingInfo: z.object({ startTime: timestamp }),
    failureInfo: failureSchema,
  }),
]);

export const statusEventSchema = z.object({
  ...envelope,
  'detail-type': z.enum(['Screen Recording Status Changed', 'Screen Recording Overdue']),
  detail: statusDetailSchema,
});

export type StatusDetail = z.infer<typeof statusDetailSchema>;
export type StatusEvent = z.infer<typeof statusEventSchema>;
export type ContactFacts = z.infer<typeof contactFactsSchema>;
export type ClientInfo = z.infer<typeof clientInfoSchema>;
