// The MSI in a minute, for `npm test`: made, refused for a bad list, installed, its policy read by the installed program,
// removed. All the rest is in `npm run test:installer`.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDisplay, type Display } from '../rig/display.ts';
import {
  FAILED,
  POLICY,
  RUN,
  UNINSTALL,
  freePort,
  installedFile,
  msiexec,
  shownPolicy,
} from './installation.ts';
import { makeTestMsi } from './msiFiles.ts';
import { startWindows, whyNoInstaller, type WindowsMachine } from './windowsMachine.ts';

const why = whyNoInstaller();

describe.skipIf(why !== null)(
  `the MSI, in short (${why === null ? 'under Wine' : `left out: ${why}`})`,
  () => {
    let display: Display;
    let windows: WindowsMachine;
    let folder: string;
    let msi: string;
    let productCode: string;
    let port: number;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sightline-installer-'));
      msi = join(folder, 'sightline.msi');
      display = await startDisplay({ width: 1280, height: 720 });
      [{ productCode }, windows, port] = await Promise.all([
        makeTestMsi({ out: msi, version: '1.0.0' }),
        startWindows(display.display),
        freePort(),
      ]);
    }, 120_000);

    afterAll(async () => {
      await windows.remove();
      await display.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is refused for a list of domains that is not right, and leaves nothing behind', async () => {
      const { code, log } = await msiexec(windows, '/i', msi, [
        'ALLOWED_CONNECT_DOMAINS=good.example,https://b.example',
      ]);
      expect(code).toBe(FAILED);
      expect(log).toContain('ALLOWED_CONNECT_DOMAINS: entry 2, "https://b.example": it has a scheme');
      expect(existsSync(installedFile(windows, ''))).toBe(false);
      expect(await windows.registry(POLICY)).toEqual({});
    });

    it('is installed silently; the installed program takes its policy from the registry', async () => {
      const { code, log } = await msiexec(windows, '/i', msi, [
        'ALLOWED_CONNECT_DOMAINS=Acme.my.connect.aws, other.example',
        `PORT=${port}`,
      ]);
      expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' });
      const { keys } = await shownPolicy(windows);
      expect(keys.allowedDomains).toEqual({
        value: ['acme.my.connect.aws', 'other.example'],
        source: 'HKLM',
      });
      expect(keys.port).toEqual({ value: port, source: 'HKLM' });
      expect(keys.sink).toEqual({ value: 'folder', source: 'default' });
    });

    it('is removed without a trace', async () => {
      expect((await msiexec(windows, '/x', productCode)).code).toBe(0);
      expect(existsSync(installedFile(windows, ''))).toBe(false);
      for (const key of [POLICY, RUN, UNINSTALL, 'HKLM\\SOFTWARE\\Sightline'])
        expect(await windows.registry(key), key).toEqual({});
    });
  },
);
