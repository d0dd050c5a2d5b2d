// The control path as seen from outside the recorder: its file, and requests of every kind, honest or not.
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { ControlAccess } from '../../main/server/controlFile.ts';
import { readControlFile } from '../../main/server/controlFile.ts';
import { CONTROL_RETRY_PATH } from '../../main/shared/control.ts';
import type { Recorder } from './recorder.ts';

/** Logged for each request that was let in, and for no other. */
export const LET_IN = 'the command line requested';

export async function accessOf(recorder: Recorder): Promise<ControlAccess> {
  const access = await readControlFile(recorder.dataDir);
  if (access === null) throw new Error('there is no control.json');
  return access;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request to the control path, with these headers and no token but theirs. */
export function sendControl(
  port: number,
  headers: Record<string, string>,
  { method = 'POST', body = '{}', host = '127.0.0.1', path = CONTROL_RETRY_PATH } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, path, method, headers, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.once('end', () =>
        resolve({ status: incoming.statusCode, headers: incoming.headers, body: text }),
      );
    });
    outgoing.once('error', reject);
    outgoing.end(method === 'GET' ? undefined : body);
  });
}

/** Sends these bytes and no more, and resolves with the status line of what comes back. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.once('error', reject);
    socket.once('data', (data) => {
      resolve(data.toString('latin1').split('\r\n', 1)[0] ?? '');
      socket.destroy();
    });
    // After an answer this changes nothing any more.
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}
