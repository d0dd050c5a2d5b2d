// Three kinds of tests. Unit tests may run side by side; the others use the whole machine (a display, ffmpeg, a
// browser) and run one after the other, so that none of them slows down what another one measures.

import { defineConfig } from 'vitest/config';

const alone = { fileParallelism: false, testTimeout: 90_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...alone } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...alone } },
      // Makes and installs the MSI under Wine: `npm run test:installer`.
      { test: { name: 'installer', include: ['test/installer/**/*.test.ts'], ...alone } },
    ],
  },
});
