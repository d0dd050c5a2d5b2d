// One request of the command line to the running Sightline of the same user, whose address and token are in
// <dataDir>/control.json.

import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { wholeAnswer } from '../platform/limits.ts';
import type { ControlAccess } from '../server/controlFile.ts';
import { CONTROL_PROOF_HEADER } from '../shared/control.ts';

const MAX_REPLY_BYTES = 8 * 1024 * 1024;

interface ControlAnswer {
  readonly status: number;
  /** Another program on that port cannot prove that it is Sightline: its answer is worth nothing. */
  readonly isProven: boolean;
  readonly body: string;
}

/** To 127.0.0.1 and no name: on that address only Sightline uses the port while it runs. */
export async function postControl(
  { port, token, proof }: ControlAccess,
  path: string,
  body: string,
  withinMs: number,
): Promise<ControlAnswer> {
  const outgoing = request({
    ...{ host: '127.0.0.1', port, method: 'POST', path, agent: false },
    signal: AbortSignal.timeout(withinMs),
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    },
  });
  outgoing.on('error', () => undefined); // after the answer has begun, its own stream reports it
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const answer = await wholeAnswer(incoming, MAX_REPLY_BYTES);
  const { statusCode: status = 0, headers } = incoming;
  const isProven = headers[CONTROL_PROOF_HEADER] === proof;
  return { status, isProven, body: answer.toString('utf8') };
}
