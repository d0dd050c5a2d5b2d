// Events of a desk instead of a contact: that its recorder has ended, and its heartbeat (docs/status-events.md). They travel
// with status events, in the same envelope, and name no contact.

import { z } from 'zod';
import { appStateSchema } from './names.ts';
import type { StatusEvent } from './statusEvent.ts';
import { clientInfoSchema, envelope, statusDetailSchema, timestamp } from './statusEvent.ts';

const count = z.number().int().nonnegative();

/** `unexpected`: it crashed, was killed, or the power failed. */
export const endCauseSchema = z.enum([
  ...(['unexpected', 'agent-quit', 'terminated', 'session-ended', 'shutdown', 'upgrade'] as const),
]);
export type EndCause = z.infer<typeof endCauseSchema>;
/** By what the system says. */
export const sessionEndCauses = { 'sign-out': 'session-ended', shutdown: 'shutdown' } as const;

const endInfoSchema = z.object({
  cause: endCauseSchema,
  /** Absent where the record of that run cannot be read. */
  startTime: timestamp.optional(),
  /** When the recorder was last known to run: up to a minute before an unexpected end. */
  endTime: timestamp,
  /** When it was back; absent in an event that was sent before it ended. */
  returnTime: timestamp.optional(),
  /** Of the recorder that ended. */
  appVersion: z.string().optional(),
  contactWasOn: z.boolean().optional(),
  /** The name of a file in the log folder. */
  crashReport: z.string().optional(),
});

/** The latest run of the health checks. From a file that programs of this user may write: everything has a limit. */
export const lastChecksSchema = z.object({
  time: timestamp,
  appVersion: z.string().max(40),
  ...{ ok: count, warnings: count, failed: count, skipped: count },
  /** Names of the checks that failed. */
  failing: z.array(z.string().regex(/^[\w ]{1,40}$/)).max(50),
});

const heartbeatSchema = z.object({
  /** Of the recorder. */
  startTime: timestamp,
  state: appStateSchema,
  /** The code of a problem. */
  reason: z.string().optional(),
  policyHash: z.string(),
  uploads: z.object({
    ...{ waiting: count, waitingBytes: count, failed: count },
    /** When the oldest recording that waits had ended. */
    oldestTime: timestamp.optional(),
    /** The code of the latest failure. */
    reason: z.string().optional(),
  }),
  /** Of the disk of the data folder; absent: unknown. */
  freeBytes: count.optional(),
  lastContact: z
    .object({
      time: timestamp,
      outcome: z.enum(statusDetailSchema.options.map((one) => one.shape.recordingStatus.value)),
    })
    .optional(),
  lastChecks: lastChecksSchema.optional(),
  /** How the recorder before this one ended, if that was found at the start. */
  previousEnd: endInfoSchema.optional(),
});

const common = {
  version: z.literal('1.0'),
  eventDeduplicationId: z.string(),
  /** A hash of host and user name. */
  deskId: z.string(),
  /** Of the agent who is signed in, otherwise of the last contact; absent: none is known. */
  instanceArn: z.string().optional(),
  agentArn: z.string().optional(),
  clientInfo: clientInfoSchema,
};

export const deskEventSchema = z.discriminatedUnion('detail-type', [
  z.object({
    ...envelope,
    'detail-type': z.literal('Recorder Ended'),
    detail: z.object({ ...common, endInfo: endInfoSchema }),
  }),
  z.object({
    ...envelope,
    'detail-type': z.literal('Recorder Heartbeat'),
    detail: z.object({ ...common, heartbeat: heartbeatSchema }),
  }),
]);

export type DeskEvent = z.infer<typeof deskEventSchema>;
export type AnyEvent = StatusEvent | DeskEvent;
export type EndInfo = z.infer<typeof endInfoSchema>;
export type LastChecks = z.infer<typeof lastChecksSchema>;
export type HeartbeatInfo = z.infer<typeof heartbeatSchema>;
