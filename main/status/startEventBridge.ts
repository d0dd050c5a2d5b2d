// What policy says of EventBridge, made into an outbox and its sender. Without a bus there is neither.

import { join } from 'node:path';
import type { Logger } from '../platform/log.ts';
import type { Clock } from '../shared/time.ts';
import { EventBridge } from './eventBridge.ts';
import { Outbox } from './outbox.ts';

/** The policy keys that it goes by. */
export interface EventBridgePolicy {
  readonly dataDir: string;
  readonly eventBusName: string | null;
  readonly eventBridgeEndpoint: string | null;
  readonly awsRegion: string | null;
  readonly awsProfile: string | null;
}

export interface OpenEventBridge {
  readonly outbox: Outbox;
  /** Not started yet: what was left by an earlier process goes out when it is. */
  readonly sender: EventBridge;
}

export function openEventBridge(
  policy: EventBridgePolicy,
  { clock, log }: { clock: Clock; log: Logger },
): OpenEventBridge | null {
  if (policy.eventBusName === null) return null;
  const outbox = new Outbox({ folder: join(policy.dataDir, 'outbox'), log });
  const sender = new EventBridge({
    bus: policy.eventBusName,
    region: policy.awsRegion,
    endpoint: policy.eventBridgeEndpoint,
    profile: policy.awsProfile,
    outbox,
    clock,
    random: Math.random,
    log,
  });
  return { outbox, sender };
}
