// The relay's store in one DynamoDB table (keys `pk` and `sk`, time to live `expiresAt`), for Lambda:
//
//   pk                              sk                  what
//   contact#<instance>#<contactId>  desk#<connection>   a page that has the contact
//   contact#<instance>#<contactId>  wanted              what a flow last asked for
//   connection#<connection>         self                the contacts of a page, so that they can be replaced
//   request#<requestId>             <connection>        an acknowledgement
//
// DynamoDB deletes expired items within days, so every reader looks at `expiresAt` itself.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome, Wanted } from './messages.ts';
import { ACKNOWLEDGEMENT_MS, WANTED_MS, type Desk, type RelayStore } from './store.ts';

/** Between two looks for acknowledgements: a page needs about as long. */
const POLL_MS = 100;
/** More desks than this have no contact in common. */
const MAX_DESKS = 50;

type Item = Record<string, AttributeValue>;

export function dynamoStore(table: string, client = new DynamoDBClient(), now = Date.now): RelayStore {
  const contactKey = (instanceArn: string, contactId: string): string =>
    `contact#${instanceArn}#${contactId}`;
  const connectionKey = (connectionId: string): string => `connection#${connectionId}`;

  async function put(pk: string, sk: string, expiresAt: number, item: Item, condition = {}): Promise<void> {
    const Item = {
      pk: { S: pk },
      sk: { S: sk },
      expiresAt: { N: String(Math.ceil(expiresAt / 1000)) },
      ...item,
    };
    await client.send(new PutItemCommand({ TableName: table, Item, ...condition }));
  }
  async function remove(pk: string, sk: string): Promise<void> {
    await client.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } } }));
  }
  async function get(pk: string, sk: string): Promise<Item | null> {
    const { Item: found } = await client.send(
      new GetItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
    );
    return found !== undefined && isFresh(found) ? found : null;
  }
  async function query(pk: string): Promise<Item[]> {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
        ConsistentRead: true,
        Limit: MAX_DESKS,
      }),
    );
    return Items.filter(isFresh);
  }
  const isFresh = (item: Item): boolean => Number(item['expiresAt']?.N ?? 0) * 1000 > now();
  const contactsOf = async (connectionId: string): Promise<readonly string[]> =>
    (await get(connectionKey(connectionId), 'self'))?.['contacts']?.SS ?? [];

  return {
    async subscribe({ connectionId, agentArn, instanceArn, contacts, expiresAt }) {
      const before = await contactsOf(connectionId);
      const keys = contacts.map(({ contactId }) => contactKey(instanceArn, contactId));
      // A set may not be empty.
      const list: Item = keys.length === 0 ? {} : { contacts: { SS: [...new Set(keys)] } };
      await put(connectionKey(connectionId), 'self', expiresAt, list);
      await Promise.all([
        ...before.filter((key) => !keys.includes(key)).map((key) => remove(key, `desk#${connectionId}`)),
        ...contacts.map(({ contactId, initialContactId }) =>
          put(contactKey(instanceArn, contactId), `desk#${connectionId}`, expiresAt, {
            agentArn: { S: agentArn },
            ...(initialContactId === undefined ? {} : { initialContactId: { S: initialContactId } }),
          }),
        ),
      ]);
    },
    async forget(connectionId) {
      const keys = await contactsOf(connectionId);
      await Promise.all([
        ...keys.map((key) => remove(key, `desk#${connectionId}`)),
        remove(connectionKey(connectionId), 'self'),
      ]);
    },
    isSubscribed: async (connectionId) => (await get(connectionKey(connectionId), 'self')) !== null,
    async desksOf(instanceArn, contactId) {
      return (await query(contactKey(instanceArn, contactId))).flatMap((item): Desk[] => {
        const { sk, agentArn, initialContactId } = item;
        if (sk?.S?.startsWith('desk#') !== true || agentArn?.S === undefined) return [];
        const connectionId = sk.S.slice('desk#'.length);
        return [{ connectionId, agentArn: agentArn.S, initialContactId: initialContactId?.S ?? null }];
      });
    },
    async setWanted(instanceArn, { contactId, suspended, requestedAt }) {
      const item = { suspended: { BOOL: suspended }, requestedAt: { N: String(requestedAt) } };
      try {
        await put(contactKey(instanceArn, contactId), 'wanted', now() + WANTED_MS, item, {
          ConditionExpression: 'attribute_not_exists(requestedAt) OR requestedAt <= :at',
          ExpressionAttributeValues: { ':at': item.requestedAt },
        });
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
    async wantedOf(instanceArn, contactIds) {
      const found = await Promise.all(
        contactIds.map(async (contactId): Promise<Wanted[]> => {
          const item = await get(contactKey(instanceArn, contactId), 'wanted');
          if (item === null) return [];
          const requestedAt = Number(item['requestedAt']?.N);
          return [{ contactId, suspended: item['suspended']?.BOOL === true, requestedAt }];
        }),
      );
      return found.flat();
    },
    acknowledge: (requestId, connectionId, outcome) =>
      put(`request#${requestId}`, connectionId, now() + ACKNOWLEDGEMENT_MS, { outcome: { S: outcome } }),
    async acknowledgementsOf(requestId) {
      const items = await query(`request#${requestId}`);
      return new Map(items.map((item) => [item['sk']?.S ?? '', item['outcome']?.S as Outcome]));
    },
    acknowledged: (_, withinMs) => sleep(Math.min(POLL_MS, withinMs)),
  };
}
