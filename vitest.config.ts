// The tests as vitest projects. `npm test` (scripts/test.ts) runs `clocks` with `unit` at a lower priority, then `beside` with
// `windows`, then `alone`. `vitest run <file>`
// runs a file in each of its projects.

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { whyNoWindows } from './scripts/windows.mjs';

const files = (kind: string, ...names: string[]) => names.map((name) => `test/${kind}/${name}.test.ts`);

/** Clocks, gaps and deadlines of frames are measured. A few may run side by side, nothing else at their priority. */
const clocks = [
  ...files('integration', 'badInput', 'changedFrames', 'clock', 'clockSteps', 'contact', 'demo', 'failures'),
  ...files('integration', 'faultMatrix', 'idle', 'kill', 'leak', 'lock', 'restart', 'rig', 's3Program'),
  ...files('integration', 'sequences', 'several', 'spoolQuota'),
  ...files('e2e', 'pages'),
];
/** They take all connections or descriptors, or most of the processor (three large monitors), or need it for themselves. */
const alone = [
  ...files('attack', 'descriptors', 'floods', 'fuzz', 'handshakes'),
  ...files('integration', 'displays'),
  // Limits of 100 and 200 ms for what a reviewer sees and hears.
  ...files('review', 'player'),
];
const windows = whyNoWindows() === null;
const longOnWindows = [
  ...files('integration', 'blackScreen', 'clock', 'restart'),
  ...files('windows', 'places'),
];

/** The default, 1 s, is too short on a busy machine; a test that measures a time states its own. Projects do not inherit it. */
const polling = { expect: { poll: { timeout: 10_000 } } };
/** Groups run one after the other, in the order of their numbers; each file has its own ports, folders and displays. */
const group = (groupOrder: number, maxWorkers: number) => ({
  ...{ maxWorkers, sequence: { groupOrder }, testTimeout: 180_000, hookTimeout: 180_000, ...polling },
});
const onWindows = { globalSetup: ['test/rig/wineSetup.ts'], env: { SIGHTLINE_TEST_HOST: 'windows' } };
const oneAtATime = { fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000, ...polling };

/**
 * Of their groups these take longest: begun last, they would keep one worker busy while the others have nothing left. And of
 * `clocks` these tolerate most: the checks and unit tests run at the same time.
 */
const longest = [
  ...files('integration', 'kill', 'faultMatrix', 'spoolQuota', 's3Program', 'failures', 'badInput'),
  ...files('integration', 'tampering', 's3Sink', 's3Stores', 's3Encryption', 'statusEvents'),
  ...files('attack', 'hostileS3'),
];
class LongestFirst extends BaseSequencer {
  override async sort(specs: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((name) => moduleId.endsWith(name));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(specs)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          ...polling,
          // Importing the same modules for each file took half of the time.
          isolate: false,
          // Without a number vitest leaves one processor idle; the clocks, at whose side they run in `npm test`, need it.
          maxWorkers: process.env['SIGHTLINE_BESIDE_CLOCKS'] === undefined ? '100%' : 1,
        },
      },
      {
        test: {
          name: 'beside',
          include: ['test/{integration,attack,e2e,ccp,cloud,review}/**/*.test.ts', ...files('native', 'app')],
          exclude: [...clocks, ...alone],
          ...group(1, 4),
        },
      },
      { test: { name: 'clocks', include: clocks, ...group(2, 2) } },
      { test: { name: 'alone', include: alone, ...oneAtATime } },
      {
        test: {
          name: 'windows',
          // Where Wine is missing, one skipped test says why.
          include: windows
            ? ['test/windows/*.test.ts', ...files('integration', 'contact'), ...files('native', 'recorder')]
            : ['test/windows/leftOut.test.ts'],
          exclude: windows ? ['test/windows/leftOut.test.ts', ...longOnWindows] : [],
          ...onWindows,
          ...oneAtATime,
        },
      },
      // `npm run test:full` only: more under Wine, the rig's own tests, and the MSI, installed under Wine.
      { test: { name: 'windows-long', include: windows ? longOnWindows : [], ...onWindows, ...oneAtATime } },
      // On a real Windows, in the release workflow.
      {
        test: {
          name: 'windows-native',
          include: process.platform === 'win32' ? ['test/native/*.test.ts'] : [],
          ...oneAtATime,
        },
      },
      { test: { name: 'rig', include: ['test/full/*.test.ts'], ...group(3, 2) } },
      { test: { name: 'installer', include: ['test/installer/**/*.test.ts'], ...oneAtATime } },
      { test: { name: 'installer-quick', include: ['test/installer/quick.test.ts'], ...group(1, 4) } },
    ],
  },
});
