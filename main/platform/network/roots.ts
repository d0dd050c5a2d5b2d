// Whose certificates Node trusts: its own roots, those of the system's store, and those of policy `caFile`. Chromium reads the
// system's store itself. Environment variables add none: the installed app has none either.

import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import * as tls from 'node:tls';
import { errno } from '../../shared/errors.ts';
import { NetworkError } from './network.ts';

const MAX_FILE_BYTES = 1024 * 1024;
/** Where Linux distributions keep the store as one file, as Go looks for it (crypto/x509/root_linux.go). */
const BUNDLES = [
  ...['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem'],
  ...['/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', '/etc/ssl/cert.pem'],
];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** @throws NetworkError CA_FILE_UNUSABLE */
export function trustedRoots(caFile: string | null): string[] {
  return [...tls.rootCertificates, ...systemRoots(), ...(caFile === null ? [] : rootsIn(caFile))];
}

/** Node 22.15 asks the system (Windows, Linux); before, only Linux has a file to read. */
function systemRoots(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'system') => string[] };
  if (getCACertificates !== undefined) return getCACertificates('system');
  for (const file of process.platform === 'linux' ? BUNDLES : []) {
    try {
      return readFileSync(file, 'latin1').match(CERTIFICATE) ?? [];
    } catch {
      continue; // another distribution's
    }
  }
  return [];
}

/** Of a PEM file. @throws NetworkError CA_FILE_UNUSABLE */
export function rootsIn(file: string): string[] {
  const unusable = (what: string, cause?: unknown): NetworkError =>
    new NetworkError('CA_FILE_UNUSABLE', `policy "caFile": ${file} ${what}`, { cause });
  let text: string;
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw unusable(`has more than ${MAX_FILE_BYTES} bytes`);
    text = readFileSync(file, 'latin1');
  } catch (error) {
    if (error instanceof NetworkError) throw error;
    throw unusable(`cannot be read (${errno(error) ?? 'unknown error'})`, error);
  }
  const roots = text.match(CERTIFICATE) ?? [];
  if (roots.length === 0) throw unusable('has no certificate in PEM form');
  for (const [index, root] of roots.entries()) {
    try {
      new X509Certificate(root);
    } catch (error) {
      throw unusable(`has a certificate that cannot be read, number ${index + 1}`, error);
    }
  }
  return roots;
}
