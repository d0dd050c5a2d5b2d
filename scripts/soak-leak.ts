// `npm run soak:leak -- --cycles N --seed S`: cycles of suspend and resume with everything going wrong around them, and
// a look at every pixel that was written. Prints a report (and writes it with --report FILE.md); exits with 1 when a
// single sensitive picture was found anywhere. What went wrong is kept in a folder that it names.

import { writeFileSync } from 'node:fs';
import { quantile, soakOptions, table } from '../test/soak/common.ts';
import { soakLeak, type LeakResult } from '../test/soak/leak.ts';

const CYCLES_PER_ROUND = 20;

const options = soakOptions({ cycles: 1000, seed: 1, report: '' });
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
const began = performance.now();
const result = await soakLeak({
  cycles: options.cycles,
  cyclesPerRound: CYCLES_PER_ROUND,
  seed: options.seed,
  signal: interrupted.signal,
  onProgress: (line) =>
    process.stderr.write(`${((performance.now() - began) / 60_000).toFixed(1)} min: ${line}\n`),
});
const text = report(result);
console.log(text);
if (options.report !== '') writeFileSync(options.report, `${text}\n`);
for (const complaint of result.complaints) process.stderr.write(`${complaint}\n`);
if (result.evidence !== null) process.stderr.write(`The evidence is in ${result.evidence}\n`);
process.exit(result.complaints.length === 0 ? 0 : 1);

function report(found: LeakResult): string {
  const ms = (share: number): string => `${quantile(found.acknowledgedMs, share)} ms`;
  return [
    '# No leak: the soak',
    '',
    `\`npm run soak:leak -- --cycles ${options.cycles} --seed ${options.seed}\``,
    '',
    'In each cycle a contact on two monitors is recorded for 0.1 to 0.7 s and suspended. In half of the cycles a picture',
    'that must never be recorded is put on the screen after the acknowledgement; in the others right after the request',
    'was sent, without waiting. It carries the time at which it was painted. Nothing that was painted 1 ms or more after the',
    'receipt of the request may be found in any frame of an MP4 or of a file in the spool, looked at when the suspend',
    'was acknowledged and again before the resume; nor may any other file be written, nor any text file hold a picture.',
    '',
    table([
      ['what', 'seen'],
      ['cycles', found.cycles],
      ['recordings', found.rounds],
      [
        'sensitive pictures on the screen before the acknowledgement, after the receipt',
        found.beforeAcknowledgement,
      ],
      ['frames judged', found.framesJudged],
      ['files of the spool judged', found.spoolFilesJudged],
      ['files searched', found.filesSearched],
      ['**leaks and other complaints**', `**${found.complaints.length}**`],
      ['request to acknowledgement p50, p99, max', `${ms(0.5)}, ${ms(0.99)}, ${ms(1)}`],
      ['largest error of the clock (limit 200 ms)', `${found.maxClockErrorMs.toFixed(0)} ms`],
    ]),
    '',
    table([['fault around the suspend', 'cycles'], ...[...found.faults].sort()]),
    ...(found.hasSlowDisk ? [] : ['', 'There was no slow disk: that takes root, mkfs.ext4 and fsfreeze.']),
  ].join('\n');
}
