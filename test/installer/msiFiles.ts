// MSIs for the tests, made by the same script as those for IT, and a key to sign them that nobody trusts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrThrow } from '../rig/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface TestKey {
  readonly pkcs12: string;
  readonly passwordFile: string;
  /** The certificate, which is its own authority. */
  readonly certificate: string;
}

/** A self-signed certificate for code. */
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

/** Runs scripts/make-msi.ts. `app`: the folder to put in, else the recorder without Electron. */
export async function makeTestMsi(options: {
  readonly out: string;
  readonly version: string;
  /** Not signed without. */
  readonly key?: TestKey;
  readonly app?: string;
}): Promise<{ productCode: string }> {
  const { key } = options;
  const { stdout } = await runOrThrow(
    'env',
    [
      ...(key === undefined
        ? []
        : [`SIGHTLINE_SIGN_PKCS12=${key.pkcs12}`, `SIGHTLINE_SIGN_PASSWORD_FILE=${key.passwordFile}`]),
      ...[process.execPath, '--import', 'tsx', join(root, 'scripts/make-msi.ts')],
      ...['--out', options.out, '--version', options.version],
      ...(options.app === undefined ? [] : ['--app', options.app]),
    ],
    { cwd: root },
  );
  const productCode = /product code (\{[0-9A-F-]+\})/.exec(stdout.toString())?.[1];
  if (productCode === undefined) throw new Error(`make-msi said no product code: ${stdout.toString()}`);
  return { productCode };
}
