// A TLS handshake whose certificate is examined but not trusted: its issuer shows whether the service itself answered or a proxy
// that intercepts TLS. Then an upgrade to a websocket. No secret, cookie or credential is ever sent over such a connection.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { errno } from '../../shared/errors.ts';
import { failed, ok, warning, type Finding } from '../check.ts';
import { asError, networkMessage } from './sockets.ts';

/** Issuers of AWS's certificates; https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html */
const AWS_ISSUERS = ['Amazon', 'Amazon.com', 'Starfield Technologies, Inc.', 'DigiCert Inc'];

export interface Handshake {
  readonly secure: TLSSocket;
  /** Whether a proxy or security program decrypts the traffic to AWS. */
  readonly isIntercepted: boolean;
  readonly finding: Finding;
}

/** @throws a system or TLS error, when there is no handshake */
export async function shakeHands(
  socket: Socket,
  host: string,
  trustedRoots: string | undefined,
  signal: AbortSignal,
): Promise<Handshake> {
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
    return { secure, ...judgeCertificate(secure, host) };
  } catch (error) {
    secure.destroy();
    throw signal.aborted ? asError(signal.reason) : error;
  }
}

/** The names of a certificate's chain, from the host's certificate up. */
function namesOf(leaf: Partial<DetailedPeerCertificate>): string[] {
  const names = new Map<string, string>();
  let at: Partial<DetailedPeerCertificate> | undefined = leaf;
  // A root names itself as its issuer.
  while (at?.fingerprint256 !== undefined && !names.has(at.fingerprint256)) {
    names.set(at.fingerprint256, nameOf(at.subject));
    at = at.issuerCertificate;
  }
  return [...names.values()];
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  return oneOf(name?.CN) || oneOf(name?.O) || '(no name)';
}

/** A certificate contains any text: reduced to one short line. */
function oneOf(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : '';
  return text.replace(/[^\x20-\x7e\p{L}\p{N}]/gu, '?').slice(0, 100);
}

function judgeCertificate(secure: TLSSocket, host: string): Pick<Handshake, 'isIntercepted' | 'finding'> {
  // Without a certificate (a cipher that needs none) Node answers with an empty object, unlike its types.
  const leaf: Partial<DetailedPeerCertificate> = secure.getPeerCertificate(true);
  const [name, organisation] = [nameOf(leaf.issuer), oneOf(leaf.issuer?.O)];
  // Typed as an Error, but a code.
  const fault = secure.authorized ? null : String(secure.authorizationError);
  const isIntercepted = fault !== null || !AWS_ISSUERS.includes(organisation);
  const by = `"${name}"${organisation === '' || organisation === name ? '' : ` of "${organisation}"`}`;
  const evidence = `${secure.getProtocol() ?? 'TLS'}, certificate issued by ${by}, chain ${namesOf(leaf).join(' < ')}`;
  const exempt = `Exclude ${host} (TCP 443) from TLS inspection in the proxy or security program that issues as ${by}.`;
  if (!isIntercepted) return { isIntercepted, finding: ok(evidence) };
  const finding = judgeFault(fault, evidence, exempt, host, leaf.valid_to ?? '(unknown)');
  return { isIntercepted, finding };
}

/** @param fault Node's code for an invalid chain, or null @param exempt how to end the interception */
function judgeFault(
  fault: string | null,
  evidence: string,
  exempt: string,
  host: string,
  validTo: string,
): Finding {
  switch (fault) {
    case null:
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
        `${exempt} If that is not possible, add its root certificate to the system's store, which the browser and Sightline trust.`,
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

/**
 * Requests a websocket. Without TLS interception any answer is the service's own; with it, only a 101 shows that upgrades pass.
 * @param remedy if upgrades do not pass @throws when there is no answer
 */
export function upgrade(
  { secure, isIntercepted }: Pick<Handshake, 'secure' | 'isIntercepted'>,
  host: string,
  remedy: string,
  signal: AbortSignal,
): Promise<Finding> {
  return new Promise((resolve, reject) => {
    const options = { createConnection: () => secure, perMessageDeflate: false };
    const socket = new WebSocket(`wss://${host}/`, options);
    let isSwitched = false;
    // Emitted for a 101, before its key is checked (RFC 6455, 4.1).
    socket.on('upgrade', () => (isSwitched = true));
    socket.on('open', () => {
      socket.terminate();
      resolve(ok('upgraded (101)'));
    });
    socket.on('unexpected-response', (request, { statusCode = 0, headers }) => {
      request.destroy();
      const sender = [headers.server, headers.via].filter((value) => value !== undefined).join(', ');
      const by = sender === '' ? '' : ` by ${sender.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)}`;
      resolve(judgeAnswer(statusCode, `the upgrade was answered with ${statusCode}${by}`));
    });
    socket.on('error', (error) => {
      if (isSwitched) resolve(failed('answered 101 with the wrong key: not a websocket server', remedy));
      else reject(signal.aborted ? asError(signal.reason) : error);
    });
    signal.addEventListener('abort', () => socket.terminate(), { once: true });
  });

  function judgeAnswer(status: number, evidence: string): Finding {
    if (isIntercepted)
      return warning(
        `${evidence}; TLS is intercepted on the way, which may have dropped the upgrade`,
        remedy,
      );
    if (status >= 500) return warning(`${evidence}; the service has a problem`, 'Try again later.');
    return ok(
      `${evidence}, by the service itself: TLS is not intercepted, so nothing on the way can change an upgrade`,
    );
  }
}
