// `npm run demo`: a contact recorded before your eyes. The recorder runs as it would on an agent's machine; this
// program plays the CCP page and tells what happens. Options: --seconds N, --out DIR, --json.

import { resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { manifestSchema } from '../main/shared/manifest.ts';
import type { StatusEvent } from '../main/shared/statusEvent.ts';
import { startDisplay } from '../test/rig/display.ts';
import { startPainter } from '../test/rig/painter.ts';
import type { Page } from '../test/rig/recorder.ts';
import { startRecorder } from '../test/rig/recorder.ts';

interface Options {
  readonly seconds: number;
  readonly out: string;
  readonly json: boolean;
}

const SHORTEST_SECONDS = 3;

const options = readOptions();
// With --json the last line of stdout is for programs, and nothing else is on it.
const say = (text: string): void => void (options.json ? process.stderr : process.stdout).write(`${text}\n`);

try {
  await demo();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  const existing = process.env.DISPLAY;
  const needsDisplay = process.platform === 'linux' && (existing === undefined || existing === '');
  const display = needsDisplay ? await startDisplay({ width: 1280, height: 720 }) : null;
  const name = display?.display ?? existing ?? null;
  say(
    display === null
      ? 'Recording your screen.'
      : `There is no screen here: recording a private one (${display.display}) with something on it.`,
  );
  const painter = display === null ? null : await startPainter({ display: display.display, scene: 'demo' });
  const label = async (text: string): Promise<void> => {
    await painter?.setLabel(text);
  };
  const recorder = await startRecorder({ display: name, flags: ['--sink-folder', options.out] });
  try {
    say(`Sightline listens on 127.0.0.1:${recorder.port}.`);
    const page = await recorder.connect();
    const contactId = `demo-${Date.now().toString(36)}`;
    await playContact(page, contactId, label);
    const published = await page.event(contactId, 'PUBLISHED');
    const events = (await recorder.events()).filter((event) =>
      event.detail.contactArn.endsWith(`/${contactId}`),
    );
    await report(events, published);
    await page.close();
  } finally {
    await recorder.stop();
    await painter?.stop();
    await display?.stop();
  }

  async function report(events: StatusEvent[], published: StatusEvent): Promise<void> {
    if (published.detail.recordingStatus !== 'PUBLISHED') throw new Error('unreachable');
    const mp4 = fileURLToPath(published.detail.recordingInfo.location);
    const manifestPath = mp4.replace(/\.mp4$/, '.json');
    const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestPath, 'utf8')));
    say('');
    say(`MP4       ${mp4}`);
    say(`Manifest  ${manifestPath}`);
    say(`Length    ${(manifest.durationMs / 1000).toFixed(3)} s, ${manifest.gaps.length} gap(s)`);
    say(`Size      ${(manifest.video.sizeBytes / 1024).toFixed(1)} KiB`);
    say(`Picture   ${manifest.video.width}x${manifest.video.height}, ${manifest.video.frames} frames`);
    say(`Encoder   ${manifest.video.encoder}`);
    say(`Events    ${events.map((event) => event.detail.recordingStatus).join(', ')}`);
    if (!options.json) return;
    const summary = {
      mp4,
      manifest: manifestPath,
      durationMs: manifest.durationMs,
      sizeBytes: manifest.video.sizeBytes,
      encoder: manifest.video.encoder,
      width: manifest.video.width,
      height: manifest.video.height,
      suspensions: manifest.suspensions,
      events,
    };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  }
}

/** A third of the time recorded, a third suspended, a third recorded again. */
async function playContact(
  page: Page,
  contactId: string,
  label: (text: string) => Promise<void>,
): Promise<void> {
  say(`Contact ${contactId}:`);
  await label('The contact is being recorded');
  const start = await page.ask<{ startTime: string }>('contact.start', {
    contactId,
    channel: 'VOICE',
    queue: 'Demo',
  });
  say(`  started    the first frame was grabbed at ${start.startTime}`);
  const third = (options.seconds * 1000) / 3;
  const startTime = Date.parse(start.startTime);
  await sleepUntil(startTime + third);
  const suspend = await page.ask<{ suspendedAt: string }>('contact.suspend', {
    contactId,
    reason: 'card number',
  });
  await label('Suspended: you must not see this in the MP4');
  say(`  suspended  nothing is captured since ${suspend.suspendedAt}`);
  await sleepUntil(startTime + 2 * third);
  await label('Resumed: recorded again');
  const resume = await page.ask<{ resumedAt: string }>('contact.resume', { contactId });
  say(`  resumed    the first new frame was grabbed at ${resume.resumedAt}`);
  await sleepUntil(startTime + 3 * third);
  const stop = await page.ask<{ endTime: string }>('contact.stop', { contactId });
  say(`  stopped    at ${stop.endTime}; the MP4 is being put together`);
}

function sleepUntil(time: number): Promise<void> {
  return sleep(Math.max(0, time - Date.now()));
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '12' },
        out: { type: 'string', default: 'recordings' },
        json: { type: 'boolean', default: false },
      },
    });
    const seconds = Number(values.seconds);
    if (!(seconds >= SHORTEST_SECONDS && seconds <= 3600)) {
      throw new Error(`--seconds takes a number from ${SHORTEST_SECONDS} to 3600`);
    }
    return { seconds, out: resolve(values.out), json: values.json };
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.stderr.write('usage: npm run demo -- [--seconds N] [--out DIR] [--json]\n');
    process.exit(64);
  }
}
