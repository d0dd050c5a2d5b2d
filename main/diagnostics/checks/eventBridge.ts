// Whether status events can reach EventBridge: the right to look at a bus is another one than to put events on it, so
// this asks for no more than an answer, and tells what the last try came to.

import type { Check } from '../check.ts';
import { failed, ok, skipped, warning, wordsOf } from '../check.ts';

export interface EventBus {
  readonly name: string;
  readonly endpoint: string;
  /** The HTTP status of whatever answers there. @throws when nothing does */
  readonly reach: () => Promise<number>;
  /** @throws when there are none */
  readonly findCredentials: () => Promise<unknown>;
  readonly pending: () => Promise<number>;
  /** null: the last try went well, or there was none. */
  readonly lastProblem: () => Promise<string | null>;
}

/** null: policy names no bus. */
export type EventBridgeSubject = EventBus | null;

export function eventBridgeCheck(bus: EventBridgeSubject): Check {
  return {
    name: 'EventBridge',
    run: async () => {
      if (bus === null) return skipped('no "eventBusName" is set: events are not sent to AWS');
      const [waiting, problem] = await Promise.all([bus.pending(), bus.lastProblem()]);
      const state = `${waiting} ${waiting === 1 ? 'event waits' : 'events wait'} for ${bus.name}`;
      try {
        await bus.findCredentials();
      } catch (error) {
        return failed(
          `${state}; no credentials for AWS: ${wordsOf(error)}`,
          'Do what the check "credentials" says. What waits is sent by itself then.',
        );
      }
      try {
        await bus.reach();
      } catch (error) {
        return failed(
          `${state}; ${bus.endpoint} does not answer: ${wordsOf(error)}`,
          'See that this computer reaches that address, and that "awsRegion" and "eventBridgeEndpoint" are right in Sightline\'s policy. What waits is sent by itself then.',
        );
      }
      if (problem !== null)
        return warning(
          `${state}; ${bus.endpoint} answers; the last try: ${problem}`,
          'If AWS refused it, give the credentials the right events:PutEvents for that event bus, and see that there is a bus of that name in that region. What waits is sent by itself then.',
        );
      return ok(`${state}; ${bus.endpoint} answers`);
    },
  };
}
