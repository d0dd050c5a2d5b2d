// `npm run contact-sheet [-- --out FILE.png]`: records three monitors with a long and a short suspension and with a monitor
// that is unplugged and plugged again, and makes one image from decoded frames of the MP4, to look at.

import { mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Manifest } from '../main/shared/manifest.ts';
import { startDesk } from '../test/rig/desk.ts';
import { framePng } from '../test/rig/mp4.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../test/rig/process.ts';
import { startRecorder } from '../test/rig/recorder.ts';
import { soakOptions } from '../test/soak/common.ts';

const COLUMNS = 3;
const CELL = { width: 720, height: 256, label: 44 };

interface Cell {
  readonly atMs: number;
  readonly label: string;
}

const { out } = soakOptions({ out: 'docs/pictures/contact-sheet.png' });
const folder = await mkdtemp(join(tmpdir(), 'sightline-sheet-'));
try {
  const { mp4, manifest } = await record(join(folder, 'home'));
  const cells = cellsOf(manifest);
  for (const [index, { atMs, label }] of cells.entries()) {
    await framePng(mp4, atMs, join(folder, `${index}.png`));
    await writeFile(join(folder, `${index}.txt`), label);
  }
  mkdirSync(dirname(resolve(out)), { recursive: true });
  await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), sheetArguments(cells.length, resolve(out)), {
    cwd: folder,
  });
  console.log(`${out}: ${cells.length} frames of ${(manifest.durationMs / 1000).toFixed(1)} s`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function record(home: string): Promise<{ mp4: string; manifest: Manifest }> {
  const left = { x: 0, y: 200, width: 1280, height: 720 };
  const middle = { x: 1280, y: 0, width: 1680, height: 1050 };
  const right = { x: 2960, y: 0, width: 720, height: 1280 };
  const desk = await startDesk({ monitors: [left, middle, right], changeable: true });
  const recorder = await startRecorder({ display: desk.display, home });
  try {
    const page = await recorder.connect();
    const contact = { contactId: 'contact-sheet' };
    await page.ask('contact.start', { ...contact, channel: 'VOICE' });
    await sleep(3000);
    await page.ask('contact.suspend', { ...contact, reason: 'card number' });
    await desk.showSensitive(true);
    await sleep(2500);
    await desk.showSensitive(false);
    await page.ask('contact.resume', contact);
    await sleep(2500);
    await page.ask('contact.suspend', contact);
    await page.ask('contact.resume', contact);
    await sleep(2500);
    await desk.arrange([left, middle, null]);
    await sleep(2500);
    await desk.arrange([left, middle, right]);
    await sleep(2500);
    await page.ask('contact.stop', contact);
    await page.event(contact.contactId, 'PUBLISHED');
    const [found] = await recorder.published();
    if (found === undefined) throw new Error('nothing was published');
    return found;
  } finally {
    await recorder.stop();
    await desk.stop();
  }
}

/** Two frames of each run and one of each gap, in order. */
function cellsOf(manifest: Manifest): Cell[] {
  const start = Date.parse(manifest.startTime);
  const at = (atMs: number): string =>
    `${(atMs / 1000).toFixed(1)} s  (${new Date(start + atMs).toISOString().slice(11, 23)})`;
  const runs = manifest.runs.flatMap(({ offsetMs, endTime, monitors }, index) => {
    const length = Date.parse(endTime) - start - offsetMs;
    const names = monitors.map(({ name }) => name).join(', ');
    return [0, 0.8].map((share) => {
      // Not at the very border: the file's ticks are finer than the manifest's milliseconds.
      const atMs = offsetMs + Math.max(50, share * length);
      return { atMs, label: `${at(atMs)}  run ${index + 1}  ${names}` };
    });
  });
  const gaps = manifest.gaps.map(({ offsetMs, durationMs, reason }) => {
    const atMs = offsetMs + durationMs / 2;
    return { atMs, label: `${at(atMs)}  gap of ${durationMs} ms  ${reason}` };
  });
  return [...runs, ...gaps].sort((a, b) => a.atMs - b.atMs);
}

function sheetArguments(count: number, file: string): string[] {
  const { width, height, label } = CELL;
  const labelled = Array.from({ length: count }, (_, index) => {
    const fit = `scale=${width - 12}:${height - 8}:force_original_aspect_ratio=decrease:flags=area`;
    const pad = `pad=${width}:${height + label}:(ow-iw)/2:4:color=0x20242a`;
    const text = `drawtext=font='DejaVu Sans':textfile=${index}.txt:fontsize=20:fontcolor=white:x=12:y=${height + 10}`;
    return `[${index}]${fit},${pad},${text}[c${index}]`;
  });
  const cells = Array.from({ length: count }, (_, index) => `[c${index}]`).join('');
  const places = Array.from(
    { length: count },
    (_, index) => `${(index % COLUMNS) * width}_${Math.floor(index / COLUMNS) * (height + label)}`,
  ).join('|');
  return [
    ...['-v', 'error', '-y'],
    ...Array.from({ length: count }, (_, index) => ['-i', `${index}.png`]).flat(),
    ...[
      '-filter_complex',
      `${labelled.join(';')};${cells}xstack=inputs=${count}:layout=${places}:fill=0x20242a`,
    ],
    ...['-frames:v', '1', file],
  ];
}
