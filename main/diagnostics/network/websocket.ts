// Whether websockets pass: an upgrade request without cookies or credentials. Without TLS interception any answer is the service's
// own; with it, only a 101 shows that upgrades pass.

import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { asError, networkMessage } from '../deadline.ts';
import type { Finding } from '../check.ts';
import { failed, ok, warning } from '../check.ts';

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
      else resolve({ kind: 'cut', words: networkMessage(error) });
    });
    upgrade.end();
  });
}

/** @param intercepted whether TLS to the host is intercepted */
export function judgeUpgrade(
  answer: UpgradeAnswer,
  intercepted: boolean,
  host: string,
  allow: string,
): Finding {
  const remedy = `Let websockets (HTTP Upgrade) to ${host} pass in the proxy or security program, preferably by excluding it from TLS inspection. ${allow}`;
  switch (answer.kind) {
    case 'switched':
      if (answer.hasRightKey) return ok('upgraded (101)');
      return failed('answered 101 with the wrong key: not a websocket server', remedy);
    case 'answered': {
      const by = answer.by === '' ? '' : ` by ${answer.by}`;
      const evidence = `the upgrade was answered with ${answer.status}${by}`;
      if (intercepted)
        return warning(
          `${evidence}; TLS is intercepted on the way, which may have dropped the upgrade`,
          remedy,
        );
      if (answer.status >= 500) return warning(`${evidence}; the service has a problem`, 'Try again later.');
      return ok(
        `${evidence}, by the service itself: TLS is not intercepted, so nothing on the way can change an upgrade`,
      );
    }
    case 'cut':
      return failed(`the upgrade was not answered: ${answer.words}`, remedy);
  }
}
