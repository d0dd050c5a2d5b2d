// `npm run demo:ccp`: a custom CCP on the real Amazon Connect Streams, with a stand-in for Connect, records an agent's minute with the real
// Sightline: a call, two chats, a task, a card payment and a suspension by the flow. Leaves an MP4 and a manifest for each contact.
// Options: --seconds N, --out DIR, --quick (any ffmpeg will do), --json, --no-open, --pictures DIR (docs/pictures/ccp is made by it).

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBrowser } from '../test/rig/browser.ts';
import { startConnectStandIn, type ConnectStandIn } from '../test/rig/ccpFrame/service.ts';
import { startDisplay } from '../test/rig/display.ts';
import { startPageServer, type PageServer } from '../test/rig/pageServer.ts';
import { readEvents, readPublished } from '../test/rig/recorder.ts';
import { openFile } from './demoCcp/openFile.ts';
import { startFilm, type Film } from './demoCcp/film.ts';
import { playMinute } from './demoCcp/minute.ts';
import { hidePointer } from './demoCcp/pointer.ts';
import { startSightline, type DemoSightline } from './demoSightline.ts';

interface Options {
  readonly seconds: number;
  readonly out: string;
  readonly quick: boolean;
  readonly json: boolean;
  readonly open: boolean;
  readonly pictures: string | null;
}

const SHORTEST_SECONDS = 30;
const SCREEN = { width: 1440, height: 900 };

const options = readOptions();
// With --json stdout holds one line, for programs.
const say = (text: string): void => void (options.json ? process.stderr : process.stdout).write(`${text}\n`);

try {
  await demo();
} catch (error) {
  process.stderr.write(`demo:ccp: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();

async function demo(): Promise<void> {
  const existing = process.env.DISPLAY;
  const isVirtual =
    options.pictures !== null ||
    (process.platform === 'linux' && (existing === undefined || existing === ''));
  const screen = isVirtual ? await startDisplay(SCREEN) : null;
  const display = screen?.display ?? existing ?? null;
  say(
    screen === null
      ? 'A browser opens on your screen, and your screen is recorded.'
      : `There is no screen here: recording a virtual one (${screen.display}).`,
  );
  const stops: (() => Promise<unknown>)[] = screen === null ? [] : [() => screen.stop()];
  try {
    const sightline = await startSightline({ ...options, display, isVirtual, say, hasWindow: false });
    stops.unshift(() => sightline.stop());
    say(`Sightline listens on 127.0.0.1:${sightline.port}.`);
    const connect = await startConnectStandIn();
    stops.unshift(() => connect.stop());
    const server = await serve(connect, sightline);
    stops.unshift(() => server.stop());
    const browser = await startBrowser({
      ...(display === null ? {} : { display }),
      window: { x: 0, y: 0, ...SCREEN },
      // Of a test's browser: none of it belongs on an agent's desk.
      args: ['--test-type', '--disable-infobars', '--hide-scrollbars'],
      // Chromium would offer to save the card, and show its last digits after the form (docs/ccp.md).
      preferences: { autofill: { credit_card_enabled: false, payment_methods_mandatory_reauth: false } },
    });
    stops.unshift(() => browser.stop());
    const page = browser.context.pages()[0] ?? (await browser.context.newPage());
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${server.origin}/`);
    if (screen !== null) await hidePointer(screen.display, SCREEN);
    const film = options.pictures === null || display === null ? null : await startFilm(display, SCREEN);
    if (film !== null) stops.unshift(() => film.discard());
    const contactIds = await playMinute({ page, connect, seconds: options.seconds, say, film });
    if (problems.length > 0) throw new Error(`The page failed: ${problems.join('; ')}`);
    await report(sightline, contactIds, film, display !== null && !isVirtual);
  } finally {
    for (const stop of stops) await stop();
  }
}

