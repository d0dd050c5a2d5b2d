// `npm run bench:idle`: what the recorder without windows costs while nothing happens, and while it records a screen that
// rests. Prints a table (Markdown) and, as its last line, the same as JSON. Linux only: it reads /proc. Options: --seconds N
// for each row.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machine } from '../test/bench/machine.ts';
import { startDisplay } from '../test/rig/display.ts';
import { startRecorder } from '../test/rig/recorder.ts';
import { wakeUsage } from '../test/rig/usage.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } });
const seconds = Number(values.seconds);
/** By then V8 has given back what starting needed. */
const SETTLE_MS = 25_000;

interface Row extends Readonly<Record<'percentOfCore' | 'wakeUpsPerSecond' | 'residentMiB', number>> {
  readonly what: string;
}

const display = await startDisplay({ width: 1920, height: 1080 });
const home = await mkdtemp(join(tmpdir(), 'sightline-idle-'));
const recorder = await startRecorder({ display: display.display, home });
const rows: Row[] = [];
try {
  await sleep(SETTLE_MS);
  await weigh('idle, no page', recorder.pid);
  const page = await recorder.connect();
  await sleep(2000);
  await weigh('idle, one page', recorder.pid);
  const contact = { contactId: 'idle', channel: 'VOICE' };
  await page.ask('contact.start', contact);
  await sleep(5000);
  await weigh('recording a still screen: Node', recorder.pid);
  const children = await readFile(`/proc/${recorder.pid}/task/${recorder.pid}/children`, 'utf8');
  await weigh('recording a still screen: ffmpeg', Number(children.trim().split(' ')[0]));
  await page.ask('contact.stop', { contactId: 'idle' });
  await page.event('idle', 'PUBLISHED');
  for (let count = 0; count < 10; count += 1) {
    const contactId = `more-${count}`;
    await page.ask('contact.start', { ...contact, contactId });
    await sleep(500);
    await page.ask('contact.stop', { contactId });
    await page.event(contactId, 'PUBLISHED');
  }
  await sleep(SETTLE_MS);
  await weigh('idle after eleven recordings', recorder.pid);
} finally {
  await recorder.stop();
  await display.stop();
  await rm(home, { recursive: true, force: true });
}
console.log(`Machine: ${machine()}. 1920x1080, ${seconds} s a row.\n`);
console.log('| what | % of a core | wake-ups a second | resident MiB |\n| --- | ---: | ---: | ---: |');
for (const { what, percentOfCore, wakeUpsPerSecond, residentMiB } of rows)
  console.log(
    `| ${what} | ${percentOfCore.toFixed(2)} | ${wakeUpsPerSecond.toFixed(1)} | ${residentMiB.toFixed(1)} |`,
  );
console.log(JSON.stringify({ machine: machine(), seconds, rows }));

async function weigh(what: string, pid: number): Promise<void> {
  const before = await wakeUsage(pid);
  await sleep(seconds * 1000);
  const after = await wakeUsage(pid);
  const resident = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  rows.push({
    what,
    percentOfCore: ((after.cpuNs - before.cpuNs) / (seconds * 1e9)) * 100,
    wakeUpsPerSecond: (after.waits - before.waits) / seconds,
    residentMiB: Number(resident?.[1]) / 1024,
  });
}
