// The AWS SDK's client as Sightline uses it: without the SDK's retries, nothing from the agent's AWS files but credentials, and
// nothing on the program's output.

import type * as AwsS3 from '@aws-sdk/client-s3';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { awsHandler, limitCredentials } from '../../platform/awsHandler.ts';
import type { Network } from '../../platform/network/network.ts';
import type { S3Settings } from './settings.ts';

export type Sdk = typeof AwsS3;

const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

let clockOffsetMs = 0;

/** @param credentials null: the SDK's default chain, or the profile's */
export async function openClient(
  { region, endpoint, pathStyle, profile, idleTimeoutMs, requestTimeoutMs }: S3Settings,
  credentials: S3ClientConfig['credentials'] | null,
  network: Network,
): Promise<{ sdk: Sdk; client: S3Client }> {
  // The SDK prints it for developers; agents have no use for it.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    maxAttempts: 1,
    logger: silent,
    forcePathStyle: pathStyle,
    // Every body has its own checksum.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: awsHandler(network, { idleTimeoutMs, requestTimeoutMs }),
    // Chromium does not wait for the answer to it, and some proxies do not know it.
    expectContinueHeader: false,
    ...(region === null ? {} : { region }),
    ...(endpoint === null ? {} : { endpoint }),
    ...(profile === null ? {} : { profile }),
    ...(credentials === null || credentials === undefined ? {} : { credentials }),
    // AWS_ENDPOINT_URL, or a line in the agent's config file, would redirect recordings: only "s3Endpoint" decides.
    ignoreConfiguredEndpointUrls: true,
    systemClockOffset: clockOffsetMs,
    // Reaches the credential providers: with the cache AWS's shared files are read once in a process, and a renewed token in
    // them is never noticed.
    ignoreCache: true,
  } as S3ClientConfig);
  limitCredentials(client);
  return { sdk, client };
}

export function closeClient(client: S3Client): void {
  // The SDK learns from a refusal (RequestTimeTooSkewed) how far this computer's clock is off. The next client starts with it.
  clockOffsetMs = client.config.systemClockOffset;
  client.destroy();
}

/** Calls back with the Date header of each response, refusals included. */
export function onResponseDate(client: S3Client, listener: (date: string) => void): void {
  const listen =
    (next: (args: unknown) => Promise<{ response: { headers?: Record<string, string> } }>) =>
    async (args: unknown): Promise<unknown> => {
      const result = await next(args);
      const date = result.response.headers?.['date'];
      if (date !== undefined) listener(date);
      return result;
    };
  client.middlewareStack.add(
    listen as never,
    { step: 'deserialize', priority: 'low', name: 'answerDate' } as never,
  );
}

/** Includes the body's known hash in the signature, although the body is streamed. */
export function signBody(
  command: { middlewareStack: { add: (middleware: never, options: never) => void } },
  sha256: string,
): void {
  const setHeader =
    (next: (args: unknown) => unknown) =>
    (args: { request: { headers: Record<string, string> } }): unknown => {
      args.request.headers['x-amz-content-sha256'] = sha256;
      return next(args);
    };
  command.middlewareStack.add(setHeader as never, { step: 'build', name: 'knownPayloadHash' } as never);
}
