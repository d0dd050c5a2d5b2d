// The desks' side of the simulation: Sightline's own client code (S3 sink, broker, authorizer, PutEvents) with made-up recordings, for all
// desks in one process. What it does not have: the throttle of a desk's line, and parts that are sent during a contact (they are sent at
// its end; the requests are the same).

import { createHmac, randomBytes } from 'node:crypto';
import { Moov } from '../../main/media/moov.ts';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { SinkOrder } from '../../main/publisher/sink.ts';
import { askBroker } from '../../main/publisher/s3/broker.ts';
import { BrokerCredentials } from '../../main/publisher/s3/brokerCredentials.ts';
import { PART_BYTES } from '../../main/publisher/s3/s3Object.ts';
import { S3Sink } from '../../main/publisher/s3/s3Sink.ts';
import { Throttle } from '../../main/publisher/s3/throttle.ts';
import { askEndpoint } from '../../main/server/authEndpoint.ts';
import { awsPutEvents } from '../../main/status/putEvents.ts';
import { BUCKET, FOLDER, INSTANCE, KMS_KEY, REGION, TOKENS, type Backend } from './backend.ts';
import type { Contact } from './model.ts';

export interface Measured {
  /** Milliseconds of each answered request. */
  readonly credentials: number[];
  readonly authorize: number[];
  /** Of each complete recording, video and manifest. */
  readonly uploads: number[];
  bytes: number;
  /** By message, without what differs between desks. */
  readonly errors: Map<string, number>;
}

export interface Desks {
  readonly measured: Measured;
  hello(desk: number): Promise<void>;
  event(desk: number, detailType: string, detail: object): Promise<void>;
  /** One attempt. @returns whether it succeeded */
  upload(contact: Contact): Promise<boolean>;
}

const STATUS = 'Screen Recording Status Changed';
/** A typical manifest (docs/manifest.md) has about as much. */
const MANIFEST_BYTES = 2500;
const agentArn = (desk: number): string => `${INSTANCE}/agent/simulated-${desk}`;
const bytes = randomBytes(2 * PART_BYTES);

export function newMeasured(): Measured {
  return { credentials: [], authorize: [], uploads: [], bytes: 0, errors: new Map() };
}

