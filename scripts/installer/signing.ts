// Authenticode signatures, on any system. The key is a PKCS#12 file for osslsigncode, with the password in another file (on a
// command line every process could read it); or, for keys on a token or in a cloud, a command that signs a file in place.
import { closeSync, openSync, readSync, renameSync } from 'node:fs';
import { runTool } from './tool.ts';

export type SigningKey = KeyFile | SigningCommand;

export interface SigningCommand {
  readonly kind: 'command';
  /** Called with the path of the file. */
  readonly command: string;
}

export interface KeyFile {
  readonly kind: 'pkcs12';
  readonly pkcs12: string;
  readonly passwordFile: string;
  /** An RFC 3161 service. Without one, signatures expire with the certificate. */
  readonly timestampUrl: string | null;
}

const hint = 'Install osslsigncode (on Debian: apt install osslsigncode).';

/** From the environment; null if nothing is to be signed. Half a key is an error. */
export function signingKeyFrom(environment: Readonly<Record<string, string | undefined>>): SigningKey | null {
  const command = environment.SIGHTLINE_SIGN_COMMAND ?? '';
  if (command !== '') return { kind: 'command', command };
  const pkcs12 = environment.SIGHTLINE_SIGN_PKCS12 ?? '';
  const passwordFile = environment.SIGHTLINE_SIGN_PASSWORD_FILE ?? '';
  if (pkcs12 === '' && passwordFile === '') return null;
  if (pkcs12 === '' || passwordFile === '') {
    throw new Error(
      'Signing needs both SIGHTLINE_SIGN_PKCS12 and SIGHTLINE_SIGN_PASSWORD_FILE (paths of files).',
    );
  }
  return {
    kind: 'pkcs12',
    pkcs12,
    passwordFile,
    timestampUrl: environment.SIGHTLINE_SIGN_TIMESTAMP_URL || null,
  };
}

/** Signs in place: an exe, a dll or an MSI. */
export function sign(file: string, key: SigningKey): void {
  if (key.kind === 'command') {
    runTool(key.command, [file], { hint: 'Set SIGHTLINE_SIGN_COMMAND to a program.' });
    return;
  }
  const signed = `${file}.signed`;
  runTool(
    'osslsigncode',
    [
      ...['sign', '-pkcs12', key.pkcs12, '-readpass', key.passwordFile, '-h', 'sha256'],
      ...['-n', 'Sightline', '-i', 'https://sightline.example'],
      ...(key.timestampUrl === null ? [] : ['-ts', key.timestampUrl]),
      // Covers the names and dates of an MSI's streams too.
      ...(file.toLowerCase().endsWith('.msi') ? ['-add-msi-dse'] : []),
      ...['-in', file, '-out', signed],
    ],
    { hint },
  );
  renameSync(signed, file);
}

/**
 * Whether a Windows program has a signature (PE format, data directory 4); null if the file is not a program. Files that
 * their vendors have signed, such as Node's and Microsoft's, keep their signatures.
 */
export function isSigned(file: string): boolean | null {
  const head = Buffer.alloc(4096);
  const handle = openSync(file, 'r');
  const length = readSync(handle, head, 0, head.length, 0);
  closeSync(handle);
  if (length < 0x40 || head.toString('latin1', 0, 2) !== 'MZ') return null;
  const pe = head.readUInt32LE(0x3c);
  if (pe + 24 + 152 > length || head.toString('latin1', pe, pe + 4) !== 'PE\0\0') return null;
  const optional = pe + 24;
  const directories = optional + (head.readUInt16LE(optional) === 0x20b ? 112 : 96);
  return head.readUInt32LE(directories + 4 * 8 + 4) > 0;
}
