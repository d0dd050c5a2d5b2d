// Both stores of the relay do the same: the one in memory, and DynamoDB's (at moto, where the set-up could fetch it).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { dynamoStore } from '../../cloud/relay/dynamoStore.ts';
import { memoryStore, type DeskSubscription, type RelayStore } from '../../cloud/relay/store.ts';
import { startMoto } from '../rig/otherStores.ts';
import { agent } from '../rig/recorder.ts';
import { REGION, type S3Store } from '../rig/s3Store.ts';

const TABLE = 'relay';
const moto: { store: S3Store | null; client: DynamoDBClient | null } = { store: null, client: null };

beforeAll(async () => {
  moto.store = await startMoto();
  if (moto.store === null) return;
  const { endpoint, credentials } = moto.store;
  moto.client = new DynamoDBClient({ endpoint, credentials, region: REGION });
  await moto.client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  );
});
afterAll(async () => {
  moto.client?.destroy();
  await moto.store?.stop();
});

let now: number;
const open: Readonly<Record<string, () => RelayStore | null>> = {
  memory: () => memoryStore(() => now),
  dynamo: () => (moto.client === null ? null : dynamoStore(TABLE, moto.client, () => now)),
};

describe.each(Object.keys(open))('%s', (name) => {
  let store: RelayStore;
  let contactId: string;
  let connectionId: string;
  const { instanceArn, agentArn } = agent;
  const subscription = (change: Partial<DeskSubscription> = {}): DeskSubscription => ({
    ...{ connectionId, agentArn, instanceArn, expiresAt: now + 60_000 },
    contacts: [{ contactId, initialContactId: 'first' }],
    ...change,
  });

  beforeEach((context) => {
    now = Date.now();
    [contactId, connectionId] = [randomUUID(), randomUUID()];
    const opened = open[name]!();
    if (opened === null) return context.skip('moto is missing');
    store = opened;
  });

  it('finds the pages that have a contact, until they say otherwise or are closed', async () => {
    const desk = { connectionId, agentArn, initialContactId: 'first' };
    await store.subscribe(subscription());
    await store.subscribe(subscription({ connectionId: `${connectionId}2`, contacts: [{ contactId }] }));
    const found = await store.desksOf(instanceArn, contactId);
    expect(found).toHaveLength(2);
    expect(found).toContainEqual(desk);
    expect(found).toContainEqual({ ...desk, connectionId: `${connectionId}2`, initialContactId: null });
    await store.subscribe(subscription({ connectionId: `${connectionId}2`, contacts: [] }));
    expect(await store.desksOf(instanceArn, contactId)).toEqual([desk]);
    expect(await store.isSubscribed(`${connectionId}2`)).toBe(true);
    await store.forget(connectionId);
    expect(await store.desksOf(instanceArn, contactId)).toEqual([]);
    expect(await store.isSubscribed(connectionId)).toBe(false);
  });

  it('keeps instances apart', async () => {
    await store.subscribe(subscription());
    await store.setWanted(instanceArn, { contactId, suspended: true, requestedAt: now });
    expect(await store.desksOf(`${instanceArn}9`, contactId)).toEqual([]);
    expect(await store.wantedOf(`${instanceArn}9`, [contactId])).toEqual([]);
  });

  it('forgets a page whose token has expired', async () => {
    await store.subscribe(subscription());
    now += 61_000;
    expect(await store.desksOf(instanceArn, contactId)).toEqual([]);
    expect(await store.isSubscribed(connectionId)).toBe(false);
  });

  it('keeps the newest request, in whatever order they come', async () => {
    const newest = { contactId, suspended: true, requestedAt: now };
    expect(await store.setWanted(instanceArn, newest)).toBe(true);
    expect(await store.setWanted(instanceArn, { contactId, suspended: false, requestedAt: now - 1 })).toBe(
      false,
    );
    expect(await store.wantedOf(instanceArn, ['unknown', contactId])).toEqual([newest]);
    expect(await store.setWanted(instanceArn, { contactId, suspended: false, requestedAt: now + 1 })).toBe(
      true,
    );
    expect(await store.wantedOf(instanceArn, [contactId])).toMatchObject([{ suspended: false }]);
  });

  it('has each connection’s acknowledgement, and wakes who waits for it', async () => {
    const requestId = randomUUID();
    expect(await store.acknowledgementsOf(requestId)).toEqual(new Map());
    const woken = store.acknowledged(requestId, 60_000);
    await store.acknowledge(requestId, connectionId, 'suspended');
    await woken;
    expect(await store.acknowledgementsOf(requestId)).toEqual(new Map([[connectionId, 'suspended']]));
    const began = performance.now();
    await store.acknowledged(randomUUID(), 20);
    expect(performance.now() - began).toBeGreaterThanOrEqual(15);
  });
});
