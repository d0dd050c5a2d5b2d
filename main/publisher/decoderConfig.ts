// What a player must know before it can decode a track: read from an initialisation segment, and compared.

import { BufferSource, Input, MP4 } from 'mediabunny';

/** @throws Error when there is no H.264 track */
export async function readDecoderConfig(initialisation: Uint8Array): Promise<VideoDecoderConfig> {
  const input = new Input({ source: new BufferSource(initialisation), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  const config = await track?.getDecoderConfig();
  if (!config) throw new Error('A run in the spool holds no H.264 track.');
  return config;
}

export function sameDecoder(one: VideoDecoderConfig, other: VideoDecoderConfig): boolean {
  if (one === other) return true;
  return (
    one.codec === other.codec && Buffer.from(descriptionOf(one)).equals(Buffer.from(descriptionOf(other)))
  );
}

function descriptionOf(config: VideoDecoderConfig): Uint8Array {
  const description = config.description as ArrayBufferView | ArrayBufferLike | undefined;
  if (description === undefined) return new Uint8Array();
  return ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
}
