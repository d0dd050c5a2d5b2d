// GET /recordings/<contactId>?instance=<id>: links to a contact's recordings for a CRM. Each link is valid for a short time, for whoever
// has it; each answer is a line of the audit log.

import { contactIdSchema } from '../../main/shared/protocol.ts';
import { RateLimit } from '../broker/rateLimit.ts';
import { answer, bearerToken, Refusal, refused, type HttpEvent, type HttpResult } from '../http/lambda.ts';
import type { Log } from '../http/log.ts';
import type { LocationStore } from '../location/store.ts';
import type { AccessSettings, Instance } from '../settings.ts';
import { lastPart } from '../tokens/agent.ts';
import type { Claims, TokenVerifier } from '../tokens/verifier.ts';

export interface LinkSettings {
  /** A verified token may read recordings if this claim has (or, as a list or words, contains) the value. */
  readonly claim: string;
  readonly value: string;
  readonly seconds: number;
}

export interface LinkParts {
  readonly settings: LinkSettings;
  readonly access: Pick<AccessSettings, 'instances' | 'agentClaim'>;
  readonly verify: TokenVerifier;
  readonly store: LocationStore;
  /** @returns a URL for GetObject, valid for so many seconds */
  readonly presign: (bucket: string, key: string, seconds: number) => Promise<string>;
  readonly log: Log;
  readonly now?: () => number;
}

const PATH = /^\/recordings\/([^/]{1,128})$/;
/** The newest ones. */
const MAX_LINKS = 10;

export function createLink(parts: LinkParts): (event: HttpEvent) => Promise<HttpResult> {
  const { settings, access, verify, store, presign, log, now = Date.now } = parts;
  const limit = new RateLimit({ perSecond: 2, burst: 20 });

  async function link(event: HttpEvent): Promise<HttpResult> {
    const path = PATH.exec(event.rawPath);
    if (path === null) throw new Refusal(404, 'NOT_FOUND', 'There is no such endpoint.');
    if (event.requestContext.http.method !== 'GET') throw new Refusal(405, 'METHOD_NOT_ALLOWED', 'Use GET.');
    const claims = await verify(bearerToken(event));
    const who = typeof claims.sub === 'string' ? claims.sub : 'unknown';
    const seconds = limit.take(who);
    if (seconds > 0) throw new Refusal(429, 'TOO_MANY_REQUESTS', `Try again in ${seconds} s.`, seconds);
    if (!contains(claims[settings.claim], settings.value))
      throw new Refusal(403, 'MAY_NOT_READ', 'The token does not allow reading recordings.');
    const instance = instanceOf(event.queryStringParameters?.['instance'] ?? '', claims);
    const contactId = contactIdSchema.safeParse(path[1]);
    if (!contactId.success) throw new Refusal(400, 'INVALID_REQUEST', 'Not valid: contactId.');
    const all = await store.of(instance.instanceArn, contactId.data);
    const expiresAt = new Date(now() + settings.seconds * 1000).toISOString();
    const recordings = await Promise.all(
      all.slice(-MAX_LINKS).map(async ({ recordingId, startTime, bucket, key }) => ({
        ...{ recordingId, startTime, expiresAt },
        url: await presign(bucket, key, settings.seconds),
      })),
    );
    log({
      ...{
        event: 'links',
        who,
        issuer: claims.iss,
        instanceArn: instance.instanceArn,
        contactId: contactId.data,
      },
      recordingIds: recordings.map(({ recordingId }) => recordingId),
      seconds: settings.seconds,
    });
    if (recordings.length === 0)
      throw new Refusal(404, 'NO_RECORDING', 'No recording of this contact is published (yet).');
    return answer(200, { contactId: contactId.data, recordings });
  }

  /** @throws Refusal 403 */
  function instanceOf(named: string, claims: Claims): Instance {
    const instance = access.instances.find(
      ({ instanceArn }) => instanceArn === named || lastPart(instanceArn) === named,
    );
    const { instanceClaim } = access.agentClaim;
    const isAllowed =
      instance !== undefined &&
      (instanceClaim === null ||
        contains(claims[instanceClaim], instance.instanceArn) ||
        contains(claims[instanceClaim], lastPart(instance.instanceArn)));
    if (isAllowed) return instance;
    throw new Refusal(403, 'INSTANCE_NOT_ALLOWED', 'The token does not allow this Amazon Connect instance.');
  }

  return async (event) => {
    try {
      return await link(event);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(503, 'INTERNAL', 'Try again later.', 2);
      const { status, code } = refusal;
      log({
        event: 'refused',
        path: 'link',
        status,
        code,
        ...(error === refusal ? {} : { error: String(error) }),
      });
      return refused(refusal);
    }
  };
}

function contains(claim: unknown, value: string): boolean {
  if (typeof claim === 'string') return claim.split(' ').includes(value);
  return Array.isArray(claim) && claim.includes(value);
}
