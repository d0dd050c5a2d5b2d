// A policy file is noticed whatever becomes of it and its folders.
import { appendFile, chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchPolicy } from '../../../main/policy/watch.ts';
import { temporaryFolder } from '../support/folders.ts';

/** Acts, and resolves with true when a look has come of it, with false when none came for so long. */
function watching(file: string, slowLookMs = 3_600_000) {
  let looks = 0;
  let told = (): void => undefined;
  const watch = watchPolicy({
    files: [file],
    look: () => {
      looks += 1;
      told();
    },
    onProblem: (folder, error) => {
      throw new Error(`${folder}: ${String(error)}`);
    },
    slowLookMs,
  });
  onTestFinished(() => watch.stop());
  return async (act: () => Promise<unknown>, withinMs = 5000): Promise<boolean> => {
    const before = looks;
    const looked = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      told = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
    await act();
    return (await looked) && looks > before;
  };
}

describe('it is looked', () => {
  it('when the file comes, is replaced, written to, locked up, and goes', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'policy.json');
    const isNoticed = watching(file);
    expect(await isNoticed(() => writeFile(file, '{}'))).toBe(true);
    await writeFile(join(folder, 'other'), '{ }');
    expect(await isNoticed(() => rename(join(folder, 'other'), file))).toBe(true);
    expect(await isNoticed(() => appendFile(file, ' '))).toBe(true);
    expect(await isNoticed(() => chmod(file, 0o600))).toBe(true);
    expect(await isNoticed(() => rm(file))).toBe(true);
  });

  it('when folders on the way to it come, go, and come again', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'a', 'b', 'policy.json');
    const isNoticed = watching(file);
    const make = async (): Promise<void> => {
      await mkdir(join(folder, 'a', 'b'), { recursive: true });
      await writeFile(file, '{}');
    };
    expect(await isNoticed(make)).toBe(true);
    expect(await isNoticed(() => appendFile(file, ' '))).toBe(true);
    expect(await isNoticed(() => rename(join(folder, 'a', 'b'), join(folder, 'elsewhere')))).toBe(true);
    expect(await isNoticed(make)).toBe(true);
    expect(await isNoticed(() => rm(join(folder, 'a'), { recursive: true }))).toBe(true);
    expect(await isNoticed(make)).toBe(true);
    expect(await isNoticed(() => appendFile(file, ' '))).toBe(true);
  });

  it('by the clock where nobody tells', async () => {
    expect(await watching('/proc/none/policy.json', 50)(() => Promise.resolve())).toBe(true);
  });
});

it('it is not looked for other files of the folder', async () => {
  const folder = await temporaryFolder();
  const isNoticed = watching(join(folder, 'policy.json'));
  expect(await isNoticed(() => writeFile(join(folder, 'other.json'), '{}'), 600)).toBe(false);
});
