// The machine's policy from files: Linux's policy.json, and who may have written it.
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PolicyError } from '../../../main/policy/load.ts';
import type { MachinePolicyPlaces } from '../../../main/policy/machine.ts';
import { readMachinePolicy } from '../../../main/policy/machine.ts';
import { temporaryFolder } from '../support/folders.ts';
import { needsPosix, needsRoot, orLeftOut } from '../../rig/leftOut.ts';

const owner = process.getuid?.() ?? 0;

async function policyFile(text: string): Promise<string> {
  const file = join(await temporaryFolder(), 'policy.json');
  await writeFile(file, text, { mode: 0o644 });
  return file;
}
const read = (file: string, more: MachinePolicyPlaces = {}) =>
  readMachinePolicy({ platform: 'linux', file, owner, ...more });

describe.skipIf(needsPosix !== null)(orLeftOut('the policy file', needsPosix), () => {
  it('is a JSON object', async () => {
    const file = await policyFile('{"fps": 10}');
    expect(await read(file)).toEqual([{ source: 'file', place: file, loose: false, values: { fps: 10 } }]);
  });

  it('is no policy where it is not there', async () => {
    expect(await read(join(await temporaryFolder(), 'policy.json'))).toEqual([]);
  });

  it.each([['{"fps": 10'], ['[]'], ['null'], ['"text"'], ['5'], ['']])(
    'is an error, not ignored, where it holds %j',
    async (text) => {
      const file = await policyFile(text);
      await expect(read(file)).rejects.toThrow(PolicyError);
      await expect(read(file)).rejects.toThrow(`The machine policy ${file} is not a JSON object.`);
    },
  );

  it('is an error, not ignored, where it is a folder', async () => {
    const path = join(await temporaryFolder(), 'policy.json');
    await mkdir(path);
    await expect(read(path)).rejects.toThrow('cannot be read');
  });

  it.each([0o666, 0o664, 0o646, 0o622])('is refused where others may write it (mode %o)', async (mode) => {
    const file = await policyFile('{}');
    await chmod(file, mode);
    await expect(read(file)).rejects.toThrow(
      `is refused: others than root may write it. Do: chmod go-w "${file}".`,
    );
  });

  it('is refused where others may put another one in its place', async () => {
    const file = join(await temporaryFolder(), 'open', 'policy.json');
    await mkdir(join(file, '..'));
    await chmod(join(file, '..'), 0o777);
    await writeFile(file, '{}', { mode: 0o644 });
    await expect(read(file)).rejects.toThrow('others than root may write its folder');
  });

  it('is judged where a symbolic link leads', async () => {
    const target = await policyFile('{}');
    await chmod(target, 0o666);
    const link = join(await temporaryFolder(), 'policy.json');
    await symlink(target, link);
    await expect(read(link)).rejects.toThrow('others than root may write it');
  });

  it.skipIf(needsRoot !== null)(
    orLeftOut('is refused where its folder belongs to another user', needsRoot),
    async () => {
      const file = await policyFile('{}');
      await chown(file, 65534, 65534);
      await expect(read(file)).rejects.toThrow('it belongs to user 65534, not to root');
      await chown(file, 0, 0);
      await chown(join(file, '..'), 65534, 65534);
      await expect(read(file)).rejects.toThrow(/its folder .* belongs to user 65534/);
    },
  );

  it('is refused where it belongs to a user who is not root', async () => {
    const file = await policyFile('{}');
    if (needsRoot === null) await chown(file, 65534, 65534);
    await expect(read(file, { owner: 0 })).rejects.toThrow('not to root');
  });
});
