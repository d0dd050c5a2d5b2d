// `npm run bench:metrics`: what metrics (policy "otlpEndpoint") cost at the start and in memory. Starts the recorder several times
// without and with a collector on the loopback, in turn, and prints the medians. Linux only: it reads /proc.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDisplay } from '../test/rig/display.ts';
import { startRecorder } from '../test/rig/recorder.ts';

const ROUNDS = 7;
/** The SDK is loaded after the services. */
const SETTLED_MS = 3000;

interface Figures {
  readonly readyMs: number;
  readonly residentMiB: number;
}

const collector = createServer((request, response) => {
  request.resume().on('end', () => response.end());
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
const display = await startDisplay();
const found: Record<'without' | 'with', Figures[]> = { without: [], with: [] };
try {
  for (let round = 0; round < ROUNDS; round += 1) {
    found.without.push(await measure([]));
    found.with.push(await measure(['--otlp-endpoint', endpoint]));
  }
} finally {
  await display.stop();
  collector.closeAllConnections();
  collector.close();
}
for (const [how, figures] of Object.entries(found))
  console.log(
    `${how.padEnd(8)} ready after ${median(figures.map((one) => one.readyMs)).toFixed(0)} ms, ` +
      `${median(figures.map((one) => one.residentMiB)).toFixed(1)} MiB resident (medians of ${ROUNDS})`,
  );

async function measure(flags: readonly string[]): Promise<Figures> {
  const startedAt = performance.now();
  const recorder = await startRecorder({ display: display.display, flags });
  const readyMs = performance.now() - startedAt;
  await sleep(SETTLED_MS);
  const status = await readFile(`/proc/${recorder.pid}/status`, 'utf8');
  await recorder.stop();
  return { readyMs, residentMiB: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024 };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}
