// The policy of a running Sightline from its first reading to the end of the program.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockDataFolder } from '../../../main/platform/instanceLock.ts';
import { loadPolicy } from '../../../main/policy/load.ts';
import { policyStateFile, readPolicyState, startLivePolicy } from '../../../main/policy/start.ts';
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

it('has the state of the process that has locked the data folder, not of one with a reused process id', async () => {
  const folder = await temporaryFolder();
  const state = { problems: ['"fps" is not valid'], ignored: [], pending: [] };
  // This process is alive: a crashed Sightline may have had its id.
  await writeFile(policyStateFile(folder), JSON.stringify({ pid: process.pid, ...state }));
  expect(await readPolicyState(folder)).toBeNull();
  const unlock = lockDataFolder(folder);
  expect(await readPolicyState(folder)).toEqual(state);
  unlock();
  expect(await readPolicyState(folder)).toBeNull();
});
