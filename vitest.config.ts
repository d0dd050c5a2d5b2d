// Four kinds of tests. Unit tests may run side by side; the others use the whole machine (a display, ffmpeg, a
// browser) and run one after the other, so that none of them slows down what another one measures. The project
// `windows` runs tests of `integration` once more, with the program as a Windows program, and some of its own.

import { defineConfig } from 'vitest/config';
import { whyNoWindows } from './scripts/windows.mjs';

const alone = { fileParallelism: false, testTimeout: 90_000, hookTimeout: 60_000 };
const onBothSystems = ['contact', 'restart', 'clock'].map((name) => `test/integration/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...alone } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...alone } },
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
      // Of these, what `npm test` has time for.
      { test: { name: 'installer-quick', include: ['test/installer/quick.test.ts'], ...alone } },
    ],
  },
});
