// What an idle recorder does: next to nothing. Wake-ups are counted, not timed, so a busy machine does not change them.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startDisplay } from '../rig/display.ts';
import { startRecorder } from '../rig/recorder.ts';
import { wakeUsage } from '../rig/usage.ts';

const SECONDS = 6;

/** V8 compiles and collects garbage for some seconds after work: the quietest of several windows is what rest costs. */
async function wakeUpsAtRest(pid: number): Promise<number> {
  let fewest = Infinity;
  for (let tries = 0; tries < 8 && fewest > SECONDS; tries += 1) {
    const before = await wakeUsage(pid);
    await sleep(SECONDS * 1000);
    fewest = Math.min(fewest, (await wakeUsage(pid)).mainThreadWaits - before.mainThreadWaits);
  }
  return fewest;
}

it.runIf(process.platform === 'linux')(
  'an idle recorder wakes up less than once a second, before and after a recording, with a page connected',
  async () => {
    const display = await startDisplay({ width: 640, height: 480 });
    const recorder = await startRecorder({ display: display.display });
    try {
      const page = await recorder.connect();
      expect(await wakeUpsAtRest(recorder.pid)).toBeLessThan(SECONDS);
      await page.ask('contact.start', { contactId: 'one', channel: 'VOICE' });
      await page.ask('contact.stop', { contactId: 'one' });
      await page.event('one', 'PUBLISHED');
      expect(await wakeUpsAtRest(recorder.pid)).toBeLessThan(SECONDS);
    } finally {
      await recorder.stop();
      await display.stop();
    }
  },
);
