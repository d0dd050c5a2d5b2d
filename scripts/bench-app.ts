// `npm run bench:app [-- --minutes 60 --contacts 20 --report FILE]`: what the app costs at rest. Memory and CPU time of all
// its processes together in a real Electron: as started, with the status window open, after closing it, and after an
// hour of contacts. ffmpeg is left out of the figures: at rest there is none.

import { appendFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ElectronApp } from '../test/rig/electronApp.ts';
import { findElectron, startElectronApp } from '../test/rig/electronApp.ts';
import { startPainter } from '../test/rig/painter.ts';
import { connectPage, readPublished } from '../test/rig/recorder.ts';
import { missingForTrayDesk, startTrayDesk } from '../test/rig/trayDesk.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    contacts: { type: 'string', default: '20' },
    report: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const contacts = Number(values.contacts);
/** The indicator's page is kept for two minutes after a contact. */
const REST_MS = 150_000;
const MEASURE_MS = 60_000;

const electron = await findElectron();
const missing = electron === null ? 'there is no Electron on this machine' : missingForTrayDesk();
if (electron === null || missing !== null) throw new Error(`Not measured: ${missing ?? ''}`);
if (values.report !== undefined) await writeFile(values.report, '');
await say(
  `${electron.name}, ${new Date().toISOString().slice(0, 10)}, ${contacts} contacts in ${minutes} min`,
);
await say('');
await say('| | memory (PSS), MiB | CPU, ms a second | processes |');
await say('|---|---:|---:|---|');

const desk = await startTrayDesk();
const painter = await startPainter({
  display: desk.display,
  scene: 'timecode',
  fps: 2,
  area: { x: 0, y: 0, width: 640, height: 480 },
});
const app = await startElectronApp({ electron, display: desk.display, environment: desk.environment });
try {
  await sleep(20_000);
  await measure('at rest, as started');
  await app.startAgain();
  await desk.window('^Sightline: ');
  await sleep(5000);
  await measure('with the status window open');
  await desk.closeWindow('^Sightline: ');
  await sleep(5000);
  await measure('after closing it');
  await work(app);
  await sleep(REST_MS);
  await measure(`after ${contacts} contacts in ${minutes} min`);
  const published = await readPublished(app.sinkFolder);
  await say('');
  await say(`${published.length} recordings delivered.`);
} finally {
  await app.quit();
  await app.dispose();
  await painter.stop();
  await desk.stop();
}

async function measure(what: string): Promise<void> {
  const before = await app.usage();
  await sleep(MEASURE_MS);
  const after = await app.usage();
  const cpuMs = ((after.cpuSeconds - before.cpuSeconds) * 1000) / (MEASURE_MS / 1000);
  const processes = [...new Set(after.processes)]
    .map((name) => `${after.processes.filter((one) => one === name).length} ${name}`)
    .join(', ');
  await say(`| ${what} | ${after.memoryMiB.toFixed(0)} | ${cpuMs.toFixed(1)} | ${processes} |`);
}

/** One after the other, each with a suspension, three quarters of the time. */
async function work({ port }: ElectronApp): Promise<void> {
  if (port === null) throw new Error('The services of the app did not start.');
  const page = await connectPage(port);
  const eachMs = (minutes * 60_000) / contacts;
  for (let count = 1; count <= contacts; count += 1) {
    const contact = { contactId: `bench-${count}` };
    await page.ask('contact.start', { ...contact, channel: 'VOICE' });
    await sleep(eachMs * 0.4);
    await page.ask('contact.suspend', { ...contact, reason: 'Card number' });
    await sleep(eachMs * 0.1);
    await page.ask('contact.resume', contact);
    await sleep(eachMs * 0.25);
    await page.ask('contact.stop', contact);
    await sleep(eachMs * 0.25);
  }
  await page.close();
}

async function say(line: string): Promise<void> {
  console.log(line);
  if (values.report !== undefined) await appendFile(values.report, `${line}\n`);
}
