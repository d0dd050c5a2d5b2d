// The entries of a journal, as they are on the disk: one for each thing that happened.

import { z } from 'zod';
import { errorSources } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import {
  agentResumeCauseSchema,
  channelSchema,
  encoderSchema,
  gapReasonSchema,
  monitorSchema,
  pauseReasonSchema,
  placedMonitorSchema,
} from '../shared/names.ts';

const id = z.string().min(1);
export const moment = z.number();
export const stopCauseSchema = z.enum(['stopped', 'page-lost', 'agent-changed', 'shutdown', 'app-died']);
export const announcedSchema = z.enum(['INITIATED', 'COMPLETED', 'OVERDUE', 'FAILED']);

const failureSchema = z.object({
  code: z.enum(Object.keys(errorSources) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  source: z.enum(['CLIENT', 'SERVICE', 'UNKNOWN']),
});

export const identitySchema = z.object({
  agentArn: z.string(),
  instanceArn: z.string(),
  instanceAlias: z.string().exactOptional(),
  agentUsername: z.string().exactOptional(),
  browser: z.string().exactOptional(),
});

export const contactSchema = z.object({
  contactId: z.string(),
  initialContactId: z.string().optional(),
  channel: channelSchema,
  queue: z.string().optional(),
  attributes: z.record(z.string(), z.string()).optional(),
  /** Of `sightline try`. */
  trial: z.literal(true).optional(),
});

export const journalEntrySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('contact.started'),
    recordingId: id,
    at: moment,
    contact: contactSchema,
    agent: identitySchema,
  }),
  /** The recording has its start: the first frame is in the spool, or a suspension stands in for it. */
  z.object({ type: z.literal('contact.recording'), recordingId: id, startTime: moment }),
  z.object({
    type: z.literal('contact.suspended'),
    recordingId: id,
    at: moment,
    reason: z.string().exactOptional(),
    /** Recovery suspended it in doubt; absent: a page did. */
    by: z.literal('sightline').exactOptional(),
  }),
  z.object({
    type: z.literal('contact.resumed'),
    recordingId: id,
    at: moment,
    cause: z.enum(['page', 'time-limit', 'restart']),
  }),
  /** Capture is paused for all contacts. */
  z.object({
    type: z.literal('capture.paused'),
    at: moment,
    reason: pauseReasonSchema,
    /** Recovery assumed it in doubt. */
    by: z.literal('sightline').exactOptional(),
  }),
  z.object({
    type: z.literal('capture.unpaused'),
    at: moment,
    reason: pauseReasonSchema,
    /** What ended the agent's own suspension. */
    cause: agentResumeCauseSchema.exactOptional(),
  }),
  z.object({ type: z.literal('contact.stopped'), recordingId: id, endTime: moment, cause: stopCauseSchema }),
  z.object({
    type: z.literal('run.opened'),
    runId: id,
    at: moment,
    file: z.string(),
    encoder: encoderSchema,
    fps: z.number().positive(),
    monitors: z.array(placedMonitorSchema),
    /** More monitors than policy lets be recorded. */
    leftOut: z.array(monitorSchema),
  }),
  /** The run's process, so that the next start can end it if it outlives this one. */
  z.object({ type: z.literal('run.spawned'), runId: id, pid: z.number().int().positive() }),
  z.object({
    type: z.literal('run.live'),
    runId: id,
    startTime: moment,
    width: z.number().int().positive(),
    height: z.number().int().positive(),
  }),
  /** The grabbed screen was entirely black for a while; null: still, or until the run's end. A second entry has the end. */
  z.object({ type: z.literal('run.black'), runId: id, from: moment, to: moment.nullable() }),
  z.object({
    type: z.literal('run.closed'),
    runId: id,
    /** The end of the run's last frame; null: there was none. */
    endTime: moment.nullable(),
    frames: z.number().int().nonnegative(),
    sizeBytes: z.number().int().nonnegative(),
    /** Of a gap after this run, unless a suspension explains it. */
    gapReason: gapReasonSchema,
  }),
  z.object({
    type: z.literal('recording.published'),
    recordingId: id,
    at: moment,
    location: z.string(),
    sizeBytes: z.number().int().positive(),
  }),
  /** This status event is durable in the events file and the outbox: no later process announces it. */
  z.object({ type: z.literal('event.announced'), recordingId: id, status: announcedSchema }),
  /** A multipart upload to S3 that later attempts and processes continue. */
  z.object({
    type: z.literal('upload.begun'),
    recordingId: id,
    bucket: z.string(),
    key: z.string(),
    uploadId: z.string(),
    /** Policy `s3KmsKeyId` when it was created; absent: none. */
    kmsKeyId: z.string().optional(),
  }),
  /** Nothing can be published (no frame was ever captured). Not for failed uploads. */
  z.object({ type: z.literal('recording.failed'), recordingId: id, failure: failureSchema }),
  /** Recovery found that these lines are gone or were changed. They were about the time from `from` to `to`. */
  z.object({
    type: z.literal('journal.damaged'),
    /** The first of them, counted from 0. */
    line: z.number().int().nonnegative(),
    lines: z.number().int().positive(),
    from: moment,
    /** null: unknown. */
    to: moment.nullable(),
  }),
  /** Recovery could not determine whether lines or frames are missing at the end (witness.ts). */
  z.object({
    type: z.literal('journal.unverified'),
    cause: z.enum(['missing', 'unreadable', 'older-version']),
  }),
]);

export type JournalEntry = z.infer<typeof journalEntrySchema>;
