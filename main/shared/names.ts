// States and reasons that several rooms use, as types.

import { z } from 'zod';
import type { Moment } from './time.ts';

export const channelSchema = z.enum(['VOICE', 'CHAT', 'TASK']);
export type Channel = z.infer<typeof channelSchema>;

/** Why nothing was captured between two runs. */
export const gapReasonSchema = z.enum([
  ...(['suspended', 'interrupted', 'display-changed', 'display-unavailable', 'app-restarted'] as const),
  ...(['locked', 'switched-away', 'disconnected', 'asleep', 'spool-full', 'unreadable'] as const),
]);
export type GapReason = z.infer<typeof gapReasonSchema>;

/** Why capture is paused although a contact is being recorded, other than a page's suspension or a fault. */
export const pauseReasonSchema = z.enum([
  ...(['display-unavailable', 'locked', 'switched-away', 'disconnected', 'asleep'] as const),
  // The agent's own suspension: a gap "suspended" like a page's.
  'agent',
]);
export type PauseReason = z.infer<typeof pauseReasonSchema>;

export function gapOfPause(reason: PauseReason): GapReason {
  return reason === 'agent' ? 'suspended' : reason;
}

/**
 * What caused a gap. `system`: the operating system, the monitors or the disk; `sightline`: a fault or a restart of
 * capture, or a suspension in doubt after a crash.
 */
export const gapCauseSchema = z.enum(['page', 'agent', 'system', 'sightline']);
export type GapCause = z.infer<typeof gapCauseSchema>;

/** What ended a gap: a cause above, or the end of a suspension without a request. */
export const gapEndSchema = z.enum([
  ...gapCauseSchema.options,
  ...(['time-limit', 'restart', 'contact-ended', 'agent-changed'] as const),
]);
export type GapEnd = z.infer<typeof gapEndSchema>;

/** What ended the agent's own suspension. */
export const agentResumeCauseSchema = gapEndSchema.extract([
  'agent',
  'time-limit',
  'contact-ended',
  'agent-changed',
]);
export type AgentResumeCause = z.infer<typeof agentResumeCauseSchema>;

/** Supported encoders of ffmpeg, best first. */
export const encoderNames = ['libopenh264', 'libx264', 'h264_mf'] as const;
export const encoderSchema = z.enum(encoderNames);
export type EncoderName = z.infer<typeof encoderSchema>;

/** How much detail a recording keeps, and how large it becomes. */
export const qualitySchema = z.enum(['small', 'balanced', 'sharp']);
export type Quality = z.infer<typeof qualitySchema>;

/**
 * What no minute of a recording exceeds, in bits per second: a screen full of video becomes coarser, and no frame is left
 * out. A manifest says where it was exceeded all the same.
 */
export const BIT_RATE_CEILING = 500_000;

/** What the app is doing, as pages and the agent see it (docs/protocol.md, `app.state`). */
export const appStateSchema = z.enum(['idle', 'starting', 'recording', 'suspended', 'paused', 'problem']);
export type AppState = z.infer<typeof appStateSchema>;

/** What one recording is doing, as `hello` and `status` list it. */
export type RecordingState = 'starting' | 'recording' | 'suspended' | 'paused' | 'problem' | 'stopping';

/** In physical pixels; x and y as the platform counts them, which may be negative. */
export const monitorSchema = z.object({
  name: z.string(),
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  primary: z.boolean(),
});
export type Monitor = z.infer<typeof monitorSchema>;

const pixels = z.number().int().nonnegative();

/** A monitor and where it is seen in the video, in video pixels. */
export const placedMonitorSchema = monitorSchema.extend({
  picture: z.object({ x: pixels, y: pixels, width: pixels, height: pixels }),
});
export type PlacedMonitor = z.infer<typeof placedMonitorSchema>;

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * OpenH264 refuses frames with more macroblocks of 16x16 pixels than this, begun ones included: the frame size of
 * H.264's level 5.2 (ITU-T H.264, table A-1; measured: 4096x2304 works, 5120x2880 and 7094x1330 do not).
 */
export const MAX_MACROBLOCKS = 36_864;
export const MACROBLOCK = 16;

/** What all frames of one recording have in common. */
export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly encoder: EncoderName;
}

/** What a slate says about its gap. */
export interface GapFacts {
  readonly reason: GapReason;
  readonly from: Moment;
  readonly to: Moment;
  readonly by: GapCause;
  /** null: the recording ends with the gap; absent: another gap follows. */
  readonly endedBy?: GapEnd | null;
  /** Why the page suspended the recording, in its own text: from outside. */
  readonly text: string | null;
}

export type SlateOrder = VideoFormat & GapFacts;

/** For gaps under a second that follow each other. */
export type BadgeOrder = Pick<VideoFormat, 'width' | 'height'> & {
  readonly gaps: readonly Pick<GapFacts, 'reason' | 'from' | 'to'>[];
};

// Values of a log line's field `event`, for lines that `sightline doctor` reads. The wording of a line may change, these may not.
export const REQUEST_REFUSED = 'request-refused';
export const EVENT_BRIDGE_FAILED = 'event-bridge-failed';
export const EVENT_BRIDGE_RECOVERED = 'event-bridge-recovered';
