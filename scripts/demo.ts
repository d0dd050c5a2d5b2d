// `npm run demo`: records one contact. Sightline runs as on an agent's machine; this program plays the CCP page and prints
// what happens. Options: --seconds N, --out DIR, --quick (any ffmpeg will do; see with-setup.mjs), --json.

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { manifestSchema } from '../main/shared/manifest.ts';
import type { StatusEvent } from '../main/shared/statusEvent.ts';
import { startDisplay } from '../test/rig/display.ts';
import { startPainter } from '../test/rig/painter.ts';
import type { Page } from '../test/rig/recorder.ts';
import { connectPage, readEvents } from '../test/rig/recorder.ts';
import { startSightline, type DemoSightline } from './demoSightline.ts';

interface Options {
  readonly seconds: number;
  readonly out: string;
  readonly quick: boolean;
  readonly json: boolean;
}

const SHORTEST_SECONDS = 3;

const options = readOptions();
// With --json stdout holds one line, for programs.
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
      : `There is no screen here: recording a virtual one (${display.display}) with a demo scene.`,
  );
  const painter = display === null ? null : await startPainter({ display: display.display, scene: 'demo' });
  const label = async (text: string): Promise<void> => {
    await painter?.setLabel(text);
  };
  let recorder: DemoSightline | null = null;
  try {
    recorder = await startSightline({ ...options, display: name, isVirtual: display !== null, say });
    const { showAgentSide } = recorder;
    say(`Sightline listens on 127.0.0.1:${recorder.port}.`);
    const page = await connectPage(recorder.port);
    const contactId = `demo-${Date.now().toString(36)}`;
    // Taking a picture must not delay what the page does.
    const pictures: Promise<void>[] = [];
    await playContact(page, contactId, label, (state) => pictures.push(showAgentSide(state)));
    await Promise.all(pictures);
    const published = await page.event(contactId, 'PUBLISHED');
    const events = (await readEvents(join(recorder.dataDir, 'status-events.ndjson'))).filter((event) =>
      event.detail.contactArn.endsWith(`/${contactId}`),
    );
    await report(events, published);
    await page.close();
  } finally {
    await recorder?.stop();
    await painter?.stop();
    await display?.stop();
  }
}

async function report(events: StatusEvent[], published: StatusEvent): Promise<void> {
  if (published.detail.recordingStatus !== 'PUBLISHED') throw new Error('unreachable');
  const mp4 = fileURLToPath(published.detail.recordingInfo.location);
  const manifestPath = mp4.replace(/\.mp4$/, '.json');
  const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestPath, 'utf8')));
  const { video, durationMs, gaps, suspensions } = manifest;
  say('');
  say(`MP4       ${mp4}`);
  say(`Manifest  ${manifestPath}`);
  say(`Length    ${(durationMs / 1000).toFixed(3)} s, ${gaps.length} gap(s)`);
  say(`Size      ${(video.sizeBytes / 1024).toFixed(1)} KiB`);
  say(`Video     ${video.width}x${video.height}, ${video.frames} frames`);
  say(`Encoder   ${video.encoder}`);
  say(`Events    ${events.map((event) => event.detail.recordingStatus).join(', ')}`);
  if (video.encoder !== 'libopenh264')
    say(
      `Sightline is made for libopenh264; this ffmpeg recorded with ${video.encoder}. To build Sightline's own ffmpeg ` +
        '(one to three minutes, once) and record with it: npm run demo',
    );
  if (!options.json) return;
  const { sizeBytes, encoder, width, height } = video;
  const summary = {
    mp4,
    manifest: manifestPath,
    durationMs,
    sizeBytes,
    encoder,
    width,
    height,
    suspensions,
    events,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

/** A third of the time recorded, a third suspended, a third recorded again. */
async function playContact(
  page: Page,
  contactId: string,
  label: (text: string) => Promise<void>,
  showAgentSide: (state: string) => void,
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
  await sleepUntil(startTime + third / 2);
  showAgentSide('recording');
  await sleepUntil(startTime + third);
  const suspend = await page.ask<{ suspendedAt: string }>('contact.suspend', {
    contactId,
    reason: 'card number',
  });
  await label('Suspended: you must not see this in the MP4');
  say(`  suspended  nothing is captured since ${suspend.suspendedAt}`);
  await sleepUntil(startTime + 1.5 * third);
  showAgentSide('suspended');
  await sleepUntil(startTime + 2 * third);
  await label('Resumed: recorded again');
  const resume = await page.ask<{ resumedAt: string }>('contact.resume', { contactId });
  say(`  resumed    the first new frame was grabbed at ${resume.resumedAt}`);
  await sleepUntil(startTime + 3 * third);
  const stop = await page.ask<{ endTime: string }>('contact.stop', { contactId });
  say(`  stopped    at ${stop.endTime}; the MP4 is being assembled`);
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
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const seconds = Number(values.seconds);
    if (!(seconds >= SHORTEST_SECONDS && seconds <= 3600)) {
      throw new Error(`--seconds takes a number from ${SHORTEST_SECONDS} to 3600`);
    }
    return { seconds, out: resolve(values.out), quick: values.quick, json: values.json };
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.stderr.write('usage: npm run demo -- [--seconds N] [--out DIR] [--quick] [--json]\n');
    process.exit(64);
  }
}
