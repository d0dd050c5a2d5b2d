// Four kinds of tests. Unit tests run side by side. Of the others those that measure time or need a processor to
// themselves run one after the other, in the projects named `...-alone`; those that mostly wait run two at a time. The
// project `windows` runs tests of `integration` once more, with the program as a Windows program, and some of its own.

import { defineConfig } from 'vitest/config';
import { whyNoWindows } from './scripts/windows.mjs';

/** Each has its own ports, folders and displays, and changes nothing that another one sees. */
const pairs = {
  ...{ maxWorkers: 2, testTimeout: 90_000, hookTimeout: 60_000 },
  // After the unit tests; what is `alone` comes last (vitest sees to that).
  sequence: { groupOrder: 1 },
};
const alone = { fileParallelism: false, testTimeout: 90_000, hookTimeout: 60_000 };

const files = (kind: string, ...names: string[]) => names.map((name) => `test/${kind}/${name}.test.ts`);
const integrationAlone = files(
  'integration',
  // Their pictures' clocks, holes and gaps are measured.
  ...['clock', 'contact', 'displays', 'lock', 'restart', 'several', 'sequences', 'demo'],
  // What must be over within a second.
  ...['failures', 'kill', 'leak', 'logind'],
  // The rig's own exactness.
  'rig',
);
// The last one writes the machine's policy of Chromium for some seconds, which others start.
const e2eAlone = files('e2e', 'indicator', 'pages', 'browserPolicy');
const onBothSystems = files('integration', 'contact', 'restart', 'clock');

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          // One less unless told, which is one on a machine with two.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: integrationAlone,
          ...pairs,
        },
      },
      { test: { name: 'integration-alone', include: integrationAlone, ...alone } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], exclude: e2eAlone, ...pairs } },
      { test: { name: 'e2e-alone', include: e2eAlone, ...alone } },
      {
        test: {
          name: 'windows',
          // Where it cannot be done one test that is left out says why.
          include:
            whyNoWindows() === null
              ? ['test/windows/*.test.ts', ...onBothSystems]
              : ['test/windows/leftOut.test.ts'],
          exclude: whyNoWindows() === null ? ['test/windows/leftOut.test.ts'] : [],
          ...alone,
          globalSetup: ['test/rig/wineSetup.ts'],
          env: { SIGHTLINE_TEST_HOST: 'windows' },
        },
      },
      // Makes and installs the MSI under Wine: `npm run test:installer`.
      { test: { name: 'installer', include: ['test/installer/**/*.test.ts'], ...alone } },
    ],
  },
});
