// The local server of the cloud side (broker and authorizer) in a process of its own, so that its CPU time is its own. Its settings are
// its environment variables.

import { startLocalCloud } from '../../cloud/local/server.ts';
import { serveOrders, type Said } from './messages.ts';

// A Lambda function's lines go to its own process, not to a terminal: made as always, and dropped.
const cloud = await startLocalCloud(process.env, { log: (line) => void JSON.stringify(line) });
serveOrders({});
process.send?.({ url: cloud.brokerUrl, authUrl: cloud.authUrl } satisfies Said);
