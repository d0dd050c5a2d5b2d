// A vitest reporter for scripts/test.ts: writes what each file has cost and how it went to the file that
// SIGHTLINE_TEST_REPORT names.

import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

const REASON_LINES = 30;
const REASON_WIDTH = 300;

export interface FileReport {
  readonly project: string;
  readonly file: string;
  /** Import, hooks and tests. */
  readonly seconds: number;
  readonly passed: number;
  readonly failed: readonly FailedTest[];
}

export interface FailedTest {
  /** Of the file itself where it could not be loaded. */
  readonly name: string;
  /** The first lines of what vitest says. */
  readonly reason: string;
}

export default class TestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    writeFileSync(process.env.SIGHTLINE_TEST_REPORT ?? '', JSON.stringify(modules.map(reportOf)));
  }
}

function reportOf(module: TestModule): FileReport {
  const tests = [...module.children.allTests()];
  const { collectDuration, duration } = module.diagnostic();
  const failed = tests
    .filter((test) => test.result().state === 'failed')
    .map((test) => ({ name: test.fullName, reason: reasonOf(test.result().errors) }));
  return {
    project: module.project.name,
    file: module.relativeModuleId,
    seconds: (collectDuration + duration) / 1000,
    passed: tests.filter((test) => test.result().state === 'passed').length,
    failed:
      failed.length === 0 && !module.ok()
        ? [{ name: 'the file', reason: reasonOf(module.errors()) }]
        : failed,
  };
}

/** Where it happened, too: the place in a test file tells which of several equal assertions failed. */
function reasonOf(errors: readonly SerializedError[] | undefined): string {
  return (errors ?? [])
    .map(({ message, diff, stacks }) => {
      const at = stacks?.find(({ file }) => file.includes('/test/'));
      const place = at === undefined ? [] : [`at ${at.file.slice(at.file.indexOf('/test/') + 1)}:${at.line}`];
      return [message, ...place, ...(typeof diff === 'string' ? [diff] : [])].join('\n');
    })
    .join('\n')
    .split('\n')
    .slice(0, REASON_LINES)
    .map((line) => line.slice(0, REASON_WIDTH))
    .join('\n');
}
