// Sends to a page's connection by API Gateway's management API.

import {
  ApiGatewayManagementApiClient,
  GoneException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { Push } from '../relay/sockets.ts';

/** A caller waits a few seconds for everything. */
const TIMEOUT_MS = 2000;

/** @param endpoint `https://<api>.execute-api.<region>.amazonaws.com/<stage>` */
export function socketPush(endpoint: string): Push {
  const client = new ApiGatewayManagementApiClient({ endpoint, maxAttempts: 2 });
  return async (connectionId, message) => {
    try {
      const command = new PostToConnectionCommand({
        ConnectionId: connectionId,
        Data: JSON.stringify(message),
      });
      await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
      return true;
    } catch (error) {
      if (error instanceof GoneException) return false;
      throw error;
    }
  };
}
