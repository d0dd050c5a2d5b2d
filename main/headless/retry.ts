// `sightline recordings retry`: asks the running Sightline of the same user to retry pending uploads now. Its address and
// token are in <dataDir>/control.json; without such a Sightline the command exits with 69.

import type { Command } from 'commander';
import { readControlFile } from '../server/controlFile.ts';
import {
  CONTROL_MAX_WAIT_SECONDS,
  CONTROL_RETRY_PATH,
  retryReplySchema,
  retryRequestSchema,
} from '../shared/control.ts';
import { NotRunning, askRunning } from './askRunning.ts';
import { addPolicyOptions, policyWithWarnings, print, type CommandOptions } from './options.ts';
import { recordingRows } from './recordings.ts';
import { retryOutput } from './retryModel.ts';

/** Sightline answers after it has searched its spool at the start; --wait comes on top. */
const ANSWER_WITHIN_MS = 20_000;
const REMEDY = 'Start it: it retries all pending uploads when it starts.';

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
    throw new NotRunning(
      `No Sightline of this user is running with the data folder ${values.dataDir}.`,
      REMEDY,
    );
  const withinMs = ANSWER_WITHIN_MS + body.data.waitSeconds * 1000;
  const reply = await askRunning(
    access,
    { path: CONTROL_RETRY_PATH, body: body.data, withinMs },
    retryReplySchema,
    REMEDY,
  );
  const rows = reply.unknown.length === 0 ? [] : await recordingRows(values.statusEventsFile);
  const { lines, exitCode, ...output } = retryOutput(reply, rows, body.data.waitSeconds);
  print(options.json === true ? JSON.stringify(output) : lines.join('\n'));
  process.exitCode = exitCode;
}
