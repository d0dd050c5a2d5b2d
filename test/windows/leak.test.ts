// Guarantee 1 as a Windows program: suspensions with a picture that must never be recorded on the screen as soon as the
// suspend is on its way, judged by the pixels of the spool and of the MP4.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { dpapiStore } from '../../main/platform/keyStore.ts';
import { sessionKeys } from '../../main/spool/sessionKeys.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { host } from '../rig/program.ts';
import { startRecorder } from '../rig/recorder.ts';
import { decodeRecording } from '../rig/recordingFrames.ts';
import { helperInSession } from '../rig/wine.ts';
import { Dice } from '../soak/common.ts';
import {
  filesIn,
  framesOfSpoolFile,
  leakIn,
  seenIn,
  type Exposure,
  type SeenFrame,
} from '../soak/leakCheck.ts';

const CYCLES = 10;
const contact = { contactId: 'c' };

it(`${CYCLES} suspensions: nothing of any is found in the spool or in the MP4`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const dice = new Dice(seed);
  const home = await mkdtemp(join(tmpdir(), 'sightline-leak-'));
  const desk = await startDesk({ monitors: oneMonitor });
  const recorder = await startRecorder({ display: desk.display, home });
  // As the agent's own account has them.
  const helper = helperInSession();
  const keys = sessionKeys([dpapiStore(helper)]);
  try {
    const page = await recorder.connect();
    const exposures: Exposure[] = [];
    const seen: SeenFrame[] = [];
    const acknowledgedMs: number[] = [];
    await page.ask('contact.start', { ...contact, channel: 'VOICE' });
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      await sleep(dice.between(300, 1000));
      const sentAt = Date.now();
      const early = cycle % 2 === 0 ? desk.showSensitive(true) : null;
      const { suspendedAt } = await page.ask<{ suspendedAt: string }>('contact.suspend', contact);
      acknowledgedMs.push(Date.now() - sentAt);
      await (early ?? desk.showSensitive(true));
      const exposure: Exposure = { cycle, suspendedAtMs: Date.parse(suspendedAt), cleanFromMs: Infinity };
      exposures.push(exposure);
      // Killed before the acknowledgement. On a busy machine it takes Wine a while to be rid of it; what is stored is judged below.
      await expect
        .poll(() => host.ffmpegs(recorder.pid), { message: 'nobody grabs', timeout: 2000, interval: 20 })
        .toEqual([]);
      await sleep(dice.between(30, 300));
      const runs = (await filesIn(recorder.dataDir)).filter(({ path }) => path.endsWith('.run'));
      const newest = runs.sort((a, b) => b.changedMs - a.changedMs)[0];
      if (newest !== undefined) seen.push(...(await framesOfSpoolFile(newest.path, home, keys)));
      exposure.cleanFromMs = (await desk.showSensitive(false)).paintedAtMs;
      await page.ask('contact.resume', contact);
    }
    await sleep(500);
    await page.ask('contact.stop', contact);
    await page.event('c', 'PUBLISHED');
    const [found] = await recorder.published();
    expect(await decodesCleanly(found!.mp4)).toBe('');
    const inMp4 = seenIn(found!.mp4, await decodeRecording(found!.mp4, found!.manifest));
    const leaks = [...seen, ...inMp4].flatMap((frame) => leakIn(frame, exposures) ?? []);
    console.log(
      `seed ${seed}: ${seen.length} frames of the spool, ${inMp4.length} of the MP4; acknowledged after`,
      acknowledgedMs,
    );
    expect(leaks, `seed ${seed}`).toEqual([]);
    expect(found!.manifest.suspensions).toHaveLength(CYCLES);
    expect(inMp4.length).toBeGreaterThan(CYCLES);
    expect(seen.length).toBeGreaterThan(CYCLES);
  } finally {
    helper.close();
    await recorder.stop();
    await desk.stop();
    await rm(home, { recursive: true, force: true });
  }
});
