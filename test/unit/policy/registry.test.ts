// The machine's policy from the values of the registry, as the helper gives them; test/windows reads a real registry.
import { describe, expect, it } from 'vitest';
import type { ReadRegistry, RegistryValue } from '../../../main/platform/windowsHelper.ts';
import type { PolicySources } from '../../../main/policy/load.ts';
import { PolicyError, loadPolicy } from '../../../main/policy/load.ts';
import { REGISTRY_KEY, readRegistryPolicy, registryPolicy } from '../../../main/policy/registry.ts';

const KEY = `HKLM\\${REGISTRY_KEY}`;
const HKCU = `HKCU\\${REGISTRY_KEY}`;
const [SZ, EXPAND_SZ, BINARY, DWORD, MULTI_SZ, QWORD] = [1, 2, 3, 4, 7, 11] as const;

function value(name: string, type: number, data: RegistryValue['data'], key = ''): RegistryValue {
  return { key, name, type, data };
}
const policyOf = (...found: RegistryValue[]): Record<string, unknown> => registryPolicy(found, KEY);
const problemsOf = (...found: RegistryValue[]): readonly string[] => {
  try {
    policyOf(...found);
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
  return [];
};

describe('values of the registry', () => {
  it('are taken as they are, in any language', () => {
    expect(
      policyOf(
        value('port', DWORD, 0x1537),
        value('keepPublishedHours', QWORD, 24),
        value('keyPrefix', SZ, 'a    REG_SZ    b/<alias>'),
        value('sinkFolder', EXPAND_SZ, 'D:\\Gespräche 録画'),
        value('allowedDomains', MULTI_SZ, ['a.example', 'b.example']),
        value('s3Tags', MULTI_SZ, []),
        value('awsProfile', SZ, ''),
      ),
    ).toEqual({
      port: 5431,
      keepPublishedHours: 24,
      keyPrefix: 'a    REG_SZ    b/<alias>',
      sinkFolder: 'D:\\Gespräche 録画',
      allowedDomains: ['a.example', 'b.example'],
      s3Tags: [],
      awsProfile: '',
    });
  });

  it('may have names in any case; a key’s default value is none of them', () => {
    expect(policyOf(value('', SZ, 'x'), value('ALLOWEDDOMAINS', SZ, 'a.example'))).toEqual({
      allowedDomains: 'a.example',
    });
  });

  it('may hold a list as a key below, as group policy writes it, in the order of its numbers', () => {
    const list = ['1', '10', '2'].map((name) => value(name, SZ, `d${name}.example`, 'allowedDomains'));
    expect(policyOf(value('port', DWORD, 0), ...list)).toEqual({
      port: 0,
      allowedDomains: ['d1.example', 'd2.example', 'd10.example'],
    });
  });

  it('prefers the list of group policy to the value of an installer', () => {
    const installed = value('allowedDomains', SZ, 'installer.example');
    const group = value('1', SZ, 'group.example', 'AllowedDomains');
    expect(policyOf(installed, group)).toEqual({ allowedDomains: ['group.example'] });
  });

  it.each([
    ['a type that no key has', value('port', BINARY, null), /"port": the type 3 is not understood/],
    ['what a user may steer', value('dataDir', EXPAND_SZ, '%APPDATA%\\x'), /depends on the environment/],
  ])('are an error for %s', (_, found, problem) => {
    expect(problemsOf(found)).toEqual([expect.stringMatching(problem)]);
  });

  it('are no error for such a value of a name that nobody knows', () => {
    expect(problemsOf(value('Comment', BINARY, null))).toEqual([]);
  });

  it('come to the same policy as a file would', () => {
    const load = (machine: PolicySources['machine']) => loadPolicy({ machine, flags: {}, environment: {} });
    const values = policyOf(
      value('port', SZ, '5000'),
      value('allowLoopbackOrigins', DWORD, 1),
      value('pauseOnLock', SZ, 'no'),
      value('allowedDomains', SZ, 'A.example, b.example'),
    );
    expect(load([{ source: 'HKLM', place: KEY, loose: true, values }]).values).toMatchObject({
      port: 5000,
      allowLoopbackOrigins: true,
      pauseOnLock: false,
      allowedDomains: ['a.example', 'b.example'],
    });
    const two = { source: 'HKLM', place: KEY, loose: true, values: { pauseOnLock: 2 } } as const;
    expect(() => load([two])).toThrow(`Policy "pauseOnLock" from the machine policy (${KEY}) is not valid`);
  });
});

describe('the registry', () => {
  it('is asked for the machine before the user', async () => {
    const keys: Record<string, RegistryValue[]> = {
      [KEY]: [value('port', DWORD, 1)],
      [HKCU]: [value('port', DWORD, 2), value('fps', DWORD, 3)],
    };
    const machine = await readRegistryPolicy((key) => Promise.resolve(keys[key] ?? null));
    const { values, sources } = loadPolicy({ machine, flags: { fps: '9' }, environment: {} });
    expect([values.port, sources.port, values.fps, sources.fps]).toEqual([1, 'HKLM', 3, 'HKCU']);
  });

  it('has no policy where it has no key of ours', async () => {
    expect(await readRegistryPolicy(() => Promise.resolve(null))).toEqual([]);
  });

  it('is an error where it cannot be read with certainty', async () => {
    const read: ReadRegistry = (key) =>
      key === KEY
        ? Promise.reject(new Error(`the registry key ${key} cannot be read: x`))
        : Promise.resolve(null);
    await expect(readRegistryPolicy(read)).rejects.toThrow(PolicyError);
    await expect(readRegistryPolicy(read)).rejects.toThrow(
      `The machine policy cannot be read: the registry key ${KEY}`,
    );
  });
});
