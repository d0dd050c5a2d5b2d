// The outbox and the sender for the EventBridge bus that policy names. Without a bus there is neither.

import { join } from 'node:path';
import type { Logger } from '../platform/log.ts';
import type { Clock } from '../shared/time.ts';
import { EventBridge } from './eventBridge.ts';
import { Outbox } from './outbox.ts';

export interface EventBridgePolicy {
  readonly dataDir: string;
  readonly eventBusName: string | null;
  readonly eventBridgeEndpoint: string | null;
  readonly awsRegion: string | null;
  readonly awsProfile: string | null;
}

/** A change of these needs a new sender. */
const senderKeys: readonly (keyof EventBridgePolicy)[] = [
  'eventBusName',
  'eventBridgeEndpoint',
  'awsRegion',
  'awsProfile',
];

export class EventBridgeLink {
  private open: { readonly outbox: Outbox; readonly sender: EventBridge } | null;

  constructor(
    private readonly policy: EventBridgePolicy,
    private readonly ports: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.open = this.create();
  }

  /** undefined: policy names no bus. */
  get outbox(): Outbox | undefined {
    return this.open?.outbox;
  }

  /** Why the newest attempt failed; null when it did not, or there is no bus. */
  get problem(): string | null {
    return this.open?.sender.lastProblem?.message ?? null;
  }

  /** Also sends what an earlier process left. */
  start(): void {
    this.open?.sender.start();
  }

  /** Resolves when everything in the outbox is sent, or waits for its next attempt. */
  async idle(): Promise<void> {
    await this.open?.sender.idle();
  }

  async stop(): Promise<void> {
    await this.open?.sender.stop();
  }

  /** @param between runs a function while nothing is written: two outboxes in one folder would use the same names */
  policyChanged(keys: ReadonlySet<string>, between: (act: () => Promise<void>) => Promise<void>): void {
    if (!senderKeys.some((key) => keys.has(key))) return;
    void between(async () => {
      await this.stop();
      this.open = this.create();
      this.start();
    });
  }

  private create(): EventBridgeLink['open'] {
    const { dataDir, eventBusName: bus, awsRegion: region, awsProfile: profile } = this.policy;
    if (bus === null) return null;
    const { clock, log } = this.ports;
    const outbox = new Outbox({ folder: join(dataDir, 'outbox'), log });
    const endpoint = this.policy.eventBridgeEndpoint;
    const sender = new EventBridge({
      ...{ bus, region, endpoint, profile },
      ...{ outbox, clock, random: Math.random, log },
    });
    return { outbox, sender };
  }
}