/** The page and what it loads, with a content security policy as strict as a bank's. */
async function serve(connect: ConnectStandIn, { port }: DemoSightline): Promise<PageServer> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const html = await readFile(here('demoCcp/page.html'), 'utf8');
  const settings = JSON.stringify({ ccpUrl: connect.ccpUrl, port }).replaceAll('"', '&quot;');
  const policy = [
    ...["default-src 'none'", "script-src 'self'", "style-src 'self'", 'img-src data:', "form-action 'self'"],
    `frame-src ${connect.origin}`,
    `connect-src http://127.0.0.1:${port} ws://127.0.0.1:${port}`,
  ].join('; ');
  return startPageServer({
    routes: {
      '/': {
        body: html.replace('<meta charset="utf-8" />', `$&<meta name="settings" content="${settings}" />`),
        contentType: 'text/html; charset=utf-8',
        headers: { 'content-security-policy': policy },
      },
      '/page.css': { file: here('demoCcp/page.css') },
      '/page.js': { file: here('demoCcp/page.js') },
      '/sightline-ccp.js': { file: here('../dist/ccp/sightline-ccp.js') },
      '/connect-streams.js': {
        file: here('../node_modules/amazon-connect-streams/release/connect-streams-min.js'),
      },
    },
  });
}

async function report(
  { dataDir }: DemoSightline,
  contactIds: readonly string[],
  film: Film | null,
  isRealScreen: boolean,
): Promise<void> {
  const events = async () =>
    (await readEvents(join(dataDir, 'status-events.ndjson'))).filter((event) =>
      contactIds.some((contactId) => event.detail.contactArn.endsWith(`/${contactId}`)),
    );
  const isDone = async (): Promise<boolean> => {
    const published = (await events()).filter(({ detail }) => detail.recordingStatus === 'PUBLISHED');
    return published.length >= contactIds.length;
  };
  const giveUpAt = Date.now() + 60_000;
  while (!(await isDone())) {
    if (Date.now() > giveUpAt)
      throw new Error('Not every contact was recorded within a minute after the last one.');
    await sleep(100);
  }
  const recordings = (await readPublished(options.out))
    .filter(({ manifest }) => contactIds.includes(manifest.contact.contactId))
    .sort((a, b) => a.manifest.startTime.localeCompare(b.manifest.startTime));
  say('\nRecorded:');
  for (const { mp4, manifest } of recordings) {
    const { contact, durationMs, video, suspensions } = manifest;
    const reasons = [...new Set(suspensions.map(({ reason }) => reason ?? 'suspended'))];
    say(
      `  ${contact.channel.padEnd(5)} ${(contact.queue ?? '').padEnd(8)} ${(durationMs / 1000).toFixed(1).padStart(5)} s ` +
        `${(video.sizeBytes / 1024).toFixed(0).padStart(5)} KiB  suspended: ${reasons.join(', ') || 'never'}`,
    );
    say(`        ${mp4}`);
  }
  const [call] = recordings;
  if (call === undefined) throw new Error('Nothing was recorded.');
  if (film !== null && options.pictures !== null) {
    for (const file of await film.develop(options.pictures, call)) say(`Picture   ${file}`);
  }
  if (isRealScreen && options.open && !options.json) openFile(call.mp4);
  if (options.json) process.stdout.write(`${JSON.stringify({ recordings, events: await events() })}\n`);
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        out: { type: 'string', default: 'recordings' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        'no-open': { type: 'boolean', default: false },
        pictures: { type: 'string' },
      },
    });
    const seconds = Number(values.seconds);
    if (!(seconds >= SHORTEST_SECONDS && seconds <= 3600)) {
      throw new Error(`--seconds takes a number from ${SHORTEST_SECONDS} to 3600`);
    }
    return {
      ...{ seconds, out: resolve(values.out), quick: values.quick, json: values.json },
      open: !values['no-open'],
      pictures: values.pictures === undefined ? null : resolve(values.pictures),
    };
  } catch (error) {
    process.stderr.write(`demo:ccp: ${error instanceof Error ? error.message : String(error)}\n`);
    process.stderr.write(
      'usage: npm run demo:ccp -- [--seconds N] [--out DIR] [--quick] [--json] [--no-open] [--pictures DIR]\n',
    );
    process.exit(64);
  }
}
