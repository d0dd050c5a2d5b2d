// What `sightline try` asks for and gets: a short recording of this screen through the real services and the real sink.

import { z } from 'zod';

export const trialRequestSchema = z.strictObject({
  seconds: z.number().int().min(3).max(60),
  /** Remove the objects from the sink again. */
  remove: z.boolean(),
});
export type TrialRequest = z.infer<typeof trialRequestSchema>;

export const trialReportSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    contactId: z.string(),
    recordingId: z.string(),
    frames: z.number(),
    durationMs: z.number(),
    location: z.string(),
    sizeBytes: z.number(),
    /** Of the file, or null where S3 has it in parts: then each of them was verified. */
    sha256: z.string().nullable(),
    parts: z.number(),
    /** As the store named it; null: it named none. */
    encryption: z.object({ algorithm: z.string(), keyId: z.string().optional() }).nullable(),
    /** Whether the status events are in their file and in the outbox. */
    eventsWritten: z.boolean(),
    /** null: not requested; otherwise what it came to. */
    removed: z.object({ ok: z.boolean(), why: z.string().nullable() }).nullable(),
  }),
  z.object({
    ok: z.literal(false),
    contactId: z.string(),
    /** What could not be done. */
    step: z.enum(['begin', 'record', 'publish']),
    failure: z.object({ code: z.string(), message: z.string() }),
  }),
]);
export type TrialReport = z.infer<typeof trialReportSchema>;
