// The network's checks on the built program, in networks that break what they can.
import { expect, it } from 'vitest';
import { Bench } from '../rig/doctorCases/bench.ts';
import { networks } from '../rig/doctorCases/network.ts';

it.each(networks)('$name', async ({ cases, arrange }) => {
  const bench = await Bench.make();
  try {
    const { checks, code } = await bench.doctor(await arrange(bench));
    expect(code).toBe(checks.some(({ verdict }) => verdict === 'failed') ? 1 : 0);
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
