import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { lockDataFolder } from '../../../main/platform/instanceLock.ts';
import { policyStateFile, readPolicyState } from '../../../main/policy/start.ts';
import { temporaryFolder } from '../support/folders.ts';

it('is the state of the process that has locked the data folder, not of one with a reused process id', async () => {
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
