// The composition root's part for policy that may change: options for services whose fields are read from policy each
// time, and what a change makes of those that hold on to something.

import type { CaptureOptions } from '../capture/capture.ts';
import type { DisplaysOptions, MonitorSource } from '../capture/displays.ts';
import type { FfmpegFinder, FfmpegSearch } from '../capture/ffmpegBinary.ts';
import type { UploadService } from '../publisher/uploadService.ts';
import type { Policy, PolicyKey } from '../policy/keys.ts';
import type { LivePolicy } from '../policy/live.ts';
import type { SessionOptions } from '../session/step.ts';
import type { QuotaLimits, QuotaOptions } from '../spool/quota.ts';
import { limitsOf } from '../spool/quota.ts';
import type { OpenEventBridge } from '../status/startEventBridge.ts';
import type { StatusEvents, StatusEventsOptions } from '../status/statusEvents.ts';

/** Who tells of changes of policy, and is told when one disturbs nobody (policy/live.ts). */
export type PolicyChanges = Pick<LivePolicy, 'onChange' | 'contactsAreOn' | 'look'>;

type Fields<T> = { readonly [K in keyof T]: () => T[K] };

/** `fixed`, with fields that are worked out anew each time they are read. A spread would freeze them. */
function withCurrent<F extends object, C extends object>(fixed: F, current: Fields<C>): F & C {
  const options: object = { ...fixed };
  for (const [name, get] of Object.entries(current))
    Object.defineProperty(options, name, { enumerable: true, get: get as () => unknown });
  return options as F & C;
}

/** @param policy whose values change in place */
export function currentSettings(policy: Policy) {
  return {
    ffmpegSearch: (resourcesFolder: string) =>
      withCurrent<Pick<FfmpegSearch, 'resourcesFolder'>, Omit<FfmpegSearch, 'resourcesFolder'>>(
        { resourcesFolder },
        { ffmpegPath: () => policy.ffmpegPath, encoder: () => policy.encoder },
      ),
    displays: (source: MonitorSource | null): DisplaysOptions =>
      withCurrent(
        { platform: process.platform, display: policy.display, source },
        { maxMonitors: () => policy.maxMonitors },
      ),
    quota: (fixed: Omit<QuotaOptions, keyof QuotaLimits>): QuotaOptions =>
      withCurrent<typeof fixed, QuotaLimits>(fixed, {
        quotaBytes: () => limitsOf(policy).quotaBytes,
        minFreeBytes: () => limitsOf(policy).minFreeBytes,
        keepPublishedMs: () => limitsOf(policy).keepPublishedMs,
      }),
    capture: (fixed: Omit<CaptureOptions, 'fps'>): CaptureOptions =>
      withCurrent(fixed, { fps: () => policy.fps }),
    statusEvents: (
      fixed: Omit<StatusEventsOptions, 'file' | 'outbox'>,
      bridge: () => OpenEventBridge | null,
    ): StatusEventsOptions =>
      withCurrent(fixed, { file: () => policy.statusEventsFile, outbox: () => bridge()?.outbox }),
    session: (newRunId: () => string): SessionOptions =>
      withCurrent(
        { newRunId, startDeadlineMs: 10_000 },
        {
          graceMs: () => policy.graceSeconds * 1000,
          suspendMaxSeconds: () => policy.suspendMaxSeconds,
          resumeAfterRestart: () => policy.resumeAfterRestart,
          agentMaySuspend: () => policy.agentMaySuspend,
        },
      ),
  };
}

/** What EventBridge's sender holds on to. */
const eventBridgeKeys: readonly PolicyKey[] = [
  'eventBusName',
  'eventBridgeEndpoint',
  'awsRegion',
  'awsProfile',
];

export interface Followers {
  readonly finder: FfmpegFinder;
  readonly lookForEncoder: () => void;
  readonly uploads: UploadService;
  readonly statusEvents: StatusEvents;
  /** Ends the sender that is, and begins with another one. */
  readonly reopenEventBridge: () => Promise<void>;
  readonly showPauses: () => void;
  readonly closeUnallowedPages: () => void;
}

export function followPolicy(
  changes: PolicyChanges | undefined,
  { finder, uploads, statusEvents, ...act }: Followers,
): () => void {
  if (changes === undefined) return () => undefined;
  return changes.onChange((keys) => {
    if (keys.has('ffmpegPath') || keys.has('encoder')) {
      finder.forget();
      act.lookForEncoder();
    }
    uploads.policyChanged(keys);
    if (keys.has('pauseOnLock')) act.showPauses();
    // While nothing is written: two outboxes in one folder would take each other's names.
    if (eventBridgeKeys.some((key) => keys.has(key)))
      void statusEvents.betweenOutboxWrites(() => act.reopenEventBridge());
    statusEvents.retryNow();
    act.closeUnallowedPages();
  });
}