/** @param lapse so many times as fast as the agents' time, in which credentials expire */
export function openDesks({ brokerUrl, authUrl, storeUrl }: Backend, measured: Measured, lapse = 1): Desks {
  const network = new NodeNetwork();
  const began = Date.now();
  const now = (): number => began + (Date.now() - began) * lapse;
  const credentials = { accessKeyId: 'AKIASIMULATED0000000', secretAccessKey: 'simulated' };
  const events = awsPutEvents(
    { awsRegion: REGION, eventBridgeEndpoint: storeUrl, awsProfile: null },
    network,
    () => Promise.resolve(credentials),
  );
  const tokens = new Map<number, string>();
  const tokenOf = (desk: number): string => {
    const token = tokens.get(desk) ?? sign(desk);
    tokens.set(desk, token);
    return token;
  };
  const failed = (error: unknown): false => {
    const text = (error instanceof Error ? error.message : String(error))
      .replaceAll(/connect\/\S+/g, '<key>')
      .slice(0, 120);
    measured.errors.set(text, (measured.errors.get(text) ?? 0) + 1);
    return false;
  };
  const timed = async <T>(list: number[], work: Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await work;
    list.push(performance.now() - began);
    return result;
  };
  const sink = new S3Sink({
    settings: {
      ...{ bucket: BUCKET, region: REGION, endpoint: storeUrl, pathStyle: true, profile: null },
      ...{ kmsKeyId: KMS_KEY, storageClass: null, tags: { channel: 'VOICE' } },
      ...{ idleTimeoutMs: 30_000, requestTimeoutMs: 120_000 },
    },
    throttle: new Throttle(),
    network,
    credentialsFor: (order) => () => brokerOf(deskOf(order)).of(order),
  });
  const brokers = new Map<number, BrokerCredentials<SinkOrder>>();
  const brokerOf = (desk: number): BrokerCredentials<SinkOrder> => {
    const known = brokers.get(desk);
    if (known !== undefined) return known;
    const ask = async (order: SinkOrder): ReturnType<typeof askBroker> => {
      const asked = askBroker(network, brokerUrl, tokenOf(desk), requestOf(order));
      const answer = await timed(measured.credentials, asked);
      return { ...answer, expiration: new Date(now() + answer.expiration.getTime() - Date.now()) };
    };
    const broker = new BrokerCredentials(ask, undefined, now);
    brokers.set(desk, broker);
    return broker;
  };

  const self: Desks = {
    measured,
    async hello(desk) {
      const question = {
        ...{ agentArn: agentArn(desk), instanceArn: INSTANCE, instanceAlias: 'acme' },
        ...{ origin: 'https://acme.my.connect.aws', appVersion: '0.1.0' },
      };
      const outcome = await timed(measured.authorize, askEndpoint(network, authUrl, tokenOf(desk), question));
      if (outcome.kind !== 'accepted') failed(`authorizer: ${outcome.why}`);
    },
    async event(desk, detailType, detail) {
      const Detail = JSON.stringify({ ...detail, agentArn: agentArn(desk), instanceArn: INSTANCE });
      const entry = {
        EventBusName: 'sightline',
        Source: 'sightline',
        DetailType: detailType,
        Detail,
        Time: new Date(),
      };
      await events.put([entry], AbortSignal.timeout(30_000)).catch(failed);
    },
    async upload(contact) {
      const order = orderOf(contact);
      const began = performance.now();
      try {
        const object = await sink.begin(order);
        for (let at = 0; at < contact.sizeBytes; at += PART_BYTES)
          await object.write(at, bytes.subarray(0, Math.min(PART_BYTES, contact.sizeBytes - at)));
        const { key, location } = await object.finish(new Moov([], 0, 0));
        await sink.putManifest(order, key, JSON.stringify({ filler: 'x'.repeat(MANIFEST_BYTES) }));
        measured.uploads.push(performance.now() - began);
        measured.bytes += contact.sizeBytes + MANIFEST_BYTES;
        await self.event(contact.desk, STATUS, { recordingStatus: 'PUBLISHED', location, ...FILLER });
        return true;
      } catch (error) {
        return failed(error);
      }
    },
  };
  return self;
}

/** A status event's detail has about as much (docs/status-events.md). */
const FILLER = { filler: 'x'.repeat(900) };
export const started = { recordingStatus: 'INITIATED', ...FILLER };
export const completed = { recordingStatus: 'COMPLETED', ...FILLER };
export { STATUS };

function orderOf({ desk, number }: Contact): SinkOrder {
  const now = new Date();
  const [day, time] = now.toISOString().slice(0, 19).split('T') as [string, string];
  const contactId = `d${desk}-c${number}`;
  const second = `${day}T${time}Z`.replaceAll(/[-:]/g, '');
  return {
    key: `${FOLDER}/${day.replaceAll('-', '/')}/${contactId}_${second}.mp4`,
    recordingId: `00000000-0000-4000-8000-${createHmac('sha256', 'id').update(contactId).digest('hex').slice(0, 12)}`,
    ...{ contactId, agentArn: agentArn(desk), instanceArn: INSTANCE },
    resume: { saved: null, save: () => Promise.resolve() },
  };
}

function deskOf({ agentArn: arn }: SinkOrder): number {
  return Number(arn.replace(/^.*-/, ''));
}

function requestOf({ recordingId, contactId, agentArn: arn, instanceArn, key }: SinkOrder) {
  const keyPrefix = key.replace(/\.mp4$/, '');
  return { recordingId, contactId, agentArn: arn, instanceArn, bucket: BUCKET, keyPrefix };
}

/** A page's token, as the customer's server would sign it. */
function sign(desk: number): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 8 * 3600;
  const claims = { iss: TOKENS.issuer, aud: TOKENS.audience, exp, agentArn: agentArn(desk) };
  const text = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', TOKENS.secret).update(text).digest('base64url')}`;
}
