// From the spool to the sink: connects the sink that policy chooses, the queue, uploads during a contact, the bandwidth
// limit and the credentials.

import { within } from '../platform/deadline.ts';
import type { Logger } from '../platform/log.ts';
import type { Network } from '../platform/network/network.ts';
import { appVersion, osName } from '../platform/version.ts';
import type { Policy, PolicyKey } from '../policy/keys.ts';
import { preloadMuxer } from '../media/mp4Muxer.ts';
import type { Failure } from '../shared/errors.ts';
import type { Manifest } from '../shared/manifest.ts';
import type { Clock } from '../shared/time.ts';
import type { CurrentSpoolSession } from '../spool/currentSession.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { Announcer } from '../status/announcer.ts';
import type { StatusEvents } from '../status/statusEvents.ts';
import { FolderSink } from './folderSink.ts';
import { LiveUploads } from './liveUploads.ts';
import { OverdueWatch } from './overdueWatch.ts';
import type { Naming } from './objectKey.ts';
import type { PublisherPorts } from './publisher.ts';
import { Publisher } from './publisher.ts';
import { askBroker } from './s3/broker.ts';
import type { BrokerAnswer } from './s3/brokerCredentials.ts';
import { BrokerCredentials } from './s3/brokerCredentials.ts';
import { PageTokens } from './s3/pageTokens.ts';
import { S3Sink } from './s3/s3Sink.ts';
import { s3SettingsOf } from './s3/settings.ts';
import { Throttle } from './s3/throttle.ts';
import type { Sink, SinkOrder } from './sink.ts';
import type { UploadOptions, UploadResult } from './upload.ts';
import { explainUploadError } from './uploadError.ts';
import { Upload, uploadRecording } from './upload.ts';

