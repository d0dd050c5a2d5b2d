// The two endpoints: POST /credentials (docs/s3.md, "A broker") and POST /authorize (docs/auth.md). Every input is refused unless it is
// exactly right, with a code that says why.

import { z } from 'zod';
import { contactIdSchema } from '../../main/shared/protocol.ts';
import {
  answer,
  bearerToken,
  jsonBody,
  Refusal,
  refused,
  type HttpEvent,
  type HttpResult,
} from '../http/lambda.ts';
import type { Log } from '../http/log.ts';
import { lastPart } from '../tokens/agent.ts';
import type { BrokerSettings } from '../settings.ts';
import { verified, type Access } from './access.ts';
import { allowedKeys } from './keyRule.ts';
import { RateLimit } from './rateLimit.ts';
import { sessionPolicy } from './sessionPolicy.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

export interface RoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly policy: string;
  readonly durationSeconds: number;
}

export interface BrokerParts {
  readonly access: Access;
  readonly settings: BrokerSettings;
  /** sts:AssumeRole. @throws anything, which is answered with 503 */
  readonly assumeRole: (request: RoleRequest) => Promise<Credentials>;
  readonly log: Log;
  readonly now?: () => Date;
  /** Monotonic milliseconds, for the rate limit. */
  readonly uptimeMs?: () => number;
}

const arn = z.string().min(1).max(512);
const credentialsSchema = z.object({
  /** A UUID; the first 8 characters become part of a key. */
  recordingId: z.string().regex(/^[A-Za-z0-9-]{8,64}$/),
  contactId: contactIdSchema,
  agentArn: arn,
  instanceArn: arn,
  bucket: z.string().min(1).max(63),
  keyPrefix: z.string().min(1).max(1024),
});
const authorizeSchema = z.object({
  agentArn: arn,
  instanceArn: arn,
  instanceAlias: z.string().max(62).optional(),
  origin: z.string().max(512),
  appVersion: z.string().max(64),
});

/** The longest that Sightline caches (docs/auth.md). */
const MAX_CACHE_MS = 15 * 60 * 1000;

/** Answers every request; what it cannot know (STS, a bug) with 503, and a line in the log. */
export function createBroker(parts: BrokerParts): (event: HttpEvent) => Promise<HttpResult> {
  const { access, settings, assumeRole, log, now = () => new Date(), uptimeMs } = parts;
  const limit = new RateLimit({
    perSecond: settings.perSecond,
    burst: settings.burst,
    ...(uptimeMs === undefined ? {} : { now: uptimeMs }),
  });

  async function credentials(event: HttpEvent): Promise<HttpResult> {
    const token = bearerToken(event);
    const asked = jsonBody(event, credentialsSchema);
    const { agentArn, instanceArn, recordingId, contactId, bucket, keyPrefix } = asked;
    const { instance, isOwn } = await verified(access, token, asked, limitRate);
    if (!isOwn && !settings.otherAgents)
      throw new Refusal(403, 'OTHER_AGENT', 'The token belongs to another agent than the recording.');
    const keys = allowedKeys(asked, instance, now());
    const request: RoleRequest = {
      roleArn: settings.roleArn,
      sessionName: sessionName(agentArn, recordingId),
      // The recording of another agent may be written, never looked at.
      policy: sessionPolicy(
        { bucket, keyPrefix, keys },
        isOwn ? settings : { ...settings, allowHead: false },
      ),
      durationSeconds: settings.durationSeconds,
    };
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await assumeRole(request).catch(
      (error: unknown) => {
        log({ event: 'sts-failed', error: nameOf(error), agentArn, recordingId });
        throw new Refusal(503, 'STS_FAILED', 'AWS STS gave no credentials. Try again later.', 2);
      },
    );
    log({
      event: 'credentials',
      agentArn,
      instanceArn,
      recordingId,
      contactId,
      keyPrefix,
      isOwn,
      accessKeyId,
      expiration,
    });
    return answer(200, {
      ...{ accessKeyId, secretAccessKey, sessionToken, expiration: expiration.toISOString() },
      mayPutEvents: settings.eventBusArn !== null,
    });
  }

  async function authorize(event: HttpEvent): Promise<HttpResult> {
    const token = bearerToken(event);
    const asked = jsonBody(event, authorizeSchema);
    const { claims, isOwn } = await verified(access, token, asked, limitRate);
    log({ event: 'authorize', allowed: isOwn, agentArn: asked.agentArn, origin: asked.origin });
    if (!isOwn) return answer(200, { allowed: false });
    // A date that JavaScript can write, whatever the issuer says.
    const expiresAt = new Date(Math.min(claims.exp * 1000, now().getTime() + MAX_CACHE_MS)).toISOString();
    return answer(200, { allowed: true, agentArn: asked.agentArn, expiresAt });
  }

  /** Of the one in the token, not in the request: otherwise one token could use up the limits of all agents. */
  function limitRate(who: string): void {
    const seconds = limit.take(who);
    if (seconds > 0)
      throw new Refusal(429, 'TOO_MANY_REQUESTS', `Too many requests. Try again in ${seconds} s.`, seconds);
  }

  const routes: Readonly<Record<string, typeof credentials>> = {
    '/credentials': credentials,
    '/authorize': authorize,
  };

  return async (event) => {
    const { rawPath, requestContext } = event;
    try {
      const route = Object.hasOwn(routes, rawPath) ? routes[rawPath] : undefined;
      if (route === undefined) throw new Refusal(404, 'NOT_FOUND', 'There is no such endpoint.');
      if (requestContext.http.method !== 'POST') throw new Refusal(405, 'METHOD_NOT_ALLOWED', 'Use POST.');
      return await route(event);
    } catch (error) {
      if (error instanceof Refusal) {
        log({ event: 'refused', path: rawPath.slice(0, 64), status: error.status, code: error.code });
        return refused(error);
      }
      log({ event: 'failed', path: rawPath.slice(0, 64), error: nameOf(error) });
      return refused(
        new Refusal(503, 'INTERNAL', 'The request failed. The function’s log has the reason.', 2),
      );
    }
  };
}

/** For CloudTrail: whose recording, and which. At most 64 of the characters that STS accepts. */
function sessionName(agentArn: string, recordingId: string): string {
  const agent = lastPart(agentArn).replaceAll(/[^A-Za-z0-9_=,.@-]/g, '-');
  return `${agent.slice(0, 55)}@${recordingId.slice(0, 8)}`;
}

/** Messages of the AWS SDK can quote requests. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
