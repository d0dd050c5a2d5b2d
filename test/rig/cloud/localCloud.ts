// The local server of the cloud side with tokens of a shared secret, for the rig's agent.
import { SignJWT } from 'jose';
import { startLocalCloud, type LocalCloud } from '../../../cloud/local/server.ts';
import { CALLER_AUDIENCE } from '../../../cloud/relay/settings.ts';
import type { Environment } from '../../../cloud/settings.ts';
import { agent } from '../recorder.ts';
import { AUDIENCE } from './tokens.ts';

const PAGE_SECRET = 'the secret of the pages’ server, long enough';
const CALLER_SECRET = 'the secret of those who suspend, long enough';

export interface TestCloud extends LocalCloud {
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Of a page; `name` is the agent's. */
  pageToken(name?: string, seconds?: number, claims?: Record<string, unknown>): Promise<string>;
  /** As a Lambda function would call it. @param action `suspend` or `resume` */
  call(
    action: string,
    fields: object,
    token?: string,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
}

/** Of the functions, for the rig's agent. */
export const cloudEnvironment = {
  INSTANCES: JSON.stringify([
    { instanceArn: agent.instanceArn, bucket: 'recordings', keyPrefix: 'connect/acme/ScreenRecordings' },
  ]),
  ...{ TOKEN_VERIFIER: 'hmac', TOKEN_ISSUER: 'pages', TOKEN_AUDIENCE: AUDIENCE, TOKEN_SECRET: PAGE_SECRET },
  ROLE_ARN: 'arn:aws:iam::123456789012:role/uploads',
  RELAY_CALLER_SECRET: CALLER_SECRET,
};

/** A token that they accept of a page. */
export function signPageToken(name = 'alice', seconds = 3600, claims = {}): Promise<string> {
  const agentArn = `${agent.instanceArn}/agent/${name}`;
  return sign(PAGE_SECRET, 'pages', AUDIENCE, { agentArn, ...claims }, seconds);
}

export async function startTestCloud(more: Environment = {}): Promise<TestCloud> {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const env: Environment = { ...cloudEnvironment, ...more };
  const cloud = await startLocalCloud(env, { log: (line) => lines.push(line) });
  const callerToken = await sign(CALLER_SECRET, CALLER_AUDIENCE, CALLER_AUDIENCE, {}, 3600);
  return {
    ...cloud,
    lines,
    pageToken: signPageToken,
    async call(action, fields, token = callerToken) {
      const response = await fetch(`${cloud.origin}/contact/${action}-recording`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          InstanceId: agent.instanceArn.split('/').at(-1),
          ContactRecordingType: 'SCREEN',
          ...fields,
        }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
  };
}

function sign(
  secret: string,
  issuer: string,
  audience: string,
  claims: Record<string, unknown>,
  seconds: number,
) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(new Date(Date.now() + seconds * 1000))
    .sign(new TextEncoder().encode(secret));
}
