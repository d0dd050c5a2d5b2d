// Recordings of any length in a real spool, made in seconds: one minute of fragmented MP4 from ffmpeg, repeated with its
// times moved. For what comes after capture: assembly, delivery, benchmarks.
import { join } from 'node:path';
import { loadMasks } from '../../main/capture/masks.ts';
import { badgeOverlay } from '../../main/capture/slateImage.ts';
import type { Overlay } from '../../main/media/overlayFrame.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import type { BadgeOrder } from '../../main/shared/names.ts';
import { FragmentSplitter, type Fragment } from '../../main/media/fragments.ts';
import type { SpoolSession } from '../../main/spool/spool.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from './process.ts';

export const SIMULATED = { fps: 5, width: 640, height: 360, encoder: 'libx264' } as const;

export interface Minute {
  readonly initialisation: Uint8Array;
  readonly fragments: readonly Fragment[];
  readonly timescale: number;
}

/** @param kbitPerSecond about so much; AWS states 1.5 MB a minute, 200 kbit/s, for the average desktop */
export async function makeMinute(kbitPerSecond = 200, seconds = 60): Promise<Minute> {
  const { fps, width, height } = SIMULATED;
  const { stdout } = await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${fps}`],
    ...['-t', String(seconds), '-vf', 'noise=alls=40:allf=t', '-pix_fmt', 'yuv420p'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-bf',
      '0',
      '-g',
      String(fps * 60),
    ],
    ...['-b:v', `${kbitPerSecond}k`, '-minrate', `${kbitPerSecond}k`, '-maxrate', `${kbitPerSecond}k`],
    ...['-bufsize', `${kbitPerSecond}k`, '-fps_mode', 'vfr', '-enc_time_base', '1/1000'],
    ...['-movflags', '+frag_every_frame+empty_moov+default_base_moof', '-f', 'mp4', 'pipe:1'],
  ]);
  const parts = new FragmentSplitter().push(stdout);
  const [head] = parts.flatMap((part) => (part.kind === 'initialisation' ? [part.segment] : []));
  const fragments = parts.flatMap((part) => (part.kind === 'fragment' ? [part.fragment] : []));
  if (head === undefined || fragments.length !== seconds * fps) throw new Error('ffmpeg made something else');
  return { initialisation: head.bytes, fragments, timescale: head.timescale };
}

/** The fragment at another time. */
function frameBytes(fragment: Fragment, decodeTime: number): Uint8Array {
  const bytes = Buffer.from(fragment.bytes);
  const tfdt = bytes.indexOf('tfdt', 0, 'latin1');
  // Version 0 has 32 bits, version 1 has 64.
  if (bytes[tfdt + 4] === 1) bytes.writeBigUInt64BE(BigInt(decodeTime), tfdt + 8);
  else bytes.writeUInt32BE(decodeTime, tfdt + 8);
  return bytes;
}

/** A run that grows as it is told to. */
export class SimulatedRun {
  private frames = 0;
  private sizeBytes = 0;

  private constructor(
    private readonly session: SpoolSession,
    readonly runId: string,
    private readonly startTime: number,
    private readonly minute: Minute,
    private readonly writer: Awaited<ReturnType<SpoolSession['createRun']>>,
  ) {}

  static async open(
    session: SpoolSession,
    runId: string,
    startTime: number,
    minute: Minute,
  ): Promise<SimulatedRun> {
    const { fps, width, height, encoder } = SIMULATED;
    const file = `${runId}.run`;
    await session.append({
      type: 'run.opened',
      ...{ runId, at: startTime, file, encoder, fps, monitors: [], leftOut: [] },
    });
    const writer = await session.createRun(file);
    await writer.append(minute.initialisation);
    await session.append({ type: 'run.live', runId, startTime, width, height });
    return new SimulatedRun(session, runId, startTime, minute, writer);
  }

  get endTime(): number {
    return this.startTime + this.frames * (1000 / SIMULATED.fps);
  }

  /** @returns the bytes written */
  async grow(frames: number): Promise<number> {
    const before = this.sizeBytes;
    const { fragments, timescale } = this.minute;
    for (let count = 0; count < frames; count += 1) {
      const fragment = fragments[this.frames % fragments.length]!;
      const bytes = frameBytes(fragment, Math.round((this.frames * timescale) / SIMULATED.fps));
      await this.writer.append(bytes);
      this.sizeBytes += bytes.byteLength;
      this.frames += 1;
    }
    return this.sizeBytes - before;
  }

  async close(): Promise<void> {
    const sizeBytes = await this.writer.close();
    const { runId, endTime, frames } = this;
    await this.session.append({
      type: 'run.closed',
      runId,
      endTime,
      frames,
      sizeBytes,
      gapReason: 'interrupted',
    });
  }
}

export const simulatedAgent = {
  agentArn: 'arn:aws:connect:eu-west-1:123456789012:instance/11111111-aaaa/agent/22222222-bbbb',
  instanceArn: 'arn:aws:connect:eu-west-1:123456789012:instance/11111111-aaaa',
  instanceAlias: 'acme',
};

export async function startRecording(
  session: SpoolSession,
  recordingId: string,
  startTime: number,
): Promise<void> {
  const contact = { contactId: `contact-${recordingId}`, channel: 'VOICE' as const };
  await session.append({
    type: 'contact.started',
    recordingId,
    at: startTime,
    contact,
    agent: simulatedAgent,
  });
  await session.append({ type: 'contact.recording', recordingId, startTime });
}

export function stopRecording(session: SpoolSession, recordingId: string, endTime: number): Promise<void> {
  return session.append({ type: 'contact.stopped', recordingId, endTime, cause: 'stopped' });
}

/** A slate like the minutes of this rig, for the gaps between runs. */
export async function makeSlate(): Promise<Uint8Array> {
  const { initialisation, fragments } = await makeMinute(200, 1);
  return Buffer.concat([initialisation, fragments[0]!.bytes]);
}

/** Badges as the program makes them. */
export async function makeBadge(order: BadgeOrder): Promise<Overlay> {
  return badgeOverlay(await loadMasks(join(findResourcesFolder(), 'slates')), order);
}
