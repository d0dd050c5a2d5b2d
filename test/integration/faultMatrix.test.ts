// The disk fails at one call, or another program fills it: some cells of the fault matrix (npm run soak:faults has all).
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diskCalls, whyNoFaults, withFaults, type FaultRule } from '../rig/faultShim.ts';
import { run } from '../rig/process.ts';
import { Dice } from '../soak/common.ts';
import { cellName, type Cell } from '../soak/faultCells.ts';
import { faultMatrix } from '../soak/faultMatrix.ts';
import { whyNoSmallDisk } from '../soak/smallDisk.ts';

/** What broke a guarantee once. */
const known = [
  'header, sync: EIO once, goes on',
  'contact.started, write: EIO once, SIGKILL',
  'run.live, write: EIO once, SIGKILL',
  'contact.recording, write: EIO once, SIGKILL',
  'contact.suspended, write: EIO once, SIGKILL',
  'contact.suspended, sync: EIO until released, SIGTERM',
  'contact.suspended, write: SHORT-ENOSPC until released, SIGKILL',
  'contact.suspended, write: EIO all until released, goes on',
  'contact.stopped, write: ENOSPC until released, SIGKILL',
];
const knownOfDisks = [
  'full disk before the start: ENOSPC until released, goes on',
  'full disk before the suspend: ENOSPC until released, SIGTERM',
  'full disk before the suspend: ENOSPC until released, SIGKILL',
];
const MORE = 4;
const noFaults = whyNoFaults();
const skipped = noFaults === null ? '' : ` (SKIPPED: ${noFaults})`;

it.skipIf(noFaults !== null)(
  `a call that fails, or a full disk: nothing is leaked, nothing that was promised is lost${skipped}`,
  async () => {
    const noDisk = whyNoSmallDisk();
    if (noDisk !== null) console.log(`SKIPPED: full disks: ${noDisk}`);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const wanted = [...known, ...(noDisk === null ? knownOfDisks : [])];
    const choose = (cells: readonly Cell[]): Cell[] => {
      const first = wanted.map((words) => {
        const cell = cells.find((one) => cellName(one).endsWith(words));
        if (cell === undefined) throw new Error(`No cell is called ${words}.`);
        return cell;
      });
      const rest = cells.filter((cell) => !first.includes(cell));
      return [...first, ...new Dice(seed).shuffle(rest).slice(0, MORE)];
    };
    const results = await faultMatrix({ choose, parallel: 2 });
    for (const { verdict, name, tookMs } of results)
      console.log(`${verdict}, ${(tookMs / 1000).toFixed(1)} s: ${name}`);
    const failed = results.filter(({ verdict }) => verdict === 'FAILS');
    expect(
      failed.map(({ name, complaints, home }) => ({ name, complaints, home })),
      `seed ${seed}`,
    ).toEqual([]);
    // A call of the dry run may not come again, but for the known ones.
    expect(results.filter(({ verdict }) => verdict === 'holds').length).toBeGreaterThanOrEqual(wanted.length);
  },
  400_000,
);

it.skipIf(noFaults !== null)(
  `the shim: a program meets the faults it is to meet, there and nowhere else${skipped}`,
  async () => {
    const home = await realpath(await mkdtemp(join(tmpdir(), 'sightline-shim-')));
    try {
      const [log, release] = [join(home, 'log'), join(home, 'release')];
      const meet = async (script: string, ...rules: FaultRule[]): Promise<string> => {
        await rm(log, { force: true });
        const [command = '', ...words] = await withFaults(join(home, 'data'), log, rules);
        const prelude = `import * as fs from 'node:fs'; import { execFileSync } from 'node:child_process';
          const tried = (act) => { try { return act() ?? 'ok' } catch (error) { return error.code } };
          const file = ${JSON.stringify(join(home, 'data', 'file'))};
          fs.mkdirSync(${JSON.stringify(join(home, 'data'))}, { recursive: true });`;
        const program = `${prelude}\nconsole.log(JSON.stringify([${script}]))`;
        const { stdout, signal } = await run(command, [
          ...words,
          ...[process.execPath, '--input-type=module', '-e', program],
        ]);
        return stdout.toString().trim() || String(signal);
      };
      const write = `tried(() => { fs.writeFileSync(file, 'four') })`;
      const rule = { kinds: ['write'], pattern: 'file', nth: 2, fault: 'EIO', until: 1 } as const;
      expect(await meet([write, write, write].join(), rule)).toBe('["ok","EIO","ok"]');
      expect((await diskCalls(log)).filter(({ kind }) => kind === 'write')).toEqual(
        [null, 'EIO', null].map((fault) => ({ kind: 'write', path: 'file', bytes: 4, fault })),
      );
      const untilReleased = { ...rule, nth: 1, fault: 'ENOSPC', until: release } as const;
      const lift = `tried(() => { fs.writeFileSync(${JSON.stringify(release)}, '') })`;
      expect(await meet([write, write, lift, write].join(), untilReleased)).toBe(
        '["ENOSPC","ENOSPC","ok","ok"]',
      );
      const half = { ...rule, nth: 1, fault: 'SHORT-ENOSPC' } as const;
      expect(await meet(`${write}, fs.readFileSync(file, 'utf8')`, half)).toBe('["ENOSPC","fo"]');
      await writeFile(join(home, 'data', 'file'), 'old');
      const before = { ...rule, kinds: 'any', nth: 1, fault: 'KILL-BEFORE' } as const;
      expect(
        await meet(`tried(() => fs.renameSync(file, file + '2'))`, {
          ...before,
          kinds: ['rename'],
          pattern: '*',
        }),
      ).toBe('SIGKILL');
      expect(await readFile(join(home, 'data', 'file'), 'utf8')).toBe('old');
      const after = { ...before, kinds: ['rename'], pattern: '*', fault: 'KILL-AFTER' } as const;
      expect(await meet(`tried(() => fs.renameSync(file, file + '2'))`, after)).toBe('SIGKILL');
      expect(await readFile(join(home, 'data', 'file2'), 'utf8')).toBe('old');
      // Its children write as they like.
      const all = { ...rule, kinds: 'any', pattern: '*', nth: 1, until: 1000 } as const;
      const child = `tried(() => execFileSync('sh', ['-c', 'echo child > ' + file]).toString())`;
      expect(await meet(`${child}, ${write}`, { ...all, kinds: ['write', 'open'] })).toBe('["","EIO"]');
      expect(await readFile(join(home, 'data', 'file'), 'utf8')).toBe('child\n');
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  },
);
