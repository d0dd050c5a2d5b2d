// The messages between the command line (`recordings retry`, `doctor`, `try`) and the running Sightline of the same user. No page may
// send them.

import { z } from 'zod';

export const CONTROL_RETRY_PATH = '/v1/control/retry';
export const CONTROL_TRY_PATH = '/v1/control/try';
export const CONTROL_CHECKS_PATH = '/v1/control/checks';
/** The checks end by then, or their result is not awaited. */
export const CONTROL_CHECKS_WITHIN_MS = 120_000;
/** In every answer to a caller with the token: only the Sightline that wrote the file knows it. */
export const CONTROL_PROOF_HEADER = 'sightline-proof';
export const CONTROL_MAX_BODY_BYTES = 32 * 1024;
export const CONTROL_MAX_WAIT_SECONDS = 600;

export const retryRequestSchema = z.strictObject({
  /** recordingIds and contactIds; all pending recordings if omitted. */
  names: z.array(z.string().min(1).max(256)).min(1).max(100).optional(),
  /** How long the answer may wait for the outcomes. */
  waitSeconds: z.number().int().min(0).max(CONTROL_MAX_WAIT_SECONDS).default(0),
});

/** A recording that is uploaded now because the command line requested it. */
export interface RetriedRecording {
  readonly recordingId: string;
  readonly contactId: string;
  /** Settles when that attempt has ended; never rejects. */
  readonly outcome: Promise<Outcome>;
}

const outcomeSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('PENDING') }),
  z.object({ status: z.literal('PUBLISHED'), location: z.string() }),
  z.object({ status: z.literal('FAILED'), failure: z.object({ code: z.string(), message: z.string() }) }),
]);

export const retryReplySchema = z.object({
  recordings: z.array(z.object({ recordingId: z.string(), contactId: z.string(), outcome: outcomeSchema })),
  /** Names of no pending recording. */
  unknown: z.array(z.string()),
});
export type RetryReply = z.infer<typeof retryReplySchema>;
export type ShownOutcome = z.infer<typeof outcomeSchema>;
/** The outcome of an attempt. A failed recording stays in the spool and is retried automatically. */
export type Outcome = Exclude<ShownOutcome, { status: 'PENDING' }>;

export const checksRequestSchema = z.strictObject({});

const shortText = z.string().max(4096);
export const checksReplySchema = z.object({
  checks: z
    .array(
      z.object({
        name: z.string().max(64),
        verdict: z.enum(['ok', 'warning', 'failed', 'skipped']),
        evidence: shortText,
        remedy: shortText,
      }),
    )
    .max(32),
});
export type ChecksReply = z.infer<typeof checksReplySchema>;
