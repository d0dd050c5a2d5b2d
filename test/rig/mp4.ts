// What an MP4 is, as tools other than ours see it: ffprobe for its streams, ffmpeg for whether it decodes, and its
// boxes read from the file itself. Only reads.
import { open } from 'node:fs/promises';
import { FFMPEG_HINT, findTool, run, runOrThrow } from './process.ts';

export interface VideoProbe {
  codec: string;
  profile: string;
  /** H.264's level times ten, e.g. 51 for 5.1. */
  level: number;
  width: number;
  height: number;
  pixFmt: string;
  /** ffprobe's names ('tv', 'bt709', ...); 'unknown' where the file says nothing. */
  colorRange: string;
  colorSpace: string;
  colorPrimaries: string;
  colorTransfer: string;
  /** Of the video track, not of the container. */
  durationMs: number;
  packets: number;
  keyframes: number;
  /** Presentation time of the first frame. */
  startTimeMs: number;
}

interface ProbeOutput {
  streams: Record<string, string | number | undefined>[];
  packets: { pts?: number; duration?: number; flags: string }[];
}

async function ffprobe(mp4Path: string): Promise<ProbeOutput & { toMs: (ticks: number) => number }> {
  const result = await runOrThrow(findTool(['ffprobe'], FFMPEG_HINT), [
    ...[
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-show_streams',
      '-show_entries',
      'packet=pts,duration,flags',
    ],
    ...['-of', 'json=compact=1', mp4Path],
  ]);
  const output = JSON.parse(result.stdout.toString()) as ProbeOutput;
  const stream = output.streams[0];
  if (!stream) throw new Error(`${mp4Path} has no video track`);
  const [numerator, denominator] = String(stream['time_base']).split('/').map(Number);
  return { ...output, toMs: (ticks) => (ticks * 1000 * numerator!) / denominator! };
}

/** Reads the video track's properties. Rejects, with ffprobe's words, for what is not a readable file. */
export async function probe(mp4Path: string): Promise<VideoProbe> {
  const { streams, packets, toMs } = await ffprobe(mp4Path);
  const stream = streams[0]!;
  const text = (key: string): string => String(stream[key] ?? 'unknown');
  const starts = packets.map((packet) => packet.pts ?? 0);
  const first = starts.reduce((a, b) => Math.min(a, b), Infinity);
  const end = packets.reduce(
    (a, packet) => Math.max(a, (packet.pts ?? 0) + (packet.duration ?? 0)),
    -Infinity,
  );
  // Fragmented files need not state a duration; then the packets do.
  const ticks = Number(stream['duration_ts'] ?? NaN);
  return {
    codec: text('codec_name'),
    profile: text('profile'),
    level: Number(stream['level']),
    width: Number(stream['width']),
    height: Number(stream['height']),
    pixFmt: text('pix_fmt'),
    colorRange: text('color_range'),
    colorSpace: text('color_space'),
    colorPrimaries: text('color_primaries'),
    colorTransfer: text('color_transfer'),
    durationMs: toMs(Number.isFinite(ticks) ? ticks : Math.max(0, end - first)),
    packets: packets.length,
    keyframes: packets.filter((packet) => packet.flags.includes('K')).length,
    startTimeMs: packets.length > 0 ? toMs(first) : 0,
  };
}

/**
 * Decodes the whole file, stopping at the first fault. Returns what ffmpeg complained of: '' if it is clean. H.264 has
 * no checksums, so this finds a broken structure, not every flipped byte: a hash is for that.
 */
export async function decodesCleanly(mp4Path: string): Promise<string> {
  const ffmpeg = findTool(['ffmpeg'], FFMPEG_HINT);
  const result = await run(ffmpeg, [
    ...['-v', 'error', '-xerror', '-i', mp4Path],
    // Otherwise ffmpeg rounds the times to an even rate and then complains that two are the same.
    ...['-fps_mode', 'passthrough', '-enc_time_base', '1:1000000', '-f', 'null', '-'],
  ]);
  const complaint = result.stderr.trim();
  if (complaint === '' && result.code !== 0)
    return `ffmpeg ended with ${result.signal ?? `code ${result.code ?? '?'}`}`;
  return complaint;
}

/**
 * The types of the top-level boxes, in file order: 'ftyp', 'moov', ... (ISO/IEC 14496-12, 4.2). A box that claims
 * more bytes than the file has is reported with a '!' behind its type, as the last one.
 */
export async function topLevelBoxes(mp4Path: string): Promise<string[]> {
  const file = await open(mp4Path, 'r');
  try {
    const { size: fileSize } = await file.stat();
    const header = Buffer.alloc(16);
    const types: string[] = [];
    for (let offset = 0; offset < fileSize;) {
      const { bytesRead } = await file.read(header, 0, 16, offset);
      if (bytesRead < 8) return [...types, '!'];
      let size = header.readUInt32BE(0);
      if (size === 1) size = Number(header.readBigUInt64BE(8));
      else if (size === 0) size = fileSize - offset;
      const type = header.toString('latin1', 4, 8);
      if (size < 8 || offset + size > fileSize) return [...types, `${type}!`];
      types.push(type);
      offset += size;
    }
    return types;
  } finally {
    await file.close();
  }
}

/** Writes the frame that a player shows at `atMs` (the last one that began by then) as a PNG, to be looked at. */
export async function framePng(mp4Path: string, atMs: number, outPng: string): Promise<void> {
  const { packets, toMs } = await ffprobe(mp4Path);
  const times = packets.map((packet) => packet.pts ?? 0).sort((a, b) => a - b);
  const shown = times.findLast((pts) => toMs(pts) <= atMs) ?? times[0];
  if (shown === undefined) throw new Error(`${mp4Path} has no frames`);
  // Seek to well before and let the filter find the frame: seeking alone rounds, and differs between versions.
  const seekSeconds = Math.max(0, toMs(shown) / 1000 - 30);
  await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
    ...[
      '-v',
      'error',
      '-y',
      '-copyts',
      ...(seekSeconds > 0 ? ['-ss', String(seekSeconds)] : []),
      '-i',
      mp4Path,
    ],
    ...[
      '-vf',
      `select=gte(pts\\,${shown})`,
      '-frames:v',
      '1',
      '-fps_mode',
      'passthrough',
      '-update',
      '1',
      outPng,
    ],
  ]);
}
