// A TLS handshake that is looked at and not trusted: who issued the certificate tells whether the service itself
// answered or a proxy that opens TLS. Nothing that is secret is ever sent over such a connection.

import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { asError, wordsOf } from './deadline.ts';
import { errno } from '../../shared/errors.ts';
import type { NetworkFinding } from './types.ts';

export interface Handshake {
  /** For example `TLSv1.3`. */
  readonly protocol: string;
  /** Why the chain does not hold (Node's code), or null. */
  readonly fault: string | null;
  readonly issuer: { readonly name: string; readonly organisation: string };
  /** The names of the chain, from the host's certificate up. */
  readonly chain: readonly string[];
  readonly validTo: string;
}

/** Who issues AWS's certificates; https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html */
const AWS_ISSUERS = ['Amazon', 'Amazon.com', 'Starfield Technologies, Inc.', 'DigiCert Inc'];

/** @throws a system or TLS error, when there is no handshake */
export function shakeHands(
  socket: Socket,
  host: string,
  trustedRoots: string | undefined,
  signal: AbortSignal,
): Promise<{ secure: TLSSocket; handshake: Handshake }> {
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      servername: host,
      // Judged below instead; see the head of this file.
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      ...(trustedRoots === undefined ? {} : { ca: trustedRoots }),
    });
    const give = (error: Error) => {
      secure.destroy();
      reject(error);
    };
    signal.addEventListener('abort', () => give(asError(signal.reason)), { once: true });
    secure.on('error', give);
    secure.on('close', () => give(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    secure.once('secureConnect', () => resolve({ secure, handshake: readHandshake(secure) }));
  });
}

function readHandshake(secure: TLSSocket): Handshake {
  // Without a certificate (a cipher that needs none) Node answers with an empty object, whatever its types say.
  const leaf: Partial<DetailedPeerCertificate> = secure.getPeerCertificate(true);
  const chain: string[] = [];
  const seen = new Set<string>();
  let at: Partial<DetailedPeerCertificate> | undefined = leaf;
  // A root names itself as its issuer.
  while (at?.fingerprint256 !== undefined && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    chain.push(nameOf(at.subject));
    at = at.issuerCertificate;
  }
  return {
    protocol: secure.getProtocol() ?? 'TLS',
    // Typed as an Error, and a code in truth.
    fault: secure.authorized ? null : String(secure.authorizationError),
    issuer: { name: nameOf(leaf.issuer), organisation: oneOf(leaf.issuer?.O) },
    chain,
    validTo: leaf.valid_to ?? '(unknown)',
  };
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  return oneOf(name?.CN) || oneOf(name?.O) || '(no name)';
}

/** A certificate is anybody's text: cut down to one short line. */
function oneOf(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : '';
  return text.replace(/[^\x20-\x7e\p{L}\p{N}]/gu, '?').slice(0, 100);
}

/** Whether someone between this machine and AWS reads what is sent. */
export function isOpened({ fault, issuer }: Handshake): boolean {
  return fault !== null || !AWS_ISSUERS.includes(issuer.organisation);
}

export function judgeHandshake(handshake: Handshake, host: string): NetworkFinding {
  const { protocol, fault, issuer, chain, validTo } = handshake;
  const by =
    issuer.organisation === '' || issuer.organisation === issuer.name
      ? `"${issuer.name}"`
      : `"${issuer.name}" of "${issuer.organisation}"`;
  const evidence = `${protocol}, certificate issued by ${by}, chain ${chain.join(' < ')}`;
  const exempt = `Have the proxy or security program that issues as ${by} leave TLS to ${host} (TCP 443) unopened: put the host on its list of exceptions from TLS inspection.`;
  switch (fault) {
    case null:
      if (!isOpened(handshake)) return { verdict: 'ok', evidence, remedy: '' };
      return {
        verdict: 'warning',
        evidence: `${evidence}; that is none of AWS's issuers, so TLS is opened on the way`,
        remedy: exempt,
      };
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return {
        verdict: 'failed',
        evidence: `${evidence}; not valid at this time (${fault}, until ${validTo})`,
        remedy: `Set this machine's clock; if it is right: ${exempt}`,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        verdict: 'failed',
        evidence: `${evidence}; it is for another name (${fault}): another server answers for ${host}`,
        remedy: `Sign in to the network if it asks for that, look at what DNS says of ${host}, and allow ${host}, TCP 443, in firewall and proxy.`,
      };
    default:
      return {
        verdict: 'failed',
        evidence: `${evidence}; the chain is not trusted here (${fault}): a proxy opens TLS`,
        remedy: `${exempt} If that cannot be, its root certificate must be trusted by the browser and named to Sightline (NODE_EXTRA_CA_CERTS).`,
      };
  }
}

export function judgeNoHandshake(error: unknown, host: string, allow: string): NetworkFinding {
  const code = errno(error);
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL_') === true) {
    return {
      verdict: 'failed',
      evidence: `what answers does not speak TLS (${code})`,
      remedy: `Sign in to the network if it asks for that. ${allow}`,
    };
  }
  return {
    verdict: 'failed',
    evidence: `no TLS handshake: ${wordsOf(error)}; the connection itself was made, so something on the way reads the host's name and stops it`,
    remedy: `${allow} Have ${host} left out of TLS inspection.`,
  };
}
