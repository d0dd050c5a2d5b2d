// The one place that knows the AWS SDK's EventBridge client. It is loaded when the first event is sent, so that a
// Sightline without a bus never pays for it. The SDK does not retry: eventBridge.ts decides that.

import type {
  EventBridgeClient,
  EventBridgeClientConfig,
  PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { awsHandler, limitCredentials } from '../platform/awsHandler.ts';
import type { Network } from '../platform/network/network.ts';

const LIMITS = { idleTimeoutMs: 30_000, requestTimeoutMs: 60_000 };

export interface PutResult {
  readonly ErrorCode?: string | undefined;
  readonly ErrorMessage?: string | undefined;
}

export interface PutEvents {
  /** One request; an answer for each entry, in the same order. Rejects with the SDK's error. */
  put(entries: PutEventsRequestEntry[], signal: AbortSignal): Promise<readonly PutResult[]>;
  /** The next request reads policy and credentials again. */
  forgetClient(): void;
}

export interface AwsPolicy {
  /** null: as the AWS SDK finds it. */
  readonly awsRegion: string | null;
  /** null: AWS's own for the region. */
  readonly eventBridgeEndpoint: string | null;
  /** A profile of AWS's shared files; null: the SDK's default chain. */
  readonly awsProfile: string | null;
}

/** Temporary credentials of the broker; null: there are none now. Does not reject. */
export type IssuedCredentials = () => Promise<AwsCredentialIdentity | null>;
type AwsCredentialIdentity = Exclude<
  NonNullable<EventBridgeClientConfig['credentials']>,
  (...args: never) => unknown
>;

/** @param issued instead of profile and chain, while there are any */
export function awsPutEvents(
  policy: AwsPolicy,
  network: Network,
  issued: IssuedCredentials = () => Promise.resolve(null),
): PutEvents {
  let client: EventBridgeClient | null = null;
  /** What the client signs with; null: profile or chain. */
  let accessKeyId: string | null = null;
  return {
    async put(entries, signal) {
      const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
      const credentials = await issued();
      if (client !== null && accessKeyId !== (credentials?.accessKeyId ?? null)) this.forgetClient();
      if (client === null) {
        const requestHandler = awsHandler(network, LIMITS);
        client = new EventBridgeClient({ ...configOf(policy, credentials), requestHandler });
        accessKeyId = credentials?.accessKeyId ?? null;
        limitCredentials(client);
      }
      // The SDK does not look at the signal while it waits for credentials.
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      });
      const sent = client.send(new PutEventsCommand({ Entries: entries }), { abortSignal: signal });
      const { Entries = [] } = await Promise.race([sent, aborted]);
      return Entries;
    },
    forgetClient() {
      client?.destroy();
      client = null;
    },
  };
}

function configOf(policy: AwsPolicy, credentials: AwsCredentialIdentity | null): EventBridgeClientConfig {
  const { awsRegion: region, eventBridgeEndpoint: endpoint, awsProfile: profile } = policy;
  const config = {
    maxAttempts: 1,
    ...(region === null ? {} : { region }),
    ...(endpoint === null ? {} : { endpoint }),
    ...(profile === null ? {} : { profile }),
    ...(credentials === null ? {} : { credentials }),
    // Only "eventBridgeEndpoint" says where events go, not AWS_ENDPOINT_URL or the agent's config file.
    ignoreConfiguredEndpointUrls: true,
    // Passed on to the providers: without it the SDK reads AWS's shared files once in a process, and never sees a
    // token that was renewed in them.
    ignoreCache: true,
  };
  return config;
}
