// A TLS handshake whose certificate is examined but not trusted: its issuer shows whether the service itself answered or a proxy
// that intercepts TLS. No secret is ever sent over such a connection.

import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { asError, networkMessage } from '../deadline.ts';
import { errno } from '../../shared/errors.ts';
import type { Finding } from '../check.ts';
import { failed, ok, warning } from '../check.ts';

export interface Handshake {
  /** For example `TLSv1.3`. */
  readonly protocol: string;
  /** Node's code for an invalid chain, or null. */
  readonly fault: string | null;
  readonly issuer: { readonly name: string; readonly organisation: string };
  /** The names of the chain, from the host's certificate up. */
  readonly chain: readonly string[];
  readonly validTo: string;
}

/** Issuers of AWS's certificates; https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html */
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
      // Judged below; see the head of this file.
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
  // Without a certificate (a cipher that needs none) Node answers with an empty object, unlike its types.
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
    // Typed as an Error, but a code.
    fault: secure.authorized ? null : String(secure.authorizationError),
    issuer: { name: nameOf(leaf.issuer), organisation: oneOf(leaf.issuer?.O) },
    chain,
    validTo: leaf.valid_to ?? '(unknown)',
  };
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  return oneOf(name?.CN) || oneOf(name?.O) || '(no name)';
}

/** A certificate contains any text: reduced to one short line. */
function oneOf(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : '';
  return text.replace(/[^\x20-\x7e\p{L}\p{N}]/gu, '?').slice(0, 100);
}

/** Whether a proxy or security program decrypts the traffic to AWS. */
export function isIntercepted({ fault, issuer }: Handshake): boolean {
  return fault !== null || !AWS_ISSUERS.includes(issuer.organisation);
}

export function judgeHandshake(handshake: Handshake, host: string): Finding {
  const { protocol, fault, issuer, chain, validTo } = handshake;
  const by =
    issuer.organisation === '' || issuer.organisation === issuer.name
      ? `"${issuer.name}"`
      : `"${issuer.name}" of "${issuer.organisation}"`;
  const evidence = `${protocol}, certificate issued by ${by}, chain ${chain.join(' < ')}`;
  const exempt = `Exclude ${host} (TCP 443) from TLS inspection in the proxy or security program that issues as ${by}.`;
  switch (fault) {
    case null:
      if (!isIntercepted(handshake)) return ok(evidence);
      return warning(`${evidence}; that is none of AWS's issuers, so TLS is intercepted on the way`, exempt);
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return failed(
        `${evidence}; not valid at this time (${fault}, until ${validTo})`,
        `Set this machine's clock; if it is right: ${exempt}`,
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failed(
        `${evidence}; it is for another name (${fault}): another server answers for ${host}`,
        `Sign in to the network if it asks for that, check the DNS entry of ${host}, and allow ${host}, TCP 443, in firewall and proxy.`,
      );
    default:
      return failed(
        `${evidence}; the chain is not trusted here (${fault}): a proxy intercepts TLS`,
        `${exempt} If that is not possible, the browser and Sightline (NODE_EXTRA_CA_CERTS) must trust its root certificate.`,
      );
  }
}

export function judgeNoHandshake(error: unknown, host: string, allow: string): Finding {
  const code = errno(error);
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL_') === true)
    return failed(
      `the server does not speak TLS (${code})`,
      `Sign in to the network if it asks for that. ${allow}`,
    );
  return failed(
    `no TLS handshake: ${networkMessage(error)}; the connection succeeded, so a device on the way reads the host's name and blocks it`,
    `${allow} Exclude ${host} from TLS inspection.`,
  );
}
