// A TLS handshake whose certificate is examined but not trusted: its issuer shows whether the service itself answered or a proxy
// that intercepts TLS. Then an upgrade to a websocket. No secret, cookie or credential is ever sent over such a connection.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { errno } from '../../shared/errors.ts';
import { failed, ok, warning, type Finding } from '../check.ts';
import { asError, networkMessage } from './sockets.ts';

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
export async function shakeHands(
  socket: Socket,
  host: string,
  trustedRoots: string | undefined,
  signal: AbortSignal,
): Promise<{ secure: TLSSocket; handshake: Handshake }> {
  const secure = connect({
    socket,
    servername: host,
    // Judged below; see the head of this file.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...(trustedRoots === undefined ? {} : { ca: trustedRoots }),
  });
  // After the handshake, an error must not end the program.
  secure.on('error', () => undefined);
  const closed = once(secure, 'close').then(() => {
    throw Object.assign(new Error('closed'), { code: 'ECONNRESET' });
  });
  try {
    await Promise.race([once(secure, 'secureConnect', { signal }), closed]);
    return { secure, handshake: readHandshake(secure) };
  } catch (error) {
    secure.destroy();
    throw signal.aborted ? asError(signal.reason) : error;
  }
}

function readHandshake(secure: TLSSocket): Handshake {
  // Without a certificate (a cipher that needs none) Node answers with an empty object, unlike its types.
  const leaf: Partial<DetailedPeerCertificate> = secure.getPeerCertificate(true);
  // A root names itself as its issuer.
  const certificates = new Map<string, string>();
  let at: Partial<DetailedPeerCertificate> | undefined = leaf;
  while (at?.fingerprint256 !== undefined && !certificates.has(at.fingerprint256)) {
    certificates.set(at.fingerprint256, nameOf(at.subject));
    at = at.issuerCertificate;
  }
  return {
    protocol: secure.getProtocol() ?? 'TLS',
    // Typed as an Error, but a code.
    fault: secure.authorized ? null : String(secure.authorizationError),
    issuer: { name: nameOf(leaf.issuer), organisation: oneOf(leaf.issuer?.O) },
    chain: [...certificates.values()],
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
  const of =
    issuer.organisation === '' || issuer.organisation === issuer.name ? '' : ` of "${issuer.organisation}"`;
  const by = `"${issuer.name}"${of}`;
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

/** @param allow what the firewall must let through */
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

export type UpgradeAnswer =
  | { readonly kind: 'switched'; readonly hasRightKey: boolean }
  | { readonly kind: 'answered'; readonly status: number; /** Server and Via. */ readonly by: string }
  | { readonly kind: 'cut'; readonly error: string };

/** @throws the signal's reason only */
export function askUpgrade(secure: TLSSocket, host: string, signal: AbortSignal): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${host}/`, {
      createConnection: () => secure,
      perMessageDeflate: false,
    });
    let isSwitched = false;
    // Emitted for a 101, before its key is checked (RFC 6455, 4.1).
    socket.on('upgrade', () => (isSwitched = true));
    socket.on('open', () => {
      socket.terminate();
      resolve({ kind: 'switched', hasRightKey: true });
    });
    socket.on('unexpected-response', (request, { statusCode: status = 0, headers }) => {
      request.destroy();
      const by = [headers.server, headers.via].filter((value) => value !== undefined).join(', ');
      resolve({ kind: 'answered', status, by: by.replace(/[^\x20-\x7e]/g, '?').slice(0, 100) });
    });
    socket.on('error', (error) => {
      if (signal.aborted) reject(asError(signal.reason));
      else if (isSwitched) resolve({ kind: 'switched', hasRightKey: false });
      else resolve({ kind: 'cut', error: networkMessage(error) });
    });
    signal.addEventListener('abort', () => socket.terminate(), { once: true });
  });
}

/**
 * Without TLS interception any answer is the service's own; with it, only a 101 shows that upgrades pass.
 * @param intercepted whether TLS to the host is intercepted @param allow what the firewall must let through
 */
export function judgeUpgrade(
  answer: UpgradeAnswer,
  intercepted: boolean,
  host: string,
  allow: string,
): Finding {
  const remedy = `Let websockets (HTTP Upgrade) to ${host} pass in the proxy or security program, preferably by excluding it from TLS inspection. ${allow}`;
  if (answer.kind === 'cut') return failed(`the upgrade was not answered: ${answer.error}`, remedy);
  if (answer.kind === 'switched')
    return answer.hasRightKey
      ? ok('upgraded (101)')
      : failed('answered 101 with the wrong key: not a websocket server', remedy);
  const evidence = `the upgrade was answered with ${answer.status}${answer.by === '' ? '' : ` by ${answer.by}`}`;
  if (intercepted)
    return warning(`${evidence}; TLS is intercepted on the way, which may have dropped the upgrade`, remedy);
  if (answer.status >= 500) return warning(`${evidence}; the service has a problem`, 'Try again later.');
  return ok(
    `${evidence}, by the service itself: TLS is not intercepted, so nothing on the way can change an upgrade`,
  );
}
