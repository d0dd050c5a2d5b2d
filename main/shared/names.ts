// The words of the design as types: states and reasons that cross folder borders.

import { z } from 'zod';

export const channelSchema = z.enum(['VOICE', 'CHAT', 'TASK']);
export type Channel = z.infer<typeof channelSchema>;

/** Why there is nothing on the capture timeline between two runs. Each has its own slate. */
export const gapReasonSchema = z.enum(['suspended', 'interrupted', 'display-unavailable', 'app-restarted']);
export type GapReason = z.infer<typeof gapReasonSchema>;

/** Encoders that ffmpeg may be asked for, best first. The first is what Sightline is made for. */
export const encoderNames = ['libopenh264', 'libx264', 'h264_mf', 'h264_videotoolbox'] as const;
export const encoderSchema = z.enum(encoderNames);
export type EncoderName = z.infer<typeof encoderSchema>;

/** What the whole app is doing, as the page and the agent see it (docs/protocol.md, `app.state`). */
export type AppState = 'idle' | 'starting' | 'recording' | 'suspended' | 'problem';

/** What one recording is doing, as `hello` and `status` list it. */
export type RecordingState = 'starting' | 'recording' | 'suspended' | 'problem' | 'stopping';

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

/** OpenH264 refuses pictures with more pixels than this (its level limit; measured: 5120x2880 fails, 4096x2304 works). */
export const MAX_PICTURE_PIXELS = 9_437_184;
