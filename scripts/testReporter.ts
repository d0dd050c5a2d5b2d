// A vitest reporter for scripts/test.ts: writes what each file has cost and how it went to the file that
// SIGHTLINE_TEST_REPORT names.

import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface FileReport {
  readonly project: string;
  readonly file: string;
  /** Import, hooks and tests. */
  readonly seconds: number;
  readonly passed: number;
  /** The names of tests; of the file itself where it could not be loaded. */
  readonly failed: readonly string[];
}

export default class TestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    writeFileSync(process.env.SIGHTLINE_TEST_REPORT ?? '', JSON.stringify(modules.map(reportOf)));
  }
}

function reportOf(module: TestModule): FileReport {
  const tests = [...module.children.allTests()];
  const { collectDuration, duration } = module.diagnostic();
  const failed = tests.filter((test) => test.result().state === 'failed').map((test) => test.fullName);
  return {
    project: module.project.name,
    file: module.relativeModuleId,
    seconds: (collectDuration + duration) / 1000,
    passed: tests.filter((test) => test.result().state === 'passed').length,
    failed: failed.length === 0 && !module.ok() ? ['the file'] : failed,
  };
}
