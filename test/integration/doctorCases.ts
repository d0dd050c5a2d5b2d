// Runs cases of health checks: something is wrong, the check runs, and its evidence and remedy are read.
import { expect, it } from 'vitest';
import type { CheckResult } from '../../main/diagnostics/check.ts';
import { Bench, type DoctorCase, type DoctorStart } from '../rig/doctorCases/bench.ts';

/** Each check in this process. */
export function runCases(cases: readonly DoctorCase[]): void {
  it.each(cases)('$check: $verdict when $when', async (one) => {
    const bench = await Bench.make();
    try {
      const results = await bench.checks([...(one.after ?? []), one.check], await one.arrange(bench));
      expectCase(one, results);
    } finally {
      await bench.stop();
    }
  });
}

/** On each machine several things are wrong, one for each check, and the built program finds them in one run. */
export function runMachines(machines: Readonly<Record<string, readonly DoctorCase[]>>): void {
  it.each(Object.entries(machines))('%s', async (_, cases) => {
    const bench = await Bench.make();
    try {
      const start: Required<DoctorStart> = { flags: [], environment: {}, wrapper: [] };
      for (const { arrange } of cases) {
        const { flags = [], environment = {}, wrapper = [] } = await arrange(bench);
        start.flags = [...start.flags, ...flags];
        start.environment = { ...start.environment, ...environment };
        start.wrapper = [...start.wrapper, ...wrapper];
      }
      const { code, checks } = await bench.doctor(start);
      for (const one of cases) expectCase(one, checks);
      expect(code).toBe(checks.some(({ verdict }) => verdict === 'failed') ? 1 : 0);
    } finally {
      await bench.stop();
    }
  });
}

function expectCase({ check, verdict, evidence, remedy }: DoctorCase, results: readonly CheckResult[]): void {
  expect(results.find(({ name }) => name === check)).toMatchObject({
    verdict,
    evidence: expect.stringMatching(evidence) as string,
    remedy: expect.stringMatching(remedy) as string,
  });
  for (const one of results) {
    expect(one.evidence).not.toBe('');
    // Every problem has a remedy, in a complete sentence.
    if (['warning', 'failed'].includes(one.verdict)) expect(one.remedy).toMatch(/^[A-Z].{20,}\.$/s);
  }
}
