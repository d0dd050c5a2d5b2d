// The manifest: the JSON file beside each MP4 that describes it, for QA, compliance and their programs (docs/manifest.md).
// Versioned: a reader refuses an unknown version.

import { z } from 'zod';
import {
  channelSchema,
  encoderSchema,
  gapCauseSchema,
  gapEndSchema,
  gapReasonSchema,
  monitorSchema,
  placedMonitorSchema,
} from './names.ts';

const timestamp = z.iso.datetime({ precision: 3 });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const milliseconds = z.number().int().nonnegative();

/** How the files of the recording differ from what had been written. */
const integritySchema = z.object({
  /** `end-not-verified`: nothing is known to be missing, but the record of how much there was is missing. */
  state: z.enum(['damaged', 'end-not-verified']),
  findings: z.array(
    z.discriminatedUnion('kind', [
      /** Only `readableFrames` of the run's frames could be read; a gap "unreadable" stands for the others. */
      z.object({
        kind: z.literal('run-damaged'),
        runId: z.string(),
        frames: z.number().int().nonnegative(),
        readableFrames: z.number().int().nonnegative(),
      }),
      /** Journal lines are lost: the times that they may have been about are gaps "unreadable". */
      z.object({ kind: z.literal('journal-damaged'), lines: z.number().int().positive() }),
      z.object({
        kind: z.literal('end-not-verified'),
        /** `older-version`: recorded by a version without that record. */
        cause: z.enum(['missing', 'unreadable', 'older-version']),
      }),
    ]),
  ),
});
export type Integrity = z.infer<typeof integritySchema>;

/** Eight hours with a gap every few seconds need two. A larger file is not one of our manifests. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
export const MAX_BLACK_STRETCHES = 100;

export const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  app: z.object({ name: z.literal('sightline'), version: z.string() }),
  recordingId: z.string(),
  /** No contact, but `sightline try`. */
  trial: z.literal(true).optional(),
  contact: z.object({
    contactId: z.string(),
    initialContactId: z.string().optional(),
    channel: channelSchema,
    queue: z.string().optional(),
    attributes: z.record(z.string(), z.string()).optional(),
  }),
  agent: z.object({ arn: z.string(), username: z.string().optional() }),
  instance: z.object({ arn: z.string(), alias: z.string().optional() }),
  /** The screen at startTime + t is shown at time t of the MP4. */
  startTime: timestamp,
  endTime: timestamp,
  durationMs: milliseconds,
  /** Why the recording ended. `stopped`: the page asked for it. */
  endCause: z.enum(['stopped', 'page-lost', 'agent-changed', 'shutdown', 'app-died']),
  video: z.object({
    file: z.string(),
    sizeBytes: z.number().int().positive(),
    /** Of the MP4, in hexadecimal; or of each of its parts in order, where S3 took it in parts. */
    sha256: sha256.optional(),
    parts: z.array(z.object({ sizeBytes: z.number().int().positive(), sha256 })).optional(),
    /** As the store named it for the MP4; absent: it named none. */
    encryption: z.object({ algorithm: z.string(), keyId: z.string().optional() }).optional(),
    codec: z.string(),
    width: z.number().int().positive(),
    height: z.number().int().positive(),
    fps: z.number().positive(),
    encoder: encoderSchema,
    frames: z.number().int().positive(),
    /** Of the busiest minute. */
    bitsPerSecond: z.number().int().positive(),
    /** Why that is more than BIT_RATE_CEILING. */
    aboveCeiling: z.enum(['content', 'encoder']).optional(),
  }),
  runs: z.array(
    z.object({
      runId: z.string(),
      startTime: timestamp,
      endTime: timestamp,
      /** Where the run begins in the MP4. */
      offsetMs: milliseconds,
      /** What is seen, and where in the video. */
      monitors: z.array(placedMonitorSchema),
      /** More monitors than policy `maxMonitors` allows: the primary one is recorded first, then by position. */
      leftOut: z.array(monitorSchema),
    }),
  ),
  gaps: z.array(
    z.object({
      startTime: timestamp,
      endTime: timestamp,
      offsetMs: milliseconds,
      durationMs: milliseconds,
      reason: gapReasonSchema,
      by: gapCauseSchema,
      /** null: the gap lasts until the end of the recording. */
      endedBy: gapEndSchema.nullable(),
    }),
  ),
  /** The screen was grabbed and entirely black for at least ten seconds, as that of a minimized remote session is. */
  black: z
    .object({
      totalMs: milliseconds,
      /** The first ones, at most MAX_BLACK_STRETCHES. */
      stretches: z.array(
        z.object({
          startTime: timestamp,
          endTime: timestamp,
          offsetMs: milliseconds,
          durationMs: milliseconds,
        }),
      ),
    })
    .optional(),
  /** The suspensions of this contact by a page. Those of other contacts and of the agent are gaps only. */
  suspensions: z.array(
    z.object({
      suspendedAt: timestamp,
      /** null: it lasted until the recording ended. */
      resumedAt: timestamp.nullable(),
      /** What ended it; null like `resumedAt`. */
      resumedBy: z.enum(['page', 'time-limit', 'restart']).nullable(),
      reason: z.string().optional(),
    }),
  ),
  /** Absent when all files were as they had been written. */
  integrity: integritySchema.optional(),
  host: z.object({ os: z.string(), browser: z.string().optional() }),
  /** SHA-256 of the canonical JSON (RFC 8785) of everything else here. Absent in manifests of earlier versions. */
  contentSha256: sha256.optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
