// `sightline recordings retry`: asks the running Sightline of the same user to retry pending uploads now. Its address and
// token are in <dataDir>/control.json; without such a Sightline the command exits with 69.

import { request } from 'node:http';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ControlAccess } from '../server/controlFile.ts';
import { readControlFile } from '../server/controlFile.ts';
import type { RetryReply, RetryRequest } from '../shared/control.ts';
import {
  CONTROL_MAX_WAIT_SECONDS,
  CONTROL_PROOF_HEADER,
  CONTROL_RETRY_PATH,
  retryReplySchema,
  retryRequestSchema,
} from '../shared/control.ts';
import { SightlineError, errno } from '../shared/errors.ts';
import type { CommandOptions } from './options.ts';
import { policyWithWarnings } from './options.ts';
import { recordingRows } from './recordings.ts';
import { retryOutput } from './retryModel.ts';

/** Sightline answers after it has searched its spool at the start; --wait comes on top. */
const ANSWER_WITHIN_MS = 20_000;
const MAX_REPLY_BYTES = 8 * 1024 * 1024;
const RETRIES_AT_START = 'Start it: it retries all pending uploads when it starts.';

export type RetryOptions = CommandOptions & { readonly wait?: number };

export function addRetryOptions(command: Command): Command {
  return command.addOption(
    new Option('--wait <seconds>', 'wait for the results').default(0).argParser((text) => {
      if (/^\d{1,3}$/.test(text) && Number(text) <= CONTROL_MAX_WAIT_SECONDS) return Number(text);
      return command.error(`error: --wait needs a whole number from 0 to ${CONTROL_MAX_WAIT_SECONDS}`);
    }),
  );
}

export async function retryCommand(names: string[], options: RetryOptions, command: Command): Promise<void> {
  const { values } = await policyWithWarnings({ ...command.parent?.opts<CommandOptions>(), ...options });
  const asked = { ...(names.length === 0 ? {} : { names }), waitSeconds: options.wait ?? 0 };
  const body = retryRequestSchema.safeParse(asked);
  if (!body.success) return command.error('error: at most 100 names, each of 1 to 256 characters');
  const access = await readControlFile(values.dataDir);
  if (access === null) {
    throw notRunning(`No Sightline of this user is running with the data folder ${values.dataDir}.`);
  }
  const reply = await askRunning(access, body.data);
  const rows = reply.unknown.length === 0 ? [] : await recordingRows(values.statusEventsFile);
  const { lines, exitCode, ...output } = retryOutput(reply, rows, body.data.waitSeconds);
  const isJson = options.json === true || command.parent?.opts<CommandOptions>().json === true;
  process.stdout.write(isJson ? `${JSON.stringify(output)}\n` : `${lines.join('\n')}\n`);
  process.exitCode = exitCode;
}

/** @throws SightlineError CLIENT_APP_NOT_RUNNING, or CLIENT_CONNECTION_ERROR when the Sightline that runs refuses */
async function askRunning(access: ControlAccess, asked: RetryRequest): Promise<RetryReply> {
  const { port, pid, proof } = access;
  let answer: Answer;
  try {
    answer = await post(access, JSON.stringify(asked), ANSWER_WITHIN_MS + (asked.waitSeconds ?? 0) * 1000);
  } catch (error) {
    if (errno(error) === 'ECONNREFUSED') {
      throw notRunning(`Sightline (process ${pid}) has ended without saying so, by a crash or a power cut.`);
    }
    const why = error instanceof Error ? error.message : String(error);
    throw notRunning(
      `Sightline (process ${pid}, port ${port}) ended before it answered, or that port is another program's now: ${why}.`,
    );
  }
  if (answer.proof !== proof) {
    throw notRunning(`Sightline (process ${pid}) has ended; its port ${port} is another program's now.`);
  }
  const reply = answer.status === 200 ? retryReplySchema.safeParse(parse(answer.body)) : null;
  if (reply?.success === true) return reply.data;
  throw new SightlineError(
    'CLIENT_CONNECTION_ERROR',
    `The Sightline that runs answers ${answer.status} (${answer.body.slice(0, 300)}). Is it of another version? Start it again.`,
  );
}

interface Answer {
  readonly status: number;
  readonly proof: string | undefined;
  readonly body: string;
}

/** 127.0.0.1 and no name: on that address the port is Sightline's alone for as long as it runs. */
function post({ port, token }: ControlAccess, body: string, withinMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: CONTROL_RETRY_PATH,
        agent: false,
        signal: AbortSignal.timeout(withinMs),
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        incoming.on('data', (chunk: Buffer) => {
          sizeBytes += chunk.byteLength;
          if (sizeBytes > MAX_REPLY_BYTES) outgoing.destroy(new Error('its answer has no end'));
          else chunks.push(chunk);
        });
        incoming.once('error', reject);
        incoming.once('end', () => {
          const proof = incoming.headers[CONTROL_PROOF_HEADER];
          resolve({
            status: incoming.statusCode ?? 0,
            proof: typeof proof === 'string' ? proof : undefined,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function notRunning(problem: string): SightlineError {
  return new SightlineError('CLIENT_APP_NOT_RUNNING', `${problem} ${RETRIES_AT_START}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
