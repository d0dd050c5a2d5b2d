// What becomes of a websocket on the way: an upgrade request without cookies or credentials. Where TLS is not opened
// nobody on the way can see it, and any answer is the service's own; where it is opened only a 101 shows that it passes.

import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { asError, wordsOf } from './deadline.ts';
import type { NetworkFinding } from './types.ts';

export type UpgradeAnswer =
  | { readonly kind: 'switched'; readonly hasRightKey: boolean }
  | { readonly kind: 'answered'; readonly status: number; /** Server and Via. */ readonly by: string }
  | { readonly kind: 'cut'; readonly words: string };

/** RFC 6455, 4.1 and 4.2.2 */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @throws the signal's reason only */
export function askUpgrade(secure: TLSSocket, host: string, signal: AbortSignal): Promise<UpgradeAnswer> {
  const key = randomBytes(16).toString('base64');
  const accept = createHash('sha1').update(`${key}${KEY_SUFFIX}`).digest('base64');
  return new Promise((resolve, reject) => {
    const upgrade = request({
      createConnection: () => secure,
      host,
      path: '/',
      headers: {
        Host: host,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': key,
      },
      signal,
    });
    upgrade.on('upgrade', ({ headers }, socket) => {
      socket.destroy();
      resolve({ kind: 'switched', hasRightKey: headers['sec-websocket-accept'] === accept });
    });
    upgrade.on('response', (response) => {
      const { statusCode = 0, headers } = response;
      response.destroy();
      const by = [headers.server, headers.via].filter((value) => value !== undefined).join(', ');
      resolve({
        kind: 'answered',
        status: statusCode,
        by: by.replace(/[^\x20-\x7e]/g, '?').slice(0, 100),
      });
    });
    upgrade.on('error', (error) => {
      if (signal.aborted) reject(asError(signal.reason));
      else resolve({ kind: 'cut', words: wordsOf(error) });
    });
    upgrade.end();
  });
}

/** @param isOpened whether TLS to the host is opened on the way */
export function judgeUpgrade(
  answer: UpgradeAnswer,
  isOpened: boolean,
  host: string,
  allow: string,
): NetworkFinding {
  const remedy = `Let websockets (HTTP Upgrade) to ${host} pass in the proxy or security program, best by leaving TLS to it unopened. ${allow}`;
  switch (answer.kind) {
    case 'switched':
      if (answer.hasRightKey) return { verdict: 'ok', evidence: 'upgraded (101)', remedy: '' };
      return {
        verdict: 'failed',
        evidence: 'answered 101 with the wrong key: what answers is no websocket server',
        remedy,
      };
    case 'answered': {
      const by = answer.by === '' ? '' : ` by ${answer.by}`;
      const said = `the upgrade was answered with ${answer.status}${by}`;
      if (isOpened) {
        return {
          verdict: 'warning',
          evidence: `${said}; TLS is opened on the way, so that whoever opens it may have dropped the upgrade`,
          remedy,
        };
      }
      if (answer.status >= 500)
        return {
          verdict: 'warning',
          evidence: `${said}; the service is in trouble`,
          remedy: 'Try again later.',
        };
      return {
        verdict: 'ok',
        evidence: `${said}, by the service itself: TLS is not opened, so nothing on the way can change an upgrade`,
        remedy: '',
      };
    }
    case 'cut':
      return { verdict: 'failed', evidence: `the upgrade was not answered: ${answer.words}`, remedy };
  }
}
