// An honest page with a contact that is being recorded, to be attacked. It must not notice: it stays connected, its
// suspend is acknowledged soon, and its MP4 comes out whole.
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { expect } from 'vitest';
import type { Display } from './display.ts';
import { startDisplay } from './display.ts';
import { decodeFrames, frameClockErrors } from './frames.ts';
import { decodesCleanly } from './mp4.ts';
import { startPainter } from './painter.ts';
import { endWithUs } from './process.ts';
import type { Page, Recorder, RecorderOptions } from './recorder.ts';
import { startRecorder } from './recorder.ts';

/** Half the deadline of a suspend. A quiet recorder takes 50 ms. */
const SUSPEND_WITHIN_MS = 2500;
/**
 * Frames must go on during the attack; how exact their clock is, the project `clocks` measures. Here the painter waits for the
 * processor as well, behind the attack and the other files of `beside`: what is too late may be the picture.
 */
const CLOCK_MS = 1000;

export interface Victim {
  readonly recorder: Recorder;
  readonly page: Page;
  readonly display: Display;
  /** The page suspends and resumes, and is still connected. Resolves with how long the acknowledgement took. */
  suspendsSoon(): Promise<number>;
  /** The contact is stopped, and its MP4 shows all of it. */
  isRecordedWhole(expected: { gaps: readonly string[] }): Promise<void>;
  stop(): Promise<number | null>;
}

export async function startVictim(options: Omit<RecorderOptions, 'display'> = {}): Promise<Victim> {
  const contactId = 'honest-contact';
  const display = await startDisplay();
  const painter = await startPainter({ display: display.display, scene: 'timecode' });
  const recorder = await startRecorder({ ...options, display: display.display });
  const page = await recorder.connect();
  const { startTime } = await page.ask<{ startTime: string }>('contact.start', {
    contactId,
    channel: 'VOICE',
  });
  return {
    ...{ recorder, page, display },
    async suspendsSoon() {
      const asked = performance.now();
      const { stillSuspendedBy: _, ...suspended } = await page.ask('contact.suspend', { contactId });
      const ms = performance.now() - asked;
      expect(suspended).toMatchObject({ ok: true });
      expect(ms).toBeLessThan(SUSPEND_WITHIN_MS);
      await page.ask('contact.resume', { contactId });
      expect(page.socket.readyState).toBe(WebSocket.OPEN);
      return ms;
    },
    async isRecordedWhole({ gaps }) {
      // Some frames after the last resume, on a busy machine too.
      await sleep(1500);
      const { endTime } = await page.ask<{ endTime: string }>('contact.stop', { contactId });
      await page.event(contactId, 'PUBLISHED');
      const all = await recorder.published();
      const published = all.find(({ manifest }) => manifest.contact.contactId === contactId);
      expect(published?.manifest).toMatchObject({
        startTime,
        durationMs: Date.parse(endTime) - Date.parse(startTime),
      });
      expect(published?.manifest.gaps.map(({ reason }) => reason)).toEqual(gaps);
      expect(await decodesCleanly(published!.mp4)).toBe('');
      const errors = frameClockErrors(
        await decodeFrames(published!.mp4),
        Date.parse(startTime),
        published!.manifest.gaps,
      );
      expect(errors.count).toBeGreaterThan(5);
      expect(errors.maxMs).toBeLessThanOrEqual(CLOCK_MS);
    },
    async stop() {
      const code = await recorder.stop();
      await painter.stop();
      await display.stop();
      return code;
    },
  };
}

export interface Flood {
  /** Resolves when its time is over, with how many connections or frames it sent. */
  readonly sent: Promise<number>;
}

/** @param name one of attacker.mjs */
export function startFlood(name: string, port: number, seconds: number): Flood {
  const path = fileURLToPath(new URL('attacker.mjs', import.meta.url));
  const child = spawn(process.execPath, [path, name, String(port), String(seconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithUs(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  return {
    sent: once(child, 'close').then(([code]: unknown[]) => {
      if (code !== 0) throw new Error(`the flood "${name}" ended with ${String(code)}`);
      return Number(said);
    }),
  };
}
