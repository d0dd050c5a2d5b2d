// The user's own settings: few keys, and never a reason not to record.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policyKeyNames, policyKeys } from '../../../main/policy/keys.ts';
import type { KeyInfo } from '../../../main/policy/keyInfo.ts';
import { loadPolicy } from '../../../main/policy/load.ts';
import { userSettingsFile } from '../../../main/platform/paths.ts';
import { readUserSettings } from '../../../main/policy/read.ts';
import { temporaryFolder } from '../support/folders.ts';
import { fileLayer } from '../support/policy.ts';

const load = (user: Readonly<Record<string, unknown>>, machine = fileLayer({})) =>
  loadPolicy({ machine, flags: {}, environment: {}, user });

describe('a user', () => {
  it('may set what harms nobody', () => {
    const names = policyKeyNames.filter((name) => (policyKeys[name] as KeyInfo<unknown>).userMaySet);
    // Each more is a decision: see `userMaySet` in keys.ts.
    expect(names).toEqual(['uploadLimitKbit', 'autostart', 'logLevel']);
    const { values, sources, warnings } = load({ logLevel: 'debug' });
    expect([values.logLevel, sources.logLevel, warnings]).toEqual(['debug', 'user', []]);
  });

  it.each([
    ['allowedDomains', ['evil.example']],
    ['allowLoopbackOrigins', true],
    ['sinkFolder', '/tmp/x'],
    ['sink', 's3'],
    ['s3Bucket', 'thief'],
    ['brokerUrl', 'https://evil.example'],
    ['ffmpegPath', '/tmp/x'],
    ['indicator', 'off'],
    ['agentMaySuspend', true],
    ['fps', 1],
    ['display', ':99'],
  ] as const)('may not set %s, and is told', (name, value) => {
    const { values, warnings } = load({ [name]: value });
    expect(values[name]).toEqual(load({}).values[name]);
    expect(warnings).toEqual([expect.stringContaining(`"${name}" cannot be set in the user's settings`)]);
  });

  it('cannot change what the machine sets, and is told', () => {
    const { values, sources, warnings } = load({ logLevel: 'debug' }, fileLayer({ logLevel: 'error' }));
    expect([values.logLevel, sources.logLevel]).toEqual(['error', 'file']);
    expect(warnings).toEqual([
      '"logLevel" is set by the machine policy (/the/policy.json); the user\'s setting is ignored.',
    ]);
  });

  it('stops nothing with a value that is wrong or a key that nobody knows', () => {
    const { values, warnings } = load({ logLevel: 'loud', toString: 1 });
    expect(values.logLevel).toBe('info');
    expect(warnings).toHaveLength(2);
  });
});

describe('the file', () => {
  it.each([
    ['linux', { XDG_CONFIG_HOME: '/c' }, '/c/sightline/settings.json'],
    ['linux', { XDG_CONFIG_HOME: '' }, '/h/.config/sightline/settings.json'],
    ['linux', {}, '/h/.config/sightline/settings.json'],
  ] as const)('lies where %s keeps such files (%j)', (platform, environment, path) => {
    expect(userSettingsFile(platform, environment, '/h')).toBe(path);
  });

  it('is read, and nothing is said', async () => {
    const path = join(await temporaryFolder(), 'settings.json');
    await writeFile(path, '{"logLevel": "warn"}');
    expect(readUserSettings(path)).toEqual({ values: { logLevel: 'warn' }, warnings: [] });
  });

  it('need not be there', async () => {
    expect(readUserSettings(join(await temporaryFolder(), 'no', 'settings.json'))).toEqual({
      values: {},
      warnings: [],
    });
  });

  it.each([['{'], ['[]'], ['null'], [`{"logLevel":"${'x'.repeat(70_000)}"}`]])(
    'is ignored with a word: %#',
    async (text) => {
      const path = join(await temporaryFolder(), 'settings.json');
      await writeFile(path, text);
      expect(readUserSettings(path)).toEqual({
        values: {},
        warnings: [expect.stringContaining('are ignored: ')],
      });
    },
  );

  it('is ignored with a word where it is a folder', async () => {
    const path = join(await temporaryFolder(), 'settings.json');
    await mkdir(path);
    expect(readUserSettings(path).warnings).toEqual([expect.stringContaining('it is not a file')]);
  });
});
