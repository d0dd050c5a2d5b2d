// `npm run fuzz -- --seconds N --seed S`: random http and websocket traffic on the port of a Sightline that records, and a
// look at what it did to the recording. Prints a report (and writes it with --report FILE.md); exits with 1 when anything
// was wrong. The same seed sends the same.

import { writeFileSync } from 'node:fs';
import { quantile, soakOptions, table } from '../test/soak/common.ts';
import { soakFuzz, type FuzzResult } from '../test/soak/fuzz.ts';

const options = soakOptions({ seconds: 60, seed: 1, report: '' });
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
const result = await soakFuzz({
  seconds: options.seconds,
  seed: options.seed,
  signal: interrupted.signal,
  onProgress: (line) => process.stderr.write(`${line}\n`),
});
const text = report(result);
console.log(text);
if (options.report !== '') writeFileSync(options.report, `${text}\n`);
for (const complaint of result.complaints) process.stderr.write(`${complaint}\n`);
process.exit(result.complaints.length === 0 ? 0 : 1);

function report({
  attacks,
  answeredMs,
  frames,
  codes,
  clockMaxMs,
  memoryMiB,
  complaints,
}: FuzzResult): string {
  const ms = (share: number): string => `${quantile(answeredMs, share)} ms`;
  const { before, after, peak } = memoryMiB;
  return [
    '# Fuzzing the port',
    '',
    `\`npm run fuzz -- --seconds ${options.seconds} --seed ${options.seed}\``,
    '',
    table([
      ['what', 'seen'],
      ...attacks,
      ['honest pings and health requests', answeredMs.length],
      ['answered after p50, p99, max', `${ms(0.5)}, ${ms(0.99)}, ${ms(1)}`],
      ['frames of the honest MP4, and those whose time could be read', `${frames}, ${codes}`],
      ['largest error of its clock (limit 200 ms)', `${clockMaxMs.toFixed(0)} ms`],
      ['memory before, after, peak', `${before.toFixed(0)}, ${after.toFixed(0)}, ${peak.toFixed(0)} MiB`],
      ['**complaints**', `**${complaints.length}**`],
    ]),
  ].join('\n');
}
