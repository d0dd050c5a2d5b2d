// `sightline recordings retry`: asks the running Sightline of the same user to retry pending uploads now. Its address and
// token are in <dataDir>/control.json; without such a Sightline the command exits with 69.

import type { Command } from 'commander';
import { readControlFile, type ControlAccess } from '../server/controlFile.ts';
import {
  CONTROL_MAX_WAIT_SECONDS,
  CONTROL_RETRY_PATH,
  retryReplySchema,
  retryRequestSchema,
  type RetryReply,
  type RetryRequest,
} from '../shared/control.ts';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import { postControl } from './control.ts';
import { addPolicyOptions, policyWithWarnings, print, type CommandOptions } from './options.ts';
import { recordingRows } from './recordings.ts';
import { retryOutput } from './retryModel.ts';

/** Sightline answers after it has searched its spool at the start; --wait comes on top. */
const ANSWER_WITHIN_MS = 20_000;

type RetryOptions = CommandOptions & { readonly wait?: number };

/** @param recordings the command `sightline recordings` */
export function addRetryCommand(recordings: Command): void {
  const seconds = (text: string): number => {
    if (/^\d{1,3}$/.test(text) && Number(text) <= CONTROL_MAX_WAIT_SECONDS) return Number(text);
    return command.error(`error: --wait needs a whole number from 0 to ${CONTROL_MAX_WAIT_SECONDS}`);
  };
  const command = recordings
    .command('retry')
    .argument('[names...]', 'recordingIds or contactIds; all pending recordings if omitted')
    .description('ask the running Sightline to retry pending uploads now')
    .option('--json', 'print one JSON object')
    .option('--wait <seconds>', 'wait for the results', seconds, 0);
  addPolicyOptions(command).action(retryCommand);
}

async function retryCommand(names: string[], given: RetryOptions, command: Command): Promise<void> {
  const options: RetryOptions = { ...command.parent?.opts<CommandOptions>(), ...given };
  const { values } = await policyWithWarnings(options);
  const asked = { ...(names.length === 0 ? {} : { names }), waitSeconds: options.wait ?? 0 };
  const body = retryRequestSchema.safeParse(asked);
  if (!body.success) return command.error('error: at most 100 names, each of 1 to 256 characters');
  const access = await readControlFile(values.dataDir);
  if (access === null)
    throw notRunning(`No Sightline of this user is running with the data folder ${values.dataDir}.`);
  const reply = await askRunning(access, body.data);
  const rows = reply.unknown.length === 0 ? [] : await recordingRows(values.statusEventsFile);
  const { lines, exitCode, ...output } = retryOutput(reply, rows, body.data.waitSeconds);
  print(options.json === true ? JSON.stringify(output) : lines.join('\n'));
  process.exitCode = exitCode;
}

/** @throws SightlineError CLIENT_APP_NOT_RUNNING, or CLIENT_CONNECTION_ERROR when the Sightline that runs refuses */
async function askRunning(access: ControlAccess, asked: RetryRequest): Promise<RetryReply> {
  const { port, pid } = access;
  const withinMs = ANSWER_WITHIN_MS + (asked.waitSeconds ?? 0) * 1000;
  const answer = await postControl(access, CONTROL_RETRY_PATH, JSON.stringify(asked), withinMs).catch(
    (error: unknown) => {
      throw notRunning(
        errno(error) === 'ECONNREFUSED'
          ? `Sightline (process ${pid}) has crashed or was killed.`
          : `Sightline (process ${pid}, port ${port}) ended before it answered, or another program uses that port now: ${errorMessage(error)}.`,
      );
    },
  );
  if (!answer.isProven)
    throw notRunning(`Sightline (process ${pid}) has ended; another program uses its port ${port} now.`);
  const reply = answer.status === 200 ? retryReplySchema.safeParse(parseJson(answer.body)) : null;
  if (reply?.success === true) return reply.data;
  throw new SightlineError(
    'CLIENT_CONNECTION_ERROR',
    `The running Sightline answered ${answer.status} (${answer.body.slice(0, 300)}). It may be another version: restart it.`,
  );
}

function notRunning(problem: string): SightlineError {
  const what = `${problem} Start it: it retries all pending uploads when it starts.`;
  return new SightlineError('CLIENT_APP_NOT_RUNNING', what);
}
