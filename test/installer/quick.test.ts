// A short test of the MSI, for `npm test`: refused for an invalid list of domains, installed, its policy read by the installed
// program, removed. The other tests are in `npm run test:installer`.
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FAILED, POLICY, describeMsi } from './installation.ts';

describeMsi(
  'the MSI, short test',
  (machine) => machine.build('1.0.0'),
  (machine) => {
    it('is refused for an invalid list of domains, and leaves nothing behind', async () => {
      const { code, log } = await machine.install('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=good.example,https://b.example',
      ]);
      expect(code).toBe(FAILED);
      expect(log).toContain('ALLOWED_CONNECT_DOMAINS: entry 2, "https://b.example": it has a scheme');
      expect(existsSync(machine.file(''))).toBe(false);
      expect(await machine.windows.registry(POLICY)).toEqual({});
    });

    it('is installed silently; the installed program reads its policy from the registry', async () => {
      await machine.installed('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=Acme.my.connect.aws, other.example',
        `PORT=${machine.port}`,
      ]);
      expect(await machine.policy()).toMatchObject({
        allowedDomains: { value: ['acme.my.connect.aws', 'other.example'], source: 'HKLM' },
        port: { value: machine.port, source: 'HKLM' },
        sink: { value: 'folder', source: 'default' },
      });
    });

    it('is removed without a trace', async () => {
      await machine.uninstalled('1.0.0');
      await machine.expectRemoved();
    });
  },
);
