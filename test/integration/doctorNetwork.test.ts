// The network's checks in networks that break what they can: on the built program where a module has to be loaded first, in
// this process where names need not exist.
import { expect, it } from 'vitest';
import type { NetworkCheck } from '../../main/diagnostics/network/types.ts';
import { checkInstance, systemPorts } from '../../main/diagnostics/network/checkNetwork.ts';
import { Bench, type DoctorStart } from '../rig/doctorCases/bench.ts';
import { networks } from '../rig/doctorCases/network.ts';

it.each(networks)('$name', async ({ cases, arrange, inProcess }) => {
  const bench = await Bench.make();
  try {
    const start = await arrange(bench);
    const checks = inProcess ? await checkHere(start) : await checkWithProgram(bench, start);
    for (const { step, host, verdict, evidence, remedy } of cases) {
      const found = checks.find(
        ({ name }) => name.startsWith(`network ${host}`) && name.endsWith(` ${step}`),
      );
      expect({ step, host, ...found }).toMatchObject({
        verdict,
        evidence: expect.stringMatching(evidence) as string,
        remedy: expect.stringMatching(remedy) as string,
      });
    }
  } finally {
    await bench.stop();
  }
});

async function checkWithProgram(bench: Bench, start: DoctorStart): Promise<readonly NetworkCheck[]> {
  const { checks, code } = await bench.doctor(start);
  expect(code).toBe(checks.some(({ verdict }) => verdict === 'failed') ? 1 : 0);
  return checks;
}

function checkHere({ flags = [], environment = {} }: DoctorStart): Promise<NetworkCheck[]> {
  const flag = (name: string): string | null =>
    flags.includes(name) ? (flags[flags.indexOf(name) + 1] ?? null) : null;
  return checkInstance(
    { alias: flag('--instance'), region: flag('--region'), endpointList: flag('--endpoint-list') },
    {
      ...systemPorts(environment),
      resolve: (host) => Promise.reject(Object.assign(new Error(host), { code: 'ENOTFOUND' })),
    },
  );
}
