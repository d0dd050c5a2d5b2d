// Page and relay are separate programs: each must understand what the other one says.
import { expect, it } from 'vitest';
import { parseRelayMessage, type PageMessage } from '../../../ccp/src/relay/messages.ts';
import { pageMessageSchema, type RelayMessage } from '../../../cloud/relay/messages.ts';

const wanted = { contactId: 'c-1', suspended: true, requestedAt: 1 };
const requestId = '0a1b2c3d-0000-4000-8000-000000000000';

it.each<PageMessage>([
  { type: 'subscribe', token: 't', agentArn: 'arn:a', instanceArn: 'arn:i', contacts: [] },
  {
    ...{ type: 'subscribe', token: 't', agentArn: 'arn:a', instanceArn: 'arn:i' },
    contacts: [{ contactId: 'c-1', initialContactId: 'c-0' }, { contactId: 'c-2' }],
  },
  { type: 'acknowledge', requestId, outcome: 'suspended' },
  { type: 'acknowledge', requestId, outcome: 'resumed' },
  { type: 'acknowledge', requestId, outcome: 'not-recorded' },
  { type: 'ping' },
])('the relay understands $type', (message) => {
  expect(pageMessageSchema.parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
});

it.each<RelayMessage>([
  { type: 'subscribed', expiresAt: '2026-01-02T03:04:05.000Z', wanted: [wanted] },
  { type: 'refused', code: 'OTHER_AGENT', message: 'no' },
  { type: 'request', requestId, ...wanted },
  { type: 'pong' },
])('the page understands $type', (message) => {
  expect(parseRelayMessage(JSON.stringify(message))).toEqual(message);
});

it.each(['', '{', 'null', '[]', '{"type":"request"}', '{"type":"subscribed","expiresAt":1,"wanted":[]}', 7])(
  'the page ignores %j',
  (data) => {
    expect(parseRelayMessage(data)).toBeNull();
  },
);
