// The machine's policy as `reg query` prints it. The texts are written after Microsoft's documentation of the command, not
// captured: the tests under Windows run the real one.
import { describe, expect, it } from 'vitest';
import type { RunTool } from '../../../main/platform/runTool.ts';
import type { PolicySources } from '../../../main/policy/load.ts';
import { PolicyError, loadPolicy } from '../../../main/policy/load.ts';
import { REGISTRY_KEY, parseRegistryPolicy, readRegistryPolicy } from '../../../main/policy/registry.ts';

const KEY = `HKLM\\${REGISTRY_KEY}`;
const LONG = `HKEY_LOCAL_MACHINE\\${REGISTRY_KEY}`;
const printed = (...lines: string[]): string => ['', ...lines, '', ''].join('\r\n');
const parse = (...lines: string[]): Record<string, unknown> =>
  parseRegistryPolicy(printed(LONG, ...lines), KEY);
const problemsOf = (...lines: string[]): readonly string[] => {
  try {
    parse(...lines);
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
  return [];
};

describe('what reg query prints', () => {
  it('is read by its types', () => {
    expect(
      parse(
        '    port    REG_DWORD    0x1537',
        '    keepPublishedHours    REG_QWORD    0x18',
        '    keyPrefix    REG_SZ    a b/<alias>',
        '    sinkFolder    REG_EXPAND_SZ    D:\\Recordings',
        '    allowedDomains    REG_MULTI_SZ    a.example\\0b.example',
        '    s3Tags    REG_MULTI_SZ    team=sales\\0',
      ),
    ).toEqual({
      port: 5431,
      keepPublishedHours: 24,
      keyPrefix: 'a b/<alias>',
      sinkFolder: 'D:\\Recordings',
      allowedDomains: ['a.example', 'b.example'],
      s3Tags: ['team=sales'],
    });
  });

  it('may have names in any case, a value of the key itself in any language, and empty values', () => {
    expect(
      parse(
        '    (Default)    REG_SZ    (value not set)',
        '    (Standard)    REG_SZ    (Wert nicht gesetzt)',
        '    ALLOWEDDOMAINS    REG_SZ    a.example, b.example',
        '    s3Tags    REG_MULTI_SZ    ',
        '    awsProfile    REG_SZ    ',
        '    display    REG_SZ',
      ),
    ).toEqual({ allowedDomains: 'a.example, b.example', s3Tags: [], awsProfile: '', display: '' });
  });

  it('may hold four spaces and the name of a type within a text', () => {
    expect(parse('    keyPrefix    REG_SZ    a    REG_SZ    b').keyPrefix).toBe('a    REG_SZ    b');
  });

  it('may hold a list as a key below, as group policy writes it, in the order of its numbers', () => {
    const lines = ['', `${LONG}\\allowedDomains`];
    const names = ['1', '10', '2'].map((name) => `    ${name}    REG_SZ    d${name}.example`);
    expect(parse('    port    REG_DWORD    0x0', ...lines, ...names)).toEqual({
      port: 0,
      allowedDomains: ['d1.example', 'd2.example', 'd10.example'],
    });
  });

  it('prefers the list of group policy to the value of an installer', () => {
    expect(
      parse(
        '    allowedDomains    REG_SZ    installer.example',
        `${LONG}\\AllowedDomains`,
        '    1    REG_SZ    group.example',
      ),
    ).toEqual({ allowedDomains: ['group.example'] });
  });

  it.each([
    [
      'a type that no key has',
      '    port    REG_BINARY    0102',
      /"port": the type REG_BINARY is not understood/,
    ],
    ['what a user may steer', '    dataDir    REG_EXPAND_SZ    %APPDATA%\\x', /depends on the environment/],
    ['letters that were lost', '    dataDir    REG_SZ    D:\\Gespr\uFFFDche', /outside ASCII/],
  ])('is an error for %s', (_, line, problem) => {
    expect(problemsOf(line)).toEqual([expect.stringMatching(problem)]);
  });

  it('is no error for such a value of a name that nobody knows', () => {
    expect(problemsOf('    Comment    REG_BINARY    0102')).toEqual([]);
  });

  it('comes to the same policy as a file would', () => {
    const load = (machine: PolicySources['machine']) => loadPolicy({ machine, flags: {}, environment: {} });
    const values = parse(
      '    port    REG_SZ    5000',
      '    allowLoopbackOrigins    REG_DWORD    0x1',
      '    pauseOnLock    REG_SZ    no',
      '    allowedDomains    REG_SZ    A.example, b.example',
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

/** `reg` with these keys: what it prints for each, or why it ends with another code. */
function regWith(keys: Readonly<Record<string, string | Error>>): { run: RunTool; asked: string[] } {
  const asked: string[] = [];
  const run: RunTool = (command, args) => {
    asked.push([command, ...args].join(' '));
    const found =
      keys[args[1] ?? ''] ??
      exited(1, 'FEHLER: Der angegebene Registrierungsschl\uFFFDssel wurde nicht gefunden.');
    return typeof found === 'string' ? Promise.resolve(found) : Promise.reject(found);
  };
  return { run, asked };
}
const exited = (code: number | string, message: string): Error => Object.assign(new Error(message), { code });
const HKCU = `HKCU\\${REGISTRY_KEY}`;
const policies = (hive: string, ...names: string[]): string =>
  printed(...names.map((name) => `${hive}\\SOFTWARE\\Policies\\${name}`));

describe('the registry', () => {
  it('is asked in its 64-bit view, the machine before the user', async () => {
    const { run, asked } = regWith({
      [KEY]: printed(LONG, '    port    REG_DWORD    0x1'),
      [HKCU]: printed(
        `HKEY_CURRENT_USER\\${REGISTRY_KEY}`,
        '    port    REG_DWORD    0x2',
        '    fps    REG_DWORD    0x3',
      ),
    });
    const machine = await readRegistryPolicy(run);
    expect(asked).toEqual([`reg query ${KEY} /s /reg:64`, `reg query ${HKCU} /s /reg:64`]);
    const { values, sources } = loadPolicy({ machine, flags: { fps: '9' }, environment: {} });
    expect([values.port, sources.port, values.fps, sources.fps]).toEqual([1, 'HKLM', 3, 'HKCU']);
  });

  it('has no policy where the key above has no key of ours, whatever reg says in whatever language', async () => {
    const { run } = regWith({
      'HKLM\\SOFTWARE\\Policies': policies('HKEY_LOCAL_MACHINE', 'Google', 'SightlineOther'),
      'HKCU\\SOFTWARE': printed('HKEY_CURRENT_USER\\SOFTWARE\\Microsoft'),
    });
    expect(await readRegistryPolicy(run)).toEqual([]);
  });

  it.each([
    [
      'is there and may not be read',
      { 'HKLM\\SOFTWARE\\Policies': policies('HKEY_LOCAL_MACHINE', 'Sightline') },
    ],
    ['cannot be looked for', {}],
  ])('is an error where the key %s', async (_, keys) => {
    const { run } = regWith({ 'HKCU\\SOFTWARE\\Policies': policies('HKEY_CURRENT_USER'), ...keys });
    await expect(readRegistryPolicy(run)).rejects.toThrow(`The machine policy ${KEY} cannot be read: `);
  });

  it('is an error where reg cannot be run or takes too long', async () => {
    for (const code of ['ENOENT', 'ETIMEDOUT']) {
      const { run } = regWith({ [KEY]: exited(code, 'spawn reg'), [HKCU]: printed() });
      await expect(readRegistryPolicy(run)).rejects.toThrow('cannot be read: spawn reg');
    }
  });
});
