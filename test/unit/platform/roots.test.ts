import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { rootsIn, trustedRoots } from '../../../main/platform/network/roots.ts';
import { temporaryFolder } from '../support/folders.ts';

async function authority(folder: string, name: string): Promise<string> {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1';
  const more = ['-subj', `/CN=${name}`, '-keyout', key, '-out', cert];
  execFileSync('openssl', [...words.split(' '), ...more], { stdio: 'ignore' });
  return readFile(cert, 'utf8');
}

describe('roots', () => {
  it('are those of Node, of the system and of the file', async () => {
    const folder = await temporaryFolder();
    const both = `# ours\n${await authority(folder, 'one')}text between\n${await authority(folder, 'two')}`;
    const file = join(folder, 'both.pem');
    await writeFile(file, both);
    const ours = rootsIn(file);
    expect(ours).toHaveLength(2);
    const all = trustedRoots(file);
    expect(all).toEqual(expect.arrayContaining([...rootCertificates, ...ours]));
    expect(trustedRoots(null)).toHaveLength(all.length - 2);
  });

  it.each([
    ['is missing', null, 'cannot be read (ENOENT)'],
    ['is empty', '', 'has no certificate in PEM form'],
    ['is a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'has no certificate'],
    [
      'is broken',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'has a certificate that cannot be read, number 1',
    ],
    ['is too large', 'x'.repeat(1024 * 1024 + 1), 'has more than 1048576 bytes'],
  ])('of a file that %s are refused, with its name and a code', async (_, text, why) => {
    const file = join(await temporaryFolder(), 'roots.pem');
    if (text !== null) await writeFile(file, text);
    expect(() => rootsIn(file)).toThrow(`policy "caFile": ${file} ${why}`);
    expect(() => rootsIn(file)).toThrow('(CA_FILE_UNUSABLE)');
  });
});
