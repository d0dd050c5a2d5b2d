// Where the recordings of a contact are: written from PUBLISHED events, read for links.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';

export interface RecordingLocation {
  readonly instanceArn: string;
  readonly contactId: string;
  readonly recordingId: string;
  readonly bucket: string;
  readonly key: string;
  /** RFC 3339. */
  readonly startTime: string;
}

export interface LocationStore {
  /** The same recording again replaces itself. */
  put(location: RecordingLocation): Promise<void>;
  /** The one that started first is first. */
  of(instanceArn: string, contactId: string): Promise<readonly RecordingLocation[]>;
}

const MAX_RECORDINGS = 100;

function inOrder(locations: readonly RecordingLocation[]): RecordingLocation[] {
  return [...locations].sort((one, other) => (one.startTime < other.startTime ? -1 : 1));
}

export function memoryLocations(): LocationStore {
  const all = new Map<string, RecordingLocation>();
  return {
    put(location) {
      all.set(`${location.instanceArn} ${location.contactId} ${location.recordingId}`, location);
      return Promise.resolve();
    },
    of: (instanceArn, contactId) =>
      Promise.resolve(
        inOrder(
          [...all.values()].filter((one) => one.instanceArn === instanceArn && one.contactId === contactId),
        ),
      ),
  };
}

/** Keys `pk` and `sk`; no item expires: retention is the bucket's. */
export function dynamoLocations(table: string, client = new DynamoDBClient()): LocationStore {
  const keyOf = (instanceArn: string, contactId: string): AttributeValue => ({
    S: `recordings#${instanceArn}#${contactId}`,
  });
  return {
    async put({ instanceArn, contactId, recordingId, bucket, key, startTime }) {
      const Item = {
        ...{ pk: keyOf(instanceArn, contactId), sk: { S: recordingId } },
        ...{ bucket: { S: bucket }, key: { S: key }, startTime: { S: startTime } },
      };
      await client.send(new PutItemCommand({ TableName: table, Item }));
    },
    async of(instanceArn, contactId) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': keyOf(instanceArn, contactId) },
          ConsistentRead: true,
          Limit: MAX_RECORDINGS,
        }),
      );
      return inOrder(
        Items.map(({ sk, bucket, key, startTime }) => ({
          ...{ instanceArn, contactId, recordingId: sk?.S ?? '', bucket: bucket?.S ?? '' },
          ...{ key: key?.S ?? '', startTime: startTime?.S ?? '' },
        })),
      );
    },
  };
}
