// Asks the running Sightline of the same user over its control path. Its address and token are in <dataDir>/control.json.

import type { z } from 'zod';
import type { ControlAccess } from '../server/controlFile.ts';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import { postControl } from './control.ts';

/** No Sightline of this user runs, whatever control.json says. */
export class NotRunning extends SightlineError {
  constructor(problem: string, remedy: string) {
    super('CLIENT_APP_NOT_RUNNING', `${problem} ${remedy}`);
  }
}

interface Asked {
  readonly path: string;
  readonly body: object;
  readonly withinMs: number;
}

/** @throws NotRunning, or SightlineError CLIENT_CONNECTION_ERROR when the Sightline that runs refuses */
export async function askRunning<T>(
  access: ControlAccess,
  asked: Asked,
  replySchema: z.ZodType<T>,
  remedy: string,
): Promise<T> {
  const { port, pid } = access;
  const { path, body, withinMs } = asked;
  const answer = await postControl(access, path, JSON.stringify(body), withinMs).catch((error: unknown) => {
    throw new NotRunning(
      errno(error) === 'ECONNREFUSED'
        ? `Sightline (process ${pid}) has crashed or was killed.`
        : `Sightline (process ${pid}, port ${port}) ended before it answered, or another program uses that port now: ${errorMessage(error)}.`,
      remedy,
    );
  });
  if (!answer.isProven)
    throw new NotRunning(
      `Sightline (process ${pid}) has ended; another program uses its port ${port} now.`,
      remedy,
    );
  const reply = answer.status === 200 ? replySchema.safeParse(parseJson(answer.body)) : null;
  if (reply?.success === true) return reply.data;
  throw new SightlineError(
    'CLIENT_CONNECTION_ERROR',
    `The running Sightline answered ${answer.status} (${answer.body.slice(0, 300)}). It may be another version: restart it.`,
  );
}
