// Four kinds of tests. Unit tests run side by side. Of the others those that measure time or need a processor to
// themselves run one after the other, in the projects named `...-alone`; those that mostly wait run a few at a time. The
// project `windows` runs tests of `integration` once more, with the program as a Windows program, and some of its own.

import { defineConfig } from 'vitest/config';
import { whyNoWindows } from './scripts/windows.mjs';

/**
 * A few files at a time: each has its own ports, folders and displays, and changes nothing that another one sees. Groups
 * with a number run in its order, unit tests (0) first; what is alone comes last (vitest sees to that).
 */
const together = (maxWorkers: number, groupOrder: number) => ({
  ...{ maxWorkers, sequence: { groupOrder }, testTimeout: 90_000, hookTimeout: 120_000 },
});
const alone = { fileParallelism: false, testTimeout: 90_000, hookTimeout: 60_000 };

const files = (kind: string, ...names: string[]) => names.map((name) => `test/${kind}/${name}.test.ts`);
const integrationAlone = files(
  'integration',
  // Their pictures' clocks, holes and gaps are measured.
  ...[
    'badInput',
    'clock',
    'clockSteps',
    'contact',
    'demo',
    'displays',
    'failures',
    'lock',
    'restart',
    'room',
    's3Program',
  ],
  ...['sequences', 'several'],
  // They stop processes and slow disks, and have deadlines.
  ...['kill', 'leak', 'faultMatrix'],
  // The rig's own exactness.
  'rig',
);
// One measures clocks, the other writes the machine's policy of Chromium for some seconds, which others start.
const e2eAlone = files('e2e', 'pages', 'browserPolicy');
// They take the machine's connections, descriptors and processors.
const attackAlone = files('attack', 'descriptors', 'floods', 'fuzz', 'handshakes');
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
          // Two thirds of their time they wait.
          ...together(3, 1),
        },
      },
      { test: { name: 'integration-alone', include: integrationAlone, ...alone } },
      {
        test: {
          name: 'attack',
          include: ['test/attack/**/*.test.ts'],
          exclude: attackAlone,
          ...together(2, 2),
        },
      },
      { test: { name: 'attack-alone', include: attackAlone, ...alone } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], exclude: e2eAlone, ...together(2, 2) } },
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
      // Of these, what `npm test` has time for.
      { test: { name: 'installer-quick', include: ['test/installer/quick.test.ts'], ...alone } },
    ],
  },
});
