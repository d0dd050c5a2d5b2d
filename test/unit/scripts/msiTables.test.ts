// The contents of the MSI before any Windows tool sees them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { harvest } from '../../../scripts/installer/harvest.ts';
import { toIdt, withShortNames } from '../../../scripts/installer/idt.ts';
import { msiTables, secureProperties } from '../../../scripts/installer/msiTables.ts';
import { isSigned, signingKeyFrom } from '../../../scripts/installer/signing.ts';
import { uuidFrom } from '../../../scripts/installer/uuid.ts';

describe('uuidFrom', () => {
  it('is version 5 of RFC 9562 (its example A.4)', () => {
    expect(uuidFrom('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ED6657D-E927-568B-95E1-2665A8AEA6A2',
    );
  });
});

describe('harvest', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sightline-harvest-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const put = (path: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), path);
  };
  const guids = (wxs: string): (string | undefined)[] =>
    [...wxs.matchAll(/Guid="([^"]+)"/g)].map(([, guid]) => guid);

  it('makes one component per file, in its folder', () => {
    for (const path of ['a.exe', 'bin/b & c.exe', 'bin/deep/d.txt']) put(path);
    const wxs = harvest({ folder, source: 'app' });
    expect(guids(wxs)).toHaveLength(3);
    expect(wxs).toContain('Source="app/bin/b &amp; c.exe"');
    expect([...wxs.matchAll(/<Directory Id="\w+" Name="([^"]+)"/g)].map(([, name]) => name)).toEqual([
      'bin',
      'deep',
    ]);
    expect([...wxs.matchAll(/<ComponentRef /g)]).toHaveLength(3);
  });

  it("gives a file the same GUID regardless of the other files: it depends on the file's path only", () => {
    put('bin/a.exe');
    const before = guids(harvest({ folder, source: 'app' }));
    put('bin/0.exe');
    expect(guids(harvest({ folder, source: 'elsewhere' }))).toEqual(expect.arrayContaining(before));
    // The same as Python's uuid.uuid5.
    expect(before).toEqual(['E722B117-6E2B-59CA-BE50-A56EA2A1A4FB']);
  });
});

describe('the tables', () => {
  const tables = msiTables({ version: '1.2.3', upgradeCode: '{X}', commandLineComponent: 'c1' });
  const rows = (name: string) => tables.find((table) => table.name === name)?.rows ?? [];

  it('have one cell per column in each row', () => {
    for (const { name, columns, rows: all } of tables) {
      for (const row of all) expect(row.length, `${name}: ${row.join(' ')}`).toBe(columns.length);
    }
  });

  it('run every custom action, and no two at the same place', () => {
    const sequence = rows('InstallExecuteSequence');
    const actions = sequence.map(([action]) => action);
    for (const [action] of rows('CustomAction')) expect(actions).toContain(action);
    expect(new Set(sequence.map(([, , at]) => at)).size).toBe(sequence.length);
  });

  it('place a rollback action before what it undoes', () => {
    const actions = rows('InstallExecuteSequence').map(([action]) => action);
    expect(actions.indexOf('UndoPolicy')).toBeLessThan(actions.indexOf('ApplyPolicy'));
    expect(actions.indexOf('InstallInitialize')).toBeLessThan(actions.indexOf('StartAgain'));
  });

  it('remove an older or the same version, and detect a newer one', () => {
    expect(rows('Upgrade')).toEqual([
      ['{X}', '0.0.0', '1.2.3', null, 0x300, null, 'OLDER_VERSION'],
      ['{X}', '1.2.3', null, null, 2, null, 'NEWER_VERSION'],
    ]);
  });

  it('accept from a user who repairs only what the installation determines itself', () => {
    expect(secureProperties).toEqual([
      ...['OLDER_VERSION', 'NEWER_VERSION', 'PREVIOUS_INSTALLDIR', 'WINDOWS_BUILD'],
    ]);
  });
});

describe('toIdt', () => {
  it('writes names, formats, keys, then rows', () => {
    const idt = toIdt({
      name: 'T',
      columns: ['A:s72', 'B:I2'],
      keys: ['A'],
      rows: [
        ['x', null],
        ['y', 3],
      ],
    });
    expect(idt).toBe('A\tB\r\ns72\tI2\r\nT\tA\r\nx\t\r\ny\t3\r\n');
  });
  it('refuses what the format cannot express', () => {
    expect(() => toIdt({ name: 'T', columns: ['A:s72'], keys: ['A'], rows: [['two\nlines']] })).toThrow(
      /line break/,
    );
  });
});

describe('withShortNames', () => {
  it('adds an 8.3 name to a name that is not one', () => {
    const idt = [
      'File\tFileName',
      's72\tl255',
      'File\tFile',
      'f1\tnode.exe',
      'f2\tbuild-info.json',
      'f3\tLICENSE.FFmpeg',
      '',
    ].join('\r\n');
    expect(withShortNames(idt, 'FileName').split('\r\n').slice(3)).toEqual([
      'f1\tnode.exe',
      'f2\tSL0002~1.JSO|build-info.json',
      'f3\tSL0003~1.FFM|LICENSE.FFmpeg',
      '',
    ]);
  });
});

describe('the signing key', () => {
  it('comes from the environment, as a whole or not at all', () => {
    expect(signingKeyFrom({})).toBeNull();
    expect(() => signingKeyFrom({ SIGHTLINE_SIGN_PKCS12: 'key.p12' })).toThrow(
      /SIGHTLINE_SIGN_PASSWORD_FILE/,
    );
    expect(signingKeyFrom({ SIGHTLINE_SIGN_PKCS12: 'key.p12', SIGHTLINE_SIGN_PASSWORD_FILE: 'pw' })).toEqual({
      kind: 'pkcs12',
      pkcs12: 'key.p12',
      passwordFile: 'pw',
      timestampUrl: null,
    });
  });
  it('is for programs only', () => {
    expect(isSigned('LICENSE')).toBeNull();
  });
});
