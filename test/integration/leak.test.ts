// Guarantee 1 with pictures: 25 cycles of the leak soak (npm run soak:leak has any number), and the proof that its
// judge finds a leak where there is one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDesk, oneMonitor } from '../rig/desk.ts';
import { decodeFrames } from '../rig/frames.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../rig/process.ts';
import { soakLeak } from '../soak/leak.ts';
import { leakIn, type Exposure, type SeenFrame } from '../soak/leakCheck.ts';

it('25 suspensions with everything going wrong around them: nothing of any is found anywhere', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await soakLeak({ cycles: 25, cyclesPerRound: 13, seed });
  const { faults, complaints, framesJudged, spoolFilesJudged, beforeAcknowledgement } = result;
  console.log(`seed ${seed}:`, Object.fromEntries(faults), {
    framesJudged,
    spoolFilesJudged,
    beforeAcknowledgement,
  });
  expect(complaints, `seed ${seed}, evidence in ${result.evidence ?? 'nothing'}`).toEqual([]);
  expect(framesJudged).toBeGreaterThan(100);
  expect(spoolFilesJudged).toBeGreaterThan(10);
  expect(result.acknowledgedMs.length).toBeGreaterThan(10);
});

it('a leak is found: the judge is shown one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-judge-'));
  const desk = await startDesk({ monitors: oneMonitor });
  try {
    const { paintedAtMs } = await desk.showSensitive(true);
    const file = join(folder, 'leak.mp4');
    await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
      ...['-v', 'error', '-f', 'x11grab', '-framerate', '5', '-video_size', '1280x720', '-i', desk.display],
      ...['-frames:v', '4', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', file],
    ]);
    const frames = (await decodeFrames(file)).map(({ ptsMs, codes, sensitiveShare }): SeenFrame => ({
      where: `${ptsMs} ms`,
      codes,
      sensitiveShare,
    }));
    expect(frames.length).toBeGreaterThanOrEqual(3);
    const receivedAt = (suspendedAtMs: number): Exposure[] => [
      { cycle: 1, suspendedAtMs, cleanFromMs: Infinity },
    ];
    for (const frame of frames) {
      expect(leakIn(frame, receivedAt(paintedAtMs - 1))).toContain('sensitive picture painted');
      // With the code painted over, too; and what was on the screen before the receipt is no leak.
      expect(leakIn({ ...frame, codes: [null] }, receivedAt(paintedAtMs))).toContain('without a code');
      expect(leakIn(frame, receivedAt(Date.now()))).toBeNull();
      // A picture in which nothing is secret is one all the same.
      const common = frame.codes.map((code) => (code === null ? null : { ...code, sensitive: false }));
      expect(leakIn({ ...frame, codes: common, sensitiveShare: 0 }, receivedAt(paintedAtMs - 1))).toContain(
        'common',
      );
    }
  } finally {
    await desk.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
