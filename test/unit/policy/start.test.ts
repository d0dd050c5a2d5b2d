// The policy of a running Sightline from its first reading to the end of the program.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadPolicy } from '../../../main/policy/load.ts';
import { startLivePolicy, policyStateFile } from '../../../main/policy/start.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';
import { fileLayer } from '../support/policy.ts';

it('ends in order although its state file cannot be removed', async () => {
  const dataDir = join(await temporaryFolder(), 'data');
  await mkdir(dataDir);
  const first = loadPolicy({ machine: fileLayer({ dataDir }), flags: {}, environment: {} });
  const { log, lines } = keepingLogger();
  const started = startLivePolicy(
    first,
    { flags: {}, environment: {}, managed: false },
    { ...log, setLevel: () => undefined },
  );
  // Neither writing nor removing works where a folder with something in it is in the file's place.
  await mkdir(policyStateFile(dataDir));
  await writeFile(join(policyStateFile(dataDir), 'something'), '');
  started.publish();
  await started.stop();
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'warn', message: 'the state of the policy could not be removed' }),
  );
});
