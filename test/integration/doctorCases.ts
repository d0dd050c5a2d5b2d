// Runs cases of `sightline doctor`: something is wrong, the program is run, and its evidence and remedy are read.
import { expect, it } from 'vitest';
import { Bench, type DoctorCase } from '../rig/doctorCases/bench.ts';

export function runCases(cases: readonly DoctorCase[]): void {
  it.each(cases)('$check: $verdict when $when', async ({ check, verdict, evidence, remedy, arrange }) => {
    const bench = await Bench.make();
    try {
      const { code, checks } = await bench.doctor(await arrange(bench));
      const found = checks.find(({ name }) => name === check);
      expect(found).toMatchObject({
        verdict,
        evidence: expect.stringMatching(evidence) as string,
        remedy: expect.stringMatching(remedy) as string,
      });
      expect(code).toBe(checks.some((one) => one.verdict === 'failed') ? 1 : 0);
      for (const one of checks) {
        expect(one.evidence).not.toBe('');
        // Whoever reads of a problem is told what to do, in a whole sentence.
        if (['warning', 'failed'].includes(one.verdict)) expect(one.remedy).toMatch(/^[A-Z].{20,}\.$/s);
      }
    } finally {
      await bench.stop();
    }
  });
}
