// The Lambda function of the relay. One handler for its three callers, told apart by what only AWS can set: pages by the WebSocket API,
// callers by the HTTP API (IAM), and flows by an invocation, which needs the permission for the function.

import { openAccess } from '../access.ts';
import { socketPush } from '../aws/socketPush.ts';
import type { HttpEvent } from '../http/lambda.ts';
import { logToStdout as log } from '../http/log.ts';
import { dynamoStore } from './dynamoStore.ts';
import { createRequests } from './requests.ts';
import { required } from '../settings.ts';
import { callerVerifier, relaySettings } from './settings.ts';
import { createSockets, type SocketEvent } from './sockets.ts';

const { env } = process;
const access = openAccess(env);
const { deadlineMs, origins } = relaySettings(env);
const store = dynamoStore(required(env, 'RELAY_TABLE'));
const push = socketPush(required(env, 'RELAY_SOCKET_ENDPOINT'));
const sockets = createSockets({ access, store, push, origins, log });
const { instances } = access.settings;
const requests = createRequests({
  instances,
  store,
  push,
  deadlineMs,
  log,
  verifyCaller: callerVerifier(env),
});

export function handler(event: SocketEvent | HttpEvent | { readonly Details: unknown }): Promise<unknown> {
  if (!('requestContext' in event)) return requests.flow(event);
  if ('eventType' in event.requestContext) return sockets(event as SocketEvent);
  return requests.http(event as HttpEvent);
}
