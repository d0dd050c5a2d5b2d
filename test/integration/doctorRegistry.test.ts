// Every check that the program has fails and warns in some case, or it is written here why it never does.
import { expect, it } from 'vitest';
import { networkSteps } from '../../main/diagnostics/network/types.ts';
import { Bench } from '../rig/doctorCases/bench.ts';
import { captureCases } from '../rig/doctorCases/capture.ts';
import { cloudCases } from '../rig/doctorCases/cloud.ts';
import { deskCases } from '../rig/doctorCases/desk.ts';
import { networks } from '../rig/doctorCases/network.ts';
import { policyCases } from '../rig/doctorCases/policy.ts';

const never: Readonly<Record<string, string>> = {
  'port warning': 'the port is free, ours or in use',
  'single instance failed': 'a second instance does not start',
  'refused pages failed': 'refusing a page is right',
  'sink folder warning': 'it is writable or not',
  'status events warning': 'they are writable or not',
  'proxy warning': 'in the app only, where "caFile" has no effect',
};
const cases = [...deskCases, ...captureCases, ...cloudCases, ...policyCases];
const covered = new Set(cases.map(({ check, verdict }) => `${check} ${verdict}`));

it('every check has a case that fails and one that warns, and every case has its check', async () => {
  const bench = await Bench.make();
  // With a folder and with a bucket, because the check of the sink has two names.
  const names = new Set([...bench.names(), ...bench.names('--sink', 's3', '--s3-bucket', 'any')]);
  await bench.stop();
  expect(names.size).toBeGreaterThanOrEqual(20);
  const wanted = [...names].flatMap((name) => [`${name} failed`, `${name} warning`]);
  expect(wanted.filter((one) => !covered.has(one)).sort()).toEqual(Object.keys(never).sort());
  expect(cases.filter(({ check }) => !names.has(check))).toEqual([]);
});

it('every step of the network has a case', () => {
  const steps = new Set(networks.flatMap((network) => network.cases.map(({ step }) => step)));
  // Hosts whose names are not known: always skipped.
  expect([...steps, 'allowlist'].sort()).toEqual([...networkSteps].sort());
});
