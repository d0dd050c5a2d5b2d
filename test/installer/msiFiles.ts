// MSIs for the tests, built by the same script as those for IT, and a signing key that no system trusts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrThrow } from '../rig/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface TestKey {
  readonly pkcs12: string;
  readonly passwordFile: string;
  /** Self-signed. */
  readonly certificate: string;
}

export async function makeKey(folder: string): Promise<TestKey> {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('password'), 'for tests only', { mode: 0o600 });
  await runOrThrow('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=Sightline tests'],
    ...['-addext', 'extendedKeyUsage=codeSigning', '-keyout', at('key.pem'), '-out', at('certificate.pem')],
  ]);
  await runOrThrow('openssl', [
    ...['pkcs12', '-export', '-inkey', at('key.pem'), '-in', at('certificate.pem')],
    ...['-out', at('key.p12'), '-passout', `file:${at('password')}`],
  ]);
  return { pkcs12: at('key.p12'), passwordFile: at('password'), certificate: at('certificate.pem') };
}

export interface TestMsi {
  /** Not signed without. */
  readonly key?: TestKey | undefined;
  /** The folder to install; the recorder without Electron if omitted. */
  readonly app?: string | undefined;
}

/** Runs scripts/make-msi.ts. @returns the product code */
export async function makeTestMsi(out: string, version: string, { key, app }: TestMsi): Promise<string> {
  const { stdout } = await runOrThrow(
    'env',
    [
      ...(key === undefined
        ? []
        : [`SIGHTLINE_SIGN_PKCS12=${key.pkcs12}`, `SIGHTLINE_SIGN_PASSWORD_FILE=${key.passwordFile}`]),
      ...[process.execPath, '--import', 'tsx', join(root, 'scripts/make-msi.ts')],
      ...['--out', out, '--version', version, ...(app === undefined ? [] : ['--app', app])],
    ],
    { cwd: root },
  );
  const productCode = /product code (\{[0-9A-F-]+\})/.exec(stdout.toString())?.[1];
  if (productCode === undefined) throw new Error(`make-msi printed no product code: ${stdout.toString()}`);
  return productCode;
}
