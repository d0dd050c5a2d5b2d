// A sender to EventBridge whose answers and whose time the test gives.
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { join } from 'node:path';
import { NodeNetwork } from '../../../main/platform/network/nodeNetwork.ts';
import { EventBridge } from '../../../main/status/eventBridge.ts';
import { Outbox } from '../../../main/status/outbox.ts';
import type { PutResult } from '../../../main/status/putEvents.ts';
import { temporaryFolder } from './folders.ts';
import { keepingLogger } from './logs.ts';
import { idOf, statusEvent } from './statusEvents.ts';

export const REQUEST_TIMEOUT_MS = 77_777;

export type Answer = (ids: string[], signal: AbortSignal) => Promise<readonly PutResult[]>;
export const taken: Answer = (ids) => Promise.resolve(ids.map(() => ({})));
export const error = (name: string, status?: number): Error =>
  Object.assign(new Error(`says ${name}`), {
    name,
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
  });
export const failing =
  (name: string, status?: number): Answer =>
  () =>
    Promise.reject(error(name, status));
export const entryErrors =
  (codes: Readonly<Record<string, string>>): Answer =>
  (ids) =>
    Promise.resolve(ids.map((id) => (codes[id] === undefined ? {} : { ErrorCode: codes[id] })));

/** A request that gets no answer before it is aborted. */
export function unanswered(): { answer: Answer; underWay: Promise<void> } {
  let begin = (): void => undefined;
  const underWay = new Promise<void>((resolve) => (begin = resolve));
  const answer: Answer = (_, signal) => {
    begin();
    return new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(error('AbortError'))),
    );
  };
  return { answer, underWay };
}

export async function bench(ids: readonly string[] = [], random = 1, Queue = Outbox) {
  const folder = join(await temporaryFolder(), 'outbox');
  const { log, lines } = keepingLogger();
  const outbox = new Queue({ folder, log });
  for (const id of ids) await outbox.add(statusEvent(id));
  const answers: Answer[] = [];
  const requests: string[][] = [];
  const entries: PutEventsRequestEntry[] = [];
  const timers: { callback: () => void; delayMs: number }[] = [];
  let forgotten = 0;
  let now = 1000;
  const policy = {
    eventBusName: 'bus' as string | null,
    ...{ awsRegion: null, eventBridgeEndpoint: null, awsProfile: null },
  };
  const sender = new EventBridge({
    policy,
    outbox,
    network: new NodeNetwork(),
    clock: { now: () => now },
    random: () => random,
    log,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    setTimer: (callback, delayMs) => {
      const timer = { callback, delayMs };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    putEvents: {
      put: (sent, signal) => {
        const names = sent.map(({ Detail = '' }) =>
          idOf({ detail: JSON.parse(Detail) as { eventDeduplicationId: string } }),
        );
        requests.push(names);
        entries.push(...sent);
        return (answers.shift() ?? taken)(names, signal);
      },
      forgetClient: () => (forgotten += 1),
    },
  });
  return {
    ...{ folder, policy, outbox, sender, answers, requests, entries, timers, lines },
    forgotten: () => forgotten,
    at: (moment: number) => (now = moment),
    /** Starts, and waits until it is at rest. */
    run: async () => {
      sender.start();
      await sender.idle();
    },
    /** Lets the next wait pass and awaits the attempt. @returns how long the wait was */
    passWait: async () => {
      const timer = timers.shift();
      if (timer === undefined) throw new Error('nothing waits');
      timer.callback();
      await sender.idle();
      return timer.delayMs;
    },
  };
}

export const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`);
