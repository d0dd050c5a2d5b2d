// `npm run soak:faults -- [--seed S] [--only 'WORDS + WORDS'] [--cells N] [--parallel P] [--release MS]`: the fault matrix.
// Every line of the journal and the other calls of the data folder x how they fail x for how long x how the process ends;
// all cells, or those whose name has the words, or N that the seed chooses. Prints a table (and writes it with --report
// FILE.md); exits with 1 when a cell fails. What went wrong is kept where the complaint says.

import { writeFileSync } from 'node:fs';
import { Dice, soakOptions, table } from '../test/soak/common.ts';
import { cellName, type Cell } from '../test/soak/faultCells.ts';
import { faultMatrix, type CellResult } from '../test/soak/faultMatrix.ts';
import { whyNoSmallDisk } from '../test/soak/smallDisk.ts';

const options = soakOptions({ seed: 1, only: '', cells: 0, parallel: 2, release: 0, report: '' });
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
const began = performance.now();
let known = 0;
const results = await faultMatrix({
  choose,
  parallel: options.parallel,
  ...(options.release === 0 ? {} : { releasedAfterMs: options.release }),
  signal: interrupted.signal,
  onResult: ({ verdict, name, tookMs, complaints, refusals, home }, done, all) => {
    const minutes = ((performance.now() - began) / 60_000).toFixed(1);
    const seconds = (tookMs / 1000).toFixed(1);
    process.stderr.write(`${minutes} min, ${done} of ${all}: ${verdict}, ${seconds} s: ${name}\n`);
    if (refusals.length > 0) process.stderr.write(`  refused: ${refusals.join(', ')}\n`);
    for (const complaint of complaints) process.stderr.write(`  ${complaint}\n`);
    if (home !== null) process.stderr.write(`  see ${home}\n`);
  },
});
const text = report();
console.log(text);
if (options.report !== '') writeFileSync(options.report, `${text}\n`);
process.exit(results.some(({ verdict }) => verdict === 'FAILS') ? 1 : 0);

function choose(cells: readonly Cell[]): readonly Cell[] {
  known = cells.length;
  const words = options.only.split('+').map((word) => word.trim());
  const named = cells.filter((cell) => words.every((word) => cellName(cell).includes(word)));
  const shuffled = new Dice(options.seed).shuffle(named);
  return options.cells === 0 ? named : shuffled.slice(0, options.cells);
}

function report(): string {
  const count = (of: readonly CellResult[], verdict: CellResult['verdict']): number =>
    of.filter((one) => one.verdict === verdict).length;
  const places = new Map<string, CellResult[]>();
  for (const result of results) {
    const { target } = result.cell;
    const place = target.kind === 'call' ? `${target.name}, ${target.call}` : target.name;
    places.set(place, [...(places.get(place) ?? []), result]);
  }
  const faults = [...new Set(results.map(({ cell }) => `${cell.fault} ${cell.lasting}`))].sort();
  const verdictOf = (of: readonly CellResult[], fault: string): string =>
    of
      .filter(({ cell }) => `${cell.fault} ${cell.lasting}` === fault)
      .sort((a, b) => a.cell.ending.localeCompare(b.cell.ending))
      .map(({ cell, verdict }) => (verdict === 'holds' ? 'ok' : `${verdict} (${cell.ending})`))
      .join('; ');
  return [
    '# Disk faults: the matrix',
    '',
    `\`npm run soak:faults -- --seed ${options.seed}${options.only === '' ? '' : ` --only '${options.only}'`}${
      options.cells === 0 ? '' : ` --cells ${options.cells}`
    }\``,
    '',
    'One story with two contacts: start, suspend, resume, start of the second, stop of the first, suspend and stop of the',
    'second. In each cell one call of the data folder fails, once or until it is released 1.5 s later (or after the process',
    'has gone), or nothing there can be changed any more until then ("all"); and the process goes on, gets SIGTERM, or',
    'SIGKILL as soon as the request under way is answered. Then it is started again and the page says hello. A sensitive',
    'picture is on the screen while a suspension holds. Lines of the journal are named after a run without faults.',
    '',
    table([
      ['what', 'seen'],
      ['cells there are', known],
      ['cells tried', results.length],
      ['hold', count(results, 'holds')],
      ['**fail**', `**${count(results, 'FAILS')}**`],
      ['whose call did not come', count(results, 'not met')],
      [
        'with a leak',
        results.filter(({ complaints }) => complaints.some((one) => one.startsWith('LEAK'))).length,
      ],
      [
        'with a loss',
        results.filter(({ complaints }) => complaints.some((one) => one.startsWith('LOST'))).length,
      ],
      ['answers with an error', results.reduce((sum, { refusals }) => sum + refusals.length, 0)],
    ]),
    '',
    table([
      ['call', ...faults],
      ...[...places].map(([name, of]) => [name, ...faults.map((one) => verdictOf(of, one))]),
    ]),
    ...(whyNoSmallDisk() === null ? [] : ['', `No full disks: ${whyNoSmallDisk()}.`]),
  ].join('\n');
}
