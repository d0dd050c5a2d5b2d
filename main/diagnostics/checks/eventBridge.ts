// Whether status events can reach EventBridge. Reading a bus needs another permission than putting events on it, so this asks
// only for an answer, and reports the last attempt.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { redactUrl } from '../../platform/redact.ts';
import { errorMessage } from '../../shared/errors.ts';
import { EVENT_BRIDGE_FAILED, EVENT_BRIDGE_RECOVERED } from '../../shared/names.ts';
import { eventBridgeUrl, findCredentials } from '../aws.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { readLogLines } from '../logLines.ts';

export interface EventBus {
  readonly name: string;
  readonly endpoint: string;
  readonly pending: number;
  /** The error of the last attempt; null after a success, or without one. */
  readonly lastProblem: string | null;
  /** @throws when there are none */
  readonly findCredentials: () => Promise<unknown>;
  /** @throws when there is no answer */
  readonly reach: () => Promise<unknown>;
}

const RESUMES = 'Pending events are then sent automatically.';

export function eventBridgeCheck(
  context: Pick<CheckContext, 'policy' | 'environment' | 'servers' | 'live'>,
): Check {
  const { policy, servers, live } = context;
  return {
    name: 'EventBridge',
    run: async () => {
      if (policy.eventBusName === null)
        return skipped('no "eventBusName" is set: events are not sent to AWS');
      const url = eventBridgeUrl(context);
      const names = await readdir(join(policy.dataDir, 'outbox')).catch(() => []);
      return checkBus({
        name: policy.eventBusName,
        endpoint: url === null ? 'EventBridge' : redactUrl(url),
        pending: names.filter((name) => /^\d+\.json$/.test(name)).length,
        lastProblem:
          live === null ? await problemInLog(join(policy.dataDir, 'logs')) : live.eventBridgeProblem(),
        findCredentials: () => findCredentials(policy),
        reach: () => {
          if (url === null) throw new Error('no region is known: set "awsRegion"');
          return servers.ask('EventBridge', url, 'GET');
        },
      });
    },
  };
}

export async function checkBus(bus: EventBus): Promise<Finding> {
  const { name, endpoint, pending, lastProblem } = bus;
  const state = `${pending} ${pending === 1 ? 'event' : 'events'} pending for ${name}`;
  try {
    await bus.findCredentials();
  } catch (error) {
    return failed(
      `${state}; no credentials for AWS: ${errorMessage(error)}`,
      `Do what the check "credentials" says. ${RESUMES}`,
    );
  }
  try {
    await bus.reach();
  } catch (error) {
    return failed(
      `${state}; ${endpoint} does not answer: ${errorMessage(error)}`,
      `Check that this computer reaches that address, and that "awsRegion" and "eventBridgeEndpoint" are right in Sightline's policy. ${RESUMES}`,
    );
  }
  if (lastProblem === null) return ok(`${state}; ${endpoint} answers`);
  return warning(
    `${state}; ${endpoint} answers; the last attempt: ${lastProblem}`,
    `If AWS rejected it, give the credentials the permission events:PutEvents for that event bus, and check that a bus of that name exists in that region. ${RESUMES}`,
  );
}

/** The log lines of the sender (status/eventBridge.ts). */
async function problemInLog(folder: string): Promise<string | null> {
  let problem: string | null = null;
  await readLogLines(folder, ({ event, time, code, reason }) => {
    if (event === EVENT_BRIDGE_RECOVERED) problem = null;
    if (event === EVENT_BRIDGE_FAILED)
      problem = `${time} ${typeof code === 'string' ? code : ''}: ${typeof reason === 'string' ? reason : ''}`;
  });
  return problem;
}
