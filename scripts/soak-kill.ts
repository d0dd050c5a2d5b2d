// `npm run soak:kill -- --kills N --seed S`: contacts whose recorder, ffmpeg or power goes at a random moment, and a look
// at what the next start makes of it. Prints a report (and writes it with --report FILE.md); exits with 1 when anything
// was lost, doubled, half or left over. What went wrong is kept where the complaint says.

import { writeFileSync } from 'node:fs';
import { quantile, soakOptions, table } from '../test/soak/common.ts';
import { soakKill } from '../test/soak/kill.ts';
import type { KillResult } from '../test/soak/killResult.ts';

const options = soakOptions({ kills: 500, seed: 1, report: '' });
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
const began = performance.now();
const result = await soakKill({
  kills: options.kills,
  seed: options.seed,
  signal: interrupted.signal,
  onProgress: (line) =>
    process.stderr.write(`${((performance.now() - began) / 60_000).toFixed(1)} min: ${line}\n`),
});
const text = report(result);
console.log(text);
if (options.report !== '') writeFileSync(options.report, `${text}\n`);
process.exit(result.complaints.length === 0 ? 0 : 1);

function report({ kills, published, lostWhole, lostMs, complaints }: KillResult): string {
  const ms = (share: number): string => `${quantile(lostMs, share)} ms`;
  return [
    '# No loss: the soak',
    '',
    `\`npm run soak:kill -- --kills ${options.kills} --seed ${options.seed}\``,
    '',
    'In each cycle one or two contacts are recorded, some with a suspension, until something is killed at a random moment.',
    'The sink is a folder, or a strict stand-in for S3. A power cut is simulated: at a random fsync every file of the data',
    'folder is cut to what had been synced of it, and the process is gone. In a long upload the recorder finds a recording of',
    '9 to 31 MB in its spool and is killed up to three times while it sends the parts. In more than half of the cycles it is one',
    'system call, any one that changes a file: the recorder is killed right before or after it ("killed at"), or it fails once',
    'with EIO or ENOSPC ("fails") before the recorder is killed or gets SIGTERM. Then the recorder is started again.',
    'Every contact whose start was acknowledged must be published once, with the start that was acknowledged (and the end,',
    'where that was), decode without an error, show the right time, and lack at most a second before the kill (unless a call',
    'failed, after which capture comes back when it can). Each must be announced as INITIATED, COMPLETED and PUBLISHED; nothing',
    'may be left in the spool, half in the folder, or doubled, open or wrong in S3. A contact that began within the last',
    'second before a power cut may be lost as a whole: then it must be announced as FAILED.',
    '',
    table([
      ['what', 'seen'],
      ['kills', [...kills.values()].reduce((sum, count) => sum + count, 0)],
      ['recordings published', published],
      ['began within the last second before a power cut, announced as FAILED', lostWhole],
      ['**complaints**', `**${complaints.length}**`],
      ['missing before the kill p50, p99, most', `${ms(0.5)}, ${ms(0.99)}, ${ms(1)}`],
    ]),
    '',
    table([['killed, sink', 'cycles'], ...[...kills].sort()]),
  ].join('\n');
}
