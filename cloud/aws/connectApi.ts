// The few calls to Amazon Connect's API that the handlers need, signed here: the SDK's client for Connect is many times the size of
// all handlers together. https://docs.aws.amazon.com/connect/latest/APIReference/

import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac } from 'node:crypto';
import type { Environment } from '../settings.ts';

export interface ConnectApi {
  /** DescribeUser; null: there is no such user. */
  usernameOf(instanceId: string, userId: string): Promise<string | null>;
  /** UpdateContactAttributes: adds or replaces these, and keeps all others. */
  setAttributes(
    instanceId: string,
    contactId: string,
    attributes: Readonly<Record<string, string>>,
  ): Promise<void>;
}

/** `status` is the HTTP status; `code` is AWS's, cut to 64 characters. */
export class ConnectApiError extends Error {
  override readonly name = 'ConnectApiError';
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(`Amazon Connect answered ${status} (${code}).`);
  }
}

const TIMEOUT_MS = 3000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * With the credentials of the Lambda function's role.
 * @param region of the instance
 */
export function connectApi(region: string, env: Environment = process.env): ConnectApi {
  const endpoint = new URL(env['AWS_ENDPOINT_URL_CONNECT'] ?? defaultEndpoint(region, env));

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const signed = await signer(region, env).sign({
      method,
      protocol: endpoint.protocol,
      hostname: endpoint.hostname,
      ...(endpoint.port === '' ? {} : { port: Number(endpoint.port) }),
      path,
      headers: { host: endpoint.host, ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
      query: {},
      ...(text === undefined ? {} : { body: text }),
    } as Parameters<SignatureV4['sign']>[0] & { method: string });
    const { host: _, ...headers } = signed.headers as Record<string, string>;
    const response = await fetch(new URL(path, endpoint), {
      ...{ method, headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) },
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = (await response.text()).slice(0, MAX_ANSWER_BYTES);
    if (response.ok) return answer === '' ? {} : JSON.parse(answer);
    const code = /^[A-Za-z]{1,64}/.exec(response.headers.get('x-amzn-errortype') ?? '')?.[0] ?? 'unknown';
    throw new ConnectApiError(response.status, code);
  }

  return {
    async usernameOf(instanceId, userId) {
      try {
        const path = `/users/${encodeURIComponent(instanceId)}/${encodeURIComponent(userId)}`;
        const { User: user } = (await call('GET', path)) as { User?: { Username?: unknown } };
        return typeof user?.Username === 'string' ? user.Username : null;
      } catch (error) {
        if (error instanceof ConnectApiError && error.status === 404) return null;
        throw error;
      }
    },
    async setAttributes(instanceId, contactId, attributes) {
      await call('POST', '/contact/attributes', {
        ...{ InstanceId: instanceId, InitialContactId: contactId, Attributes: attributes },
      });
    },
  };
}

function defaultEndpoint(region: string, env: Environment): string {
  const fips = env['AWS_USE_FIPS_ENDPOINT'] === 'true' ? '-fips' : '';
  return `https://connect${fips}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

/** Lambda renews the variables with each container. */
function signer(region: string, env: Environment): SignatureV4 {
  const token = env['AWS_SESSION_TOKEN'];
  return new SignatureV4({
    ...{ service: 'connect', region, sha256: Sha256 },
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
      ...(token === undefined ? {} : { sessionToken: token }),
    },
  });
}

/** Node's, as the SDK wants it. */
class Sha256 {
  private readonly hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(bytesOf(data));
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.hash.digest());
  }
  reset(): void {
    throw new Error('not used');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
