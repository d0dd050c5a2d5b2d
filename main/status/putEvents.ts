// The one place that knows the AWS SDK's EventBridge client. It is loaded when the first event is sent, so that a
// Sightline without a bus never pays for it. The SDK does not retry: eventBridge.ts decides that.

import type {
  EventBridgeClient,
  EventBridgeClientConfig,
  PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';

import { awsHandler, limitCredentials } from '../platform/awsHandler.ts';

const LIMITS = { idleTimeoutMs: 30_000, requestTimeoutMs: 60_000 };

export interface PutResult {
  readonly ErrorCode?: string | undefined;
  readonly ErrorMessage?: string | undefined;
}

export interface PutEvents {
  /** One request; an answer an entry, in the same order. Rejects with the SDK's error. */
  put(entries: PutEventsRequestEntry[], signal: AbortSignal): Promise<readonly PutResult[]>;
  /** Asks for credentials anew at the next request. */
  forgetCredentials(): void;
  close(): void;
}

export interface AwsOptions {
  /** null: as the AWS SDK finds it. */
  readonly region: string | null;
  /** null: AWS's own for the region. */
  readonly endpoint?: string | null;
  /** A profile of AWS's shared files; null: the SDK's default chain. */
  readonly profile?: string | null;
  /** Instead of profile and chain. */
  readonly credentials?: EventBridgeClientConfig['credentials'];
}

export function awsPutEvents(options: AwsOptions): PutEvents {
  let client: EventBridgeClient | null = null;
  const forget = (): void => {
    client?.destroy();
    client = null;
  };
  return {
    async put(entries, signal) {
      const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
      if (client === null) {
        client = new EventBridgeClient({ ...configOf(options), requestHandler: await awsHandler(LIMITS) });
        limitCredentials(client);
      }
      // The SDK does not look at the signal while it waits for credentials.
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
      });
      const sent = client.send(new PutEventsCommand({ Entries: entries }), { abortSignal: signal });
      const { Entries = [] } = await Promise.race([sent, aborted]);
      return Entries;
    },
    forgetCredentials: forget,
    close: forget,
  };
}

function configOf({ region, endpoint, profile, credentials }: AwsOptions): EventBridgeClientConfig {
  const config = {
    maxAttempts: 1,
    ...(region === null ? {} : { region }),
    ...(endpoint === undefined || endpoint === null ? {} : { endpoint }),
    ...(profile === undefined || profile === null ? {} : { profile }),
    ...(credentials === undefined ? {} : { credentials }),
    // Only "eventBridgeEndpoint" says where events go, not AWS_ENDPOINT_URL or the agent's config file.
    ignoreConfiguredEndpointUrls: true,
    // Handed on to the providers: without it the SDK reads AWS's shared files once in a process and never sees a
    // token that was renewed in them.
    ignoreCache: true,
  };
  return config;
}
