// What IT learns of this desk besides its recordings: how the recorder has ended, the heartbeat, metrics. Nothing here may
// keep anything from being recorded or uploaded.

import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { plainTimer, within } from '../platform/deadline.ts';
import type { Logger } from '../platform/log.ts';
import type { Network } from '../platform/network/network.ts';
import { appVersion } from '../platform/version.ts';
import type { DeskEvent, EndCause, EndInfo } from '../shared/deskEvent.ts';
import type { Manifest } from '../shared/manifest.ts';
import type { Identity } from '../shared/protocol.ts';
import type { ClientInfo, StatusDetail, StatusEvent } from '../shared/statusEvent.ts';
import type { Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import { Delivery, HeartbeatPost } from './delivery.ts';
import { EventsReader, parseEvents } from '../status/eventsReader.ts';
import type { HeartbeatFacts } from './heartbeat.ts';
import { Heartbeat } from './heartbeat.ts';
import type { StatusHub } from '../status/hub.ts';
import { readLastChecks } from './lastChecks.ts';
import { Metrics } from './metrics.ts';
import type { EndedRun } from './runMark.ts';
import { RunMark } from './runMark.ts';
import type { StatusEvents } from '../status/statusEvents.ts';

export interface FleetOptions {
  /** Read each time: policy may change. */
  readonly policy: {
    readonly dataDir: string;
    readonly statusEventsFile: string;
    readonly heartbeat: 'off' | 'events' | 'url';
    readonly heartbeatUrl: string | null;
    readonly otlpEndpoint: string | null;
  };
  readonly policyHash: () => string;
  readonly network: Network;
  readonly hub: StatusHub;
  readonly statusEvents: StatusEvents;
  readonly clientInfo: () => ClientInfo;
  /** The agent who is signed in now. */
  readonly agent: () => Identity | null;
  readonly backlog: () => { waiting: number; waitingBytes: number; oldest: Moment | null };
  readonly newEventId: () => string;
  readonly log: Logger;
}

type Desk = Pick<StatusDetail, 'agentArn' | 'instanceArn'>;
type LastContact = NonNullable<HeartbeatFacts['info']['lastContact']>;

const TICK_MS = 60_000;
/** Quitting does not wait longer for a collector. */
const LAST_METRICS_MS = 1000;
/** Of the events file: more than a day's last events. */
const TAIL_BYTES = 256 * 1024;
const TAIL_WITHIN_MS = 1000;

export class Fleet {
  private readonly mark: RunMark;
  private readonly post: HeartbeatPost;
  private readonly heartbeat: Heartbeat;
  private readonly metrics: Metrics;
  private readonly endFollowing: () => void;
  private cancelTick = (): void => undefined;
  /** Of the newest event. */
  private desk: Desk | null = null;
  private lastContact: (LastContact & { readonly id: string }) | null = null;
  private previousEnd: EndInfo | undefined;
  private leavingRun: Promise<EndedRun | null> | null = null;

  constructor(private readonly options: FleetOptions) {
    const { policy, network, hub, log } = options;
    this.mark = new RunMark({ dataDir: policy.dataDir, appVersion, log });
    this.post = new HeartbeatPost(policy, new Delivery('heartbeats', network, log));
    const gather = (): Promise<HeartbeatFacts> => this.gather();
    this.heartbeat = new Heartbeat({ policy, gather, log, send: (facts) => this.send(facts) });
    this.metrics = new Metrics({
      ...{ policy, gather, appVersion, deskId: deskId(), log },
      delivery: new Delivery('metrics', network, log),
    });
    this.endFollowing = hub.subscribe((push) => {
      if (push.type === 'recording.status') {
        this.noteEvent(push.event);
        this.metrics.count(push.event.detail);
      }
      this.heartbeat.changed();
    });
  }

  /** This process has the data folder and the port: announces how earlier recorders have ended. */
  async begin(): Promise<void> {
    const reader = new EventsReader(this.options.policy.statusEventsFile, TAIL_BYTES);
    // A share that hangs must not delay the start.
    const tail = await within(reader.next(), TAIL_WITHIN_MS, '').catch(() => '');
    for (const { event } of parseEvents(tail)) this.noteEvent(event);
    for (const end of await this.mark.begin()) {
      const { cause, endTime } = end.info;
      if (cause === 'unexpected')
        this.options.log.warn('the recorder before had not ended properly', { since: endTime });
      this.previousEnd = end.info;
      this.announce(end);
    }
    this.tick();
  }

  contactsAreOn(areOn: boolean): void {
    void this.mark.contactsAreOn(areOn);
  }

  uploaded(manifest: Manifest, uploadMs: number): void {
    this.metrics.uploaded(manifest, uploadMs);
  }

  policyChanged(keys: ReadonlySet<string>): void {
    if (keys.has('otlpEndpoint')) this.metrics.restart();
    this.heartbeat.changed();
  }

  /** From now on the next start knows that this end was meant. */
  leaving(cause: EndCause): void {
    this.leavingRun ??= this.mark.end(cause);
  }

  /** After the last event of a recording. Resolves when the event is on its way to file and outbox. */
  async announceEnd(): Promise<void> {
    const end = await this.leavingRun;
    if (end !== null) this.announce(end);
  }

  /** Resolves when the data folder is as the next start must find it. */
  async stop(): Promise<void> {
    this.endFollowing();
    this.cancelTick();
    this.heartbeat.stop();
    this.post.stop();
    await Promise.all([this.mark.idle(), within(this.metrics.stop(), LAST_METRICS_MS, undefined)]);
  }

  private tick(): void {
    this.cancelTick = plainTimer(() => {
      void this.mark.alive();
      void this.heartbeat.look();
      this.tick();
    }, TICK_MS);
  }

  private announce({ deduplicationId, info, settle }: EndedRun): void {
    const event = {
      'detail-type': 'Recorder Ended',
      detail: { ...this.detail(deduplicationId), endInfo: info },
    } as const;
    void this.options.statusEvents.announceDesk({ ...this.envelope(), ...event }).then(settle);
  }

  private send({ info }: HeartbeatFacts): void {
    const envelope = this.envelope();
    // Each is another one: nothing repeats a heartbeat.
    const event: DeskEvent = {
      ...envelope,
      'detail-type': 'Recorder Heartbeat',
      detail: { ...this.detail(`${envelope.id}:HEARTBEAT`), heartbeat: info },
    };
    if (this.options.policy.heartbeat === 'events') this.options.statusEvents.offer(event);
    else this.post.offer(event);
  }

  private async gather(): Promise<HeartbeatFacts> {
    const { policy, hub, backlog, policyHash } = this.options;
    const { state, reason, uploads } = hub.state;
    const { waiting, waitingBytes, oldest } = backlog();
    const [lastChecks, disk] = await Promise.all([
      readLastChecks(policy.dataDir),
      statfs(policy.dataDir).catch(() => null),
    ]);
    const { lastContact } = this;
    const info = {
      ...{ startTime: this.mark.startTime, state, policyHash: policyHash() },
      ...(state === 'problem' && reason !== null && { reason: reason.code }),
      uploads: {
        ...{ waiting, waitingBytes, failed: uploads.failed },
        ...(oldest !== null && { oldestTime: toTimestamp(oldest) }),
        ...(uploads.reason !== null && { reason: uploads.reason.code }),
      },
      ...(disk !== null && { freeBytes: disk.bavail * disk.bsize }),
      ...(lastContact !== null && { lastContact: { time: lastContact.time, outcome: lastContact.outcome } }),
      ...(lastChecks !== undefined && { lastChecks }),
      ...(this.previousEnd !== undefined && { previousEnd: this.previousEnd }),
    };
    return { info, agentArn: this.who()?.agentArn };
  }

  /** Of a trial nothing: it is no contact, and no agent's. */
  private noteEvent({ time: at, detail }: StatusEvent): void {
    if (detail.sightline?.trial === true) return;
    const [id = ''] = detail.eventDeduplicationId.split(':', 1);
    const time = timeOf(detail) ?? at;
    // An older contact may be published, or fail, later.
    if (this.lastContact !== null && id !== this.lastContact.id && time < this.lastContact.time) return;
    this.desk = detail;
    this.lastContact = { id, time, outcome: detail.recordingStatus };
  }

  private who(): Desk | null {
    return this.options.agent() ?? this.desk;
  }

  private envelope(): Omit<DeskEvent, 'detail-type' | 'detail'> {
    const instanceArn = this.who()?.instanceArn ?? '';
    const [, , , region = '', account = ''] = instanceArn.split(':');
    const resources = instanceArn === '' ? [] : [instanceArn];
    const time = toTimestamp(Date.now());
    return {
      version: '0',
      id: this.options.newEventId(),
      source: 'sightline',
      account,
      time,
      region,
      resources,
    };
  }

  private detail(eventDeduplicationId: string): Omit<DeskEvent['detail'], 'endInfo' | 'heartbeat'> {
    const { agentArn, instanceArn } = this.who() ?? {};
    return {
      ...{ version: '1.0', eventDeduplicationId, deskId: deskId() },
      ...(instanceArn !== undefined && { instanceArn }),
      ...(agentArn !== undefined && { agentArn }),
      clientInfo: this.options.clientInfo(),
    };
  }
}

function timeOf(detail: StatusDetail): string | null {
  if (detail.recordingStatus === 'INITIATED') return null;
  return detail.recordingStatus === 'FAILED' ? detail.recordingInfo.startTime : detail.recordingInfo.endTime;
}

/** The same as long as computer and user have the same names: IT can find a desk by it, and the event names neither. */
export function deskId(host = hostname(), user = userName()): string {
  return createHash('sha256').update(`${host}/${user}`.toLowerCase()).digest('hex').slice(0, 16);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return ''; // an account without an entry, as in containers
  }
}
