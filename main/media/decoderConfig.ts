// What a player needs before it can decode a track, read from an initialisation segment.

import { FragmentSplitter } from './fragments.ts';

/** @throws Error when there is no H.264 track */
export async function readDecoderConfig(initialisation: Uint8Array): Promise<VideoDecoderConfig> {
  const { BufferSource, Input, MP4 } = await import('mediabunny');
  const input = new Input({ source: new BufferSource(initialisation), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  const config = await track?.getDecoderConfig();
  if (!config) throw new Error('A run in the spool has no H.264 track.');
  return config;
}

export function sameDecoder(one: VideoDecoderConfig, other: VideoDecoderConfig): boolean {
  if (one === other) return true;
  return one.codec === other.codec && descriptionOf(one).equals(descriptionOf(other));
}

/** The avcC box's content. */
export function descriptionOf(config: VideoDecoderConfig): Buffer {
  const description = config.description as ArrayBufferView | ArrayBufferLike | undefined;
  if (description === undefined) return Buffer.alloc(0);
  return ArrayBuffer.isView(description)
    ? Buffer.from(description.buffer, description.byteOffset, description.byteLength)
    : Buffer.from(description);
}

/** The only frame of a slate's fragmented MP4. @throws Error when there is none */
export async function singleFrame(
  mp4: Uint8Array,
): Promise<{ config: VideoDecoderConfig; data: Uint8Array }> {
  const segments = new FragmentSplitter().push(mp4);
  const start = segments.find((one) => one.kind === 'initialisation');
  const first = segments.find((one) => one.kind === 'fragment');
  if (start === undefined || first === undefined) throw new Error('A slate has no frame.');
  return { config: await readDecoderConfig(start.segment.bytes), data: first.fragment.frame };
}