export interface UploadServiceOptions
  extends Pick<PublisherPorts, 'onChange'>, Pick<UploadOptions, 'makeSlate' | 'makeBadge' | 'blankFormat'> {
  /** Read again for each upload. */
  readonly policy: Policy;
  readonly network: Network;
  readonly current: CurrentSpoolSession;
  readonly announcer: Announcer;
  readonly statusEvents: StatusEvents;
  /** The sink has taken a recording, in so many milliseconds. */
  readonly onUploaded: (manifest: Manifest, uploadMs: number) => void;
  /** The broker issued credentials: see `eventCredentials`. */
  readonly onCredentials: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

type Attempt = { readonly result: UploadResult } | { readonly failure: Failure };

export interface UploadService {
  readonly publisher: Publisher;
  /** Uploads a complete recording of this process. */
  readonly publish: (recordingId: string) => void;
  /** The outcome of a recording's next attempt. */
  readonly nextAttempt: (recordingId: string) => Promise<Attempt>;
  /** Whether the events of an uploaded recording are written; false: they are not yet. */
  readonly eventsWritten: (recordingId: string) => Promise<boolean>;
  /** A run of the session has its first frame. */
  readonly runBegan: (session: SpoolSession) => void;
  /** A run of the session grew by so many bytes. */
  readonly grew: (session: SpoolSession, bytes: number) => void;
  /** The bandwidth limit applies during contacts. */
  contactsAreOn(areOn: boolean): void;
  policyChanged(keys: ReadonlySet<PolicyKey>): void;
  /** A page sent a token with its hello. */
  readonly tokenCame: (agentArn: string, token: string) => void;
  /** The newest of the broker's credentials that may send events; null: there are none now. */
  readonly eventCredentials: () => Promise<BrokerAnswer | null>;
}

const EVENTS_WITHIN_MS = 10_000;
/** A change of these creates a new sink. */
const sinkKeys: readonly PolicyKey[] = [
  ...(['sink', 'sinkFolder', 'keyPrefix', 'brokerUrl', 'awsRegion', 'awsProfile', 's3Bucket'] as const),
  ...(['s3Endpoint', 's3PathStyle', 's3KmsKeyId', 's3StorageClass', 's3Tags'] as const),
];

export function startUploads(options: UploadServiceOptions): UploadService {
  const { policy, network, makeSlate, makeBadge, blankFormat, current } = options;
  const { announcer, statusEvents, clock, log } = options;
  const throttle = new Throttle();
  const tokens = new PageTokens();
  let broker = brokerOf(options, tokens);
  let sink = sinkOf(policy, network, throttle, broker);
  let contactsAreOn = false;
  /** Not before the first frame is in the spool: an idle recorder does without the library, and no start waits for it. */
  let preloaded: Promise<void> | null = null;
  // Read once for each upload: it ends in the sink where it began, also after a policy change.
  const uploadOptions = (): UploadOptions => ({
    sink,
    naming: namingOf(policy),
    appVersion,
    os: osName(),
    deliverDamaged: policy.deliverDamaged,
    makeSlate,
    makeBadge,
    blankFormat,
    onProgress: (session, recordingId, progress) => publisher.progressed(session, recordingId, progress),
  });
  const attempts = new Map<string, (attempt: Attempt) => void>();
  const random = Math.random;
  const live = new LiveUploads({
    begin: (session, recordingId) => new Upload(session, recordingId, uploadOptions()),
    clock,
    random,
    log,
  });
  const publisher: Publisher = new Publisher({
    random,
    clock,
    log,
    onChange: (uploads) => {
      overdue.look();
      options.onChange(uploads);
    },
    retryEvents: () => statusEvents.retryNow(),
    announcePublished: (session, recordingId, result) =>
      announcer.announcePublished(session, recordingId, result),
    onPublished: (recordingId, { receipt }) => {
      current.forget(recordingId);
      const { location, sizeBytes, encryption } = receipt;
      log.info('published', { recordingId, location, sizeBytes, ...encryption });
    },
    onFailed: (session, recordingId, failure) =>
      announcer.announceUploadFailed(session, recordingId, failure, clock.now()),
    publish: async (from, recordingId) => {
      const begun = await live.take(recordingId);
      const beganAt = performance.now();
      const result = await uploadRecording(from, recordingId, uploadOptions(), begun).catch(
        (error: unknown) => {
          const failure = explainUploadError(error);
          if (failure.code === 'CLIENT_AUTH_ERROR') broker?.forget(recordingId);
          attempts.get(recordingId)?.({ failure });
          throw error;
        },
      );
      attempts.get(recordingId)?.({ result });
      options.onUploaded(result.manifest, performance.now() - beganAt);
      // One line for each finding: readers of the log get no lists.
      for (const { kind, ...found } of result.manifest.integrity?.findings ?? [])
        log.warn('a recording was delivered that is not as it was written', {
          recordingId,
          reason: kind,
          ...found,
        });
      return result;
    },
  });
  const overdue = new OverdueWatch({
    ...{ policy, clock, unpublished: () => publisher.unpublished.filter((one) => !one.announced) },
    announce: ({ session, recordingId, why }) => {
      log.warn('a recording is overdue', { recordingId, code: why?.code, reason: why?.message });
      announcer.announceOverdue(session, recordingId, policy.overdueMinutes, why);
    },
  });

  function limitUploads(): void {
    const { uploadLimitKbit } = policy;
    throttle.limit(contactsAreOn && uploadLimitKbit > 0 ? uploadLimitKbit : null);
  }

  return {
    publisher,
    publish: (recordingId) => {
      const session = current.sessionOf(recordingId);
      if (session !== undefined) publisher.enqueue(session, recordingId);
    },
    nextAttempt: (recordingId) =>
      new Promise<Attempt>((resolve) => attempts.set(recordingId, resolve)).finally(() =>
        attempts.delete(recordingId),
      ),
    eventsWritten: async (recordingId) => {
      const isQueued = (): boolean => publisher.queue.some((one) => one.recordingId === recordingId);
      await within(publisher.idle(), EVENTS_WITHIN_MS, undefined);
      return !isQueued();
    },
    runBegan: (session) => {
      preloaded ??= preloadMuxer();
      // The gap before this run has ended.
      for (const [recordingId, { startTime, stopped }] of session.ledger.recordings) {
        if (startTime === null || stopped !== null) continue;
        const upload = new Upload(session, recordingId, uploadOptions());
        void upload
          .prepareSlates(clock.now())
          .catch((error: unknown) => log.debug('a slate is made later', { reason: String(error) }));
        // The event that the recording has begun may need them.
        if (policy.eventBusName !== null)
          void broker
            ?.of(upload.order)
            .catch((error: unknown) =>
              log.debug('the broker is asked again later', { reason: String(error) }),
            );
      }
    },
    grew: (session, bytes) => {
      if (sink.takesLive) live.grew(session, bytes);
    },
    contactsAreOn: (areOn) => {
      contactsAreOn = areOn;
      limitUploads();
    },
    policyChanged: (keys) => {
      limitUploads();
      overdue.look();
      if (keys.has('deliverDamaged')) publisher.retryNow();
      if (!sinkKeys.some((key) => keys.has(key))) return;
      broker = brokerOf(options, tokens);
      sink = sinkOf(policy, network, throttle, broker);
      publisher.retryNow();
    },
    tokenCame: (agentArn, token) => {
      // Only the broker needs it: an unused secret must not stay in memory.
      if (policy.brokerUrl === null) return;
      tokens.keep(agentArn, token);
      publisher.retryNow();
    },
    eventCredentials: () => broker?.forEvents() ?? Promise.resolve(null),
  };
}

/** A copy: policy changes in place. */
function namingOf({ keyPrefix, instanceAlias, attributesForKeys, s3Tags }: Policy): Naming {
  return { keyPrefix, instanceAlias, attributesForKeys, s3Tags };
}

/** null: policy names none. */
function brokerOf(
  { policy, network, onCredentials }: UploadServiceOptions,
  tokens: PageTokens,
): BrokerCredentials<SinkOrder> | null {
  const { s3Bucket: bucket, brokerUrl } = policy;
  if (brokerUrl === null || bucket === null) return null;
  return new BrokerCredentials(({ recordingId, contactId, agentArn, instanceArn, key }) => {
    // The longer name and the manifest's name have the same beginning.
    const keyPrefix = key.replace(/\.mp4$/, '');
    const request = { recordingId, contactId, agentArn, instanceArn, bucket, keyPrefix };
    return askBroker(network, brokerUrl, tokens.of(agentArn), request);
  }, onCredentials);
}

function sinkOf(
  policy: Policy,
  network: Network,
  throttle: Throttle,
  broker: BrokerCredentials<SinkOrder> | null,
): Sink {
  const { s3Bucket: bucket } = policy;
  if (policy.sink === 'folder' || bucket === null)
    return new FolderSink(policy.sinkFolder, { dataDir: policy.dataDir });
  return new S3Sink({
    settings: s3SettingsOf(policy),
    throttle,
    network,
    credentialsFor: broker === null ? null : (order) => () => broker.of(order),
  });
}
