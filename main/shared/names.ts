// The words of the design as types: states and reasons that cross folder borders.

import { z } from 'zod';

export const channelSchema = z.enum(['VOICE', 'CHAT', 'TASK']);
export type Channel = z.infer<typeof channelSchema>;

/** Why there is nothing on the capture timeline between two runs. Each has its own slate. */
export const gapReasonSchema = z.enum([
  ...(['suspended', 'interrupted', 'display-changed', 'display-unavailable', 'app-restarted'] as const),
  ...(['locked', 'switched-away', 'asleep', 'spool-full', 'unreadable'] as const),
]);
export type GapReason = z.infer<typeof gapReasonSchema>;

/** Why capture rests although a contact is being recorded, other than a page's suspension or a fault. */
export const pauseReasonSchema = z.enum([
  ...(['display-unavailable', 'locked', 'switched-away', 'asleep'] as const),
  // The agent's own suspension: on the timeline it is one like a page's.
  'agent',
]);
export type PauseReason = z.infer<typeof pauseReasonSchema>;

export function gapOfPause(reason: PauseReason): GapReason {
  return reason === 'agent' ? 'suspended' : reason;
}

/** Encoders that ffmpeg may be asked for, best first. The first is what Sightline is made for. */
export const encoderNames = ['libopenh264', 'libx264', 'h264_mf', 'h264_videotoolbox'] as const;
export const encoderSchema = z.enum(encoderNames);
export type EncoderName = z.infer<typeof encoderSchema>;

/** What the whole app is doing, as the page and the agent see it (docs/protocol.md, `app.state`). */
export type AppState = 'idle' | 'starting' | 'recording' | 'suspended' | 'paused' | 'problem';

/** What one recording is doing, as `hello` and `status` list it. */
export type RecordingState = 'starting' | 'recording' | 'suspended' | 'paused' | 'problem' | 'stopping';

/** One monitor in physical pixels; x and y as the platform numbers them, negative ones included. */
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
 * OpenH264 refuses pictures with more macroblocks of 16x16 pixels than this, begun ones included: the frame size of
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

export type SlateOrder = VideoFormat & { readonly reason: GapReason };
