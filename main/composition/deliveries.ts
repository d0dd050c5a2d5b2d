// The composition root's part from the spool to the sink: builds the sink that policy chooses, the queue, the deliveries
// that begin during a contact, the bandwidth cap and the credentials, and hands each its ports.

import type { Logger } from '../platform/log.ts';
import { appVersion, osName } from '../platform/version.ts';
import type { Policy, PolicyKey } from '../policy/keys.ts';
import type { DeliveryOptions, SlateOrder } from '../publisher/delivery.ts';
import { Delivery, publish } from '../publisher/delivery.ts';
import { FolderSink } from '../publisher/folderSink.ts';
import type { PictureKind } from '../publisher/pictures.ts';
import { LiveDeliveries } from '../publisher/liveDeliveries.ts';
import type { PublisherPorts, Uploads } from '../publisher/publisher.ts';
import { Publisher } from '../publisher/publisher.ts';
import { askBroker } from '../publisher/s3/broker.ts';
import type { S3Settings } from '../publisher/s3/s3Client.ts';
import { S3Sink, tagsOf } from '../publisher/s3/s3Sink.ts';
import { Throttle } from '../publisher/s3/throttle.ts';
import type { Sink, SinkOrder } from '../publisher/sink.ts';
import type { Failure } from '../shared/errors.ts';
import type { Clock } from '../shared/time.ts';
import type { SpoolSession } from '../spool/spool.ts';
import { PageTokens } from '../publisher/s3/pageTokens.ts';

export interface DeliveriesOptions {
  /** Read anew for each delivery. */
  readonly policy: Policy;
  readonly makeSlate: (order: SlateOrder) => Promise<Uint8Array>;
  readonly blankPicture: () => Promise<PictureKind>;
  readonly announcePublished: PublisherPorts['announcePublished'];
  readonly retryEvents: PublisherPorts['retryEvents'];
  readonly onPublished: PublisherPorts['onPublished'];
  readonly onFailed: (from: SpoolSession, recordingId: string, why: Failure) => Promise<void>;
  readonly onChange: (uploads: Uploads) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Deliveries {
  readonly publisher: Publisher;
  /** A run of the session grew by so many bytes. */
  grew(session: SpoolSession, bytes: number): void;
  /** Whether any contact is on: uploads are held to the cap then. */
  contactsAreOn(areOn: boolean): void;
  /** Values of these keys are others now. */
  policyChanged(keys: ReadonlySet<PolicyKey>): void;
  /** A page has said hello with a token. */
  tokenCame(agentArn: string, token: string): void;
}

/** How long nothing may move on a connection to S3. */
const S3_IDLE_TIMEOUT_MS = 30_000;
/** How long a request to S3 may take as a whole, its body aside. */
const S3_REQUEST_TIMEOUT_MS = 120_000;

export function startDeliveries(options: DeliveriesOptions): Deliveries {
  const { policy, clock, log } = options;
  const throttle = new Throttle();
  const tokens = new PageTokens();
  let sink = sinkOf(policy, throttle, tokens);
  let contactsAreOn = false;
  // Of its moment: a delivery ends where it began, whatever policy says by then.
  const deliveryOptions = (): DeliveryOptions => ({
    sink,
    keyPrefix: policy.keyPrefix,
    appVersion,
    os: osName(),
    deliverDamaged: policy.deliverDamaged,
    makeSlate: options.makeSlate,
    blankPicture: options.blankPicture,
    onProgress: (session, recordingId, progress) => publisher.progressed(session, recordingId, progress),
  });
  const random = Math.random;
  const live = new LiveDeliveries({
    begin: (session, recordingId) => new Delivery(session, recordingId, deliveryOptions()),
    clock,
    random,
    log,
  });
  const publisher: Publisher = new Publisher({
    publish: async (from, recordingId) => {
      const publication = await publish(from, recordingId, deliveryOptions(), await live.take(recordingId));
      const { integrity } = publication.manifest;
      // The log's own words: its readers get no lists.
      for (const { kind, ...found } of integrity?.findings ?? [])
        log.warn('a recording was delivered that is not as it was written', {
          recordingId,
          reason: kind,
          ...found,
        });
      return publication;
    },
    announcePublished: options.announcePublished,
    retryEvents: options.retryEvents,
    onPublished: options.onPublished,
    onFailed: options.onFailed,
    onChange: options.onChange,
    clock,
    random,
    log,
  });
  function limitUploads(): void {
    const { uploadLimitKbit } = policy;
    throttle.limit(contactsAreOn && uploadLimitKbit > 0 ? uploadLimitKbit : null);
  }

  return {
    publisher,
    grew: (session, bytes) => {
      if (sink.takesLive) live.grew(session, bytes);
    },
    contactsAreOn: (areOn) => {
      contactsAreOn = areOn;
      limitUploads();
    },
    policyChanged: (keys) => {
      limitUploads();
      if (keys.has('deliverDamaged')) publisher.retryNow();
      if (!sinkKeys.some((key) => keys.has(key))) return;
      sink = sinkOf(policy, throttle, tokens);
      publisher.retryNow();
    },
    tokenCame: (agentArn, token) => {
      // Nobody else wants it: a secret that is not needed is not kept.
      if (policy.brokerUrl === null) return;
      tokens.keep(agentArn, token);
      publisher.retryNow();
    },
  };
}

/** What a sink is made of. */
const sinkKeys: readonly PolicyKey[] = [
  ...(['sink', 'sinkFolder', 'keyPrefix', 'brokerUrl', 'awsRegion', 'awsProfile', 's3Bucket'] as const),
  ...(['s3Endpoint', 's3PathStyle', 's3KmsKeyId', 's3StorageClass', 's3Tags'] as const),
];

function sinkOf(policy: Policy, throttle: Throttle, tokens: PageTokens): Sink {
  const { s3Bucket: bucket, brokerUrl } = policy;
  if (policy.sink === 'folder' || bucket === null)
    return new FolderSink(policy.sinkFolder, { dataDir: policy.dataDir });
  return new S3Sink({
    settings: s3SettingsOf(policy),
    throttle,
    credentialsFor:
      brokerUrl === null
        ? null
        : ({ recordingId, contactId, agentArn, instanceArn, key }: SinkOrder) =>
            () =>
              askBroker(brokerUrl, tokens.of(agentArn), {
                recordingId,
                contactId,
                agentArn,
                instanceArn,
                bucket,
                // The longer name, should it come to that, begins in the same way; so does the manifest's.
                keyPrefix: key.replace(/\.mp4$/, ''),
              }),
  });
}

/** What policy says of the bucket, as the S3 client takes it. */
export function s3SettingsOf(policy: Policy): S3Settings {
  return {
    bucket: policy.s3Bucket ?? '',
    region: policy.awsRegion,
    endpoint: policy.s3Endpoint,
    pathStyle: policy.s3PathStyle,
    profile: policy.awsProfile,
    kmsKeyId: policy.s3KmsKeyId,
    storageClass: policy.s3StorageClass,
    tags: tagsOf(policy.s3Tags),
    idleTimeoutMs: S3_IDLE_TIMEOUT_MS,
    requestTimeoutMs: S3_REQUEST_TIMEOUT_MS,
  };
}
