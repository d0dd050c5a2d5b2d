// Walks the checks that the built program has: each has cases in which it fails and warns there, as far as it can. Whoever
// adds a check, or a first warning to one, adds a case, or says here why this machine is powerless.
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from '../rig/doctorCases/bench.ts';
import { captureCases } from '../rig/doctorCases/capture.ts';
import { cloudCases } from '../rig/doctorCases/cloud.ts';
import { deskCases } from '../rig/doctorCases/desk.ts';
import { networks } from '../rig/doctorCases/network.ts';
import { policyCases } from '../rig/doctorCases/policy.ts';

const folder = fileURLToPath(new URL('../../main/diagnostics/', import.meta.url));
/** What no case can bring about, and why. */
const powerless: Readonly<Record<string, string>> = {
  'sink folder warning':
    'it shares its file with the bucket: a folder can be written to or not, there is no middle',
  'network allowlist': 'it is what to allow for names that cannot be tried: always skipped',
};
const cases = [...deskCases, ...captureCases, ...cloudCases, ...policyCases];
const covered = new Set([
  ...cases.map(({ check, verdict }) => `${check} ${verdict}`),
  ...networks.flatMap((network) => network.cases.map(({ step }) => `network ${step}`)),
]);

let bench: Bench;
let names: string[];

beforeAll(async () => {
  bench = await Bench.make();
  // With a bucket and with a folder: the sink's check has two names.
  const [folder, bucket] = [
    await bench.doctor({}),
    await bench.doctor({
      flags: ['--sink', 's3', '--s3-bucket', 'any', '--s3-endpoint', 'http://127.0.0.1:9', '--s3-path-style'],
    }),
  ];
  names = [...new Set([...folder.checks, ...bucket.checks].map(({ name }) => name))];
});
afterAll(() => bench.stop());

/** By the check's name what its file can say beside "ok". */
async function verdictsByName(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const file of await readdir(`${folder}checks`)) {
    const source = await readFile(`${folder}checks/${file}`, 'utf8');
    const verdicts = ['failed', 'warning'].filter((verdict) => new RegExp(`\\b${verdict}\\(`).test(source));
    for (const [, name = ''] of source.matchAll(/\bname: '([^']+)',\s+run\b/g)) found.set(name, verdicts);
  }
  return found;
}

describe('every check of `sightline doctor`', () => {
  it('has a case for each verdict that its file can give', async () => {
    const verdicts = await verdictsByName();
    // The one line without an instance; the network's steps have a walk of their own.
    const own = names.filter((name) => name !== 'network');
    expect(own.length).toBeGreaterThanOrEqual(17);
    expect(own.filter((name) => !verdicts.has(name))).toEqual([]);
    const wanted = own.flatMap((name) => verdicts.get(name)!.map((verdict) => `${name} ${verdict}`));
    expect(wanted.filter((one) => !covered.has(one) && !(one in powerless))).toEqual([]);
  });

  it('and every step of the network has one', async () => {
    const source = await readFile(`${folder}network/attempt.ts`, 'utf8');
    const steps = [...source.matchAll(/\bname: '(\w+)',\s+run:/g)].map(([, step = '']) => `network ${step}`);
    expect(new Set(steps).size).toBeGreaterThanOrEqual(6);
    expect([...steps, 'network region'].filter((step) => !covered.has(step) && !(step in powerless))).toEqual(
      [],
    );
  });

  it('and no case is of a check that is not there', () => {
    expect(cases.map(({ check }) => check).filter((check) => !names.includes(check))).toEqual([]);
  });

  it('and nobody is called powerless who is not', () => {
    expect(Object.keys(powerless).filter((one) => covered.has(one))).toEqual([]);
  });
});
