// The tables of the finished MSI by Windows Installer's own rules (ice.ts); without Windows or Wine.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orLeftOut } from '../rig/leftOut.ts';
import { runOrThrow } from '../rig/process.ts';
import { readTables, rules, type Tables } from './ice.ts';
import { makeTestMsi } from './msiFiles.ts';
import { whyNoInstaller } from './windowsMachine.ts';

const why = whyNoInstaller();

describe.skipIf(why !== null)(orLeftOut('the tables of the MSI', why), () => {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-ice-'));
  const msi = join(folder, 'sightline.msi');
  let tables: Tables;

  beforeAll(async () => {
    await makeTestMsi(msi, '1.2.3', {});
    tables = await readTables(msi);
  }, 200_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(Object.entries(rules))('%s', (_, rule) => {
    expect(tables.of('File').length).toBeGreaterThan(10);
    expect(rule(tables)).toEqual([]);
  });

  it('is searched by rules that find what is wrong', async () => {
    const broken = join(folder, 'broken.msi');
    copyFileSync(msi, broken);
    for (const statement of [
      "UPDATE `InstallExecuteSequence` SET `Sequence` = 1500 WHERE `Action` = 'ApplyPolicy'",
      "UPDATE `CustomAction` SET `Type` = 3073 WHERE `Action` = 'Prepare'",
      "UPDATE `Property` SET `Value` = 'OLDER_VERSION' WHERE `Property` = 'SecureCustomProperties'",
      "UPDATE `Component` SET `ComponentId` = '{x}' WHERE `Component` = 'Installation'",
    ])
      await runOrThrow('msibuild', [broken, '-q', statement]);
    const found = await readTables(broken);
    const violated = Object.entries(rules).filter(([, rule]) => rule(found).length > 0);
    expect(violated.map(([name]) => name.split(' ')[0])).toEqual(['ICE08', 'ICE61', 'ICE68/ICE77', 'ICE82']);
  });
});
