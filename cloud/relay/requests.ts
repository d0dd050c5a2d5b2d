// The callers' side of the relay: endpoints shaped like Connect's SuspendContactRecording and ResumeContactRecording, and the same for a
// flow that invokes the function. A caller learns SUSPENDED only when the recorder of each agent who has the contact has confirmed it.
// https://docs.aws.amazon.com/connect/latest/APIReference/API_SuspendContactRecording.html

import { randomUUID } from 'node:crypto';
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
import type { TokenVerifier } from '../tokens/verifier.ts';
import type { Instance } from '../settings.ts';
import type { Outcome } from './messages.ts';
import type { Push } from './sockets.ts';
import type { Desk, RelayStore } from './store.ts';

export type RelayStatus = 'SUSPENDED' | 'RESUMED' | 'NOT_ACKNOWLEDGED' | 'NO_DESK';

export interface RelayResult {
  readonly status: RelayStatus;
  readonly requestId: string;
  readonly waitedMillis: number;
}

export interface RequestParts {
  readonly instances: readonly Pick<Instance, 'instanceArn'>[];
  readonly store: RelayStore;
  readonly push: Push;
  /** For callers without IAM (docs/aws-services.md); null: IAM only. Never the verifier of agents: an agent must not resume. */
  readonly verifyCaller: TokenVerifier | null;
  /** How long a desk has, unless the request says. A flow waits 8 s for a function. */
  readonly deadlineMs: number;
  readonly log: Log;
  readonly now?: () => number;
}

/** An HTTP API ends a request after 30 s. */
const LONGEST_DEADLINE_MS = 25_000;

const requestSchema = z.object({
  InstanceId: z.string().min(1).max(256),
  ContactId: contactIdSchema,
  InitialContactId: contactIdSchema,
  ContactRecordingType: z.literal('SCREEN'),
  /** Ours: only this agent's desk is asked, and counts. */
  AgentArn: z.string().max(512).optional(),
  /** Ours. */
  DeadlineMillis: z.number().int().min(100).max(LONGEST_DEADLINE_MS).optional(),
});
type Asked = z.infer<typeof requestSchema>;

/** What a flow's block "AWS Lambda function" sends. */
const flowEventSchema = z.object({
  Details: z.object({
    ContactData: z.object({
      ContactId: contactIdSchema,
      InitialContactId: contactIdSchema,
      InstanceARN: z.string().max(512),
    }),
    Parameters: z.object({
      action: z.enum(['suspend', 'resume']),
      agentArn: z.string().max(512).optional(),
    }),
  }),
});

const STATUS_CODES: Readonly<Record<RelayStatus, number>> = {
  SUSPENDED: 200,
  RESUMED: 200,
  NO_DESK: 404,
  NOT_ACKNOWLEDGED: 504,
};
const SUSPEND_PATH = '/contact/suspend-recording';
const RESUME_PATH = '/contact/resume-recording';

export interface Requests {
  http(event: HttpEvent): Promise<HttpResult>;
  /** A flat object of strings, as flows want it. @throws ZodError for another event */
  flow(event: unknown): Promise<{ status: RelayStatus | 'REFUSED'; requestId: string }>;
}

export function createRequests(parts: RequestParts): Requests {
  const { instances, store, push, verifyCaller, deadlineMs, log, now = Date.now } = parts;

  async function relay(asked: Asked, suspended: boolean): Promise<RelayResult> {
    const began = now();
    const { ContactId: contactId, InstanceId, InitialContactId, AgentArn } = asked;
    const instance = instances.find(
      ({ instanceArn }) => instanceArn === InstanceId || lastPart(instanceArn) === InstanceId,
    );
    if (instance === undefined)
      throw new Refusal(
        403,
        'INSTANCE_NOT_SERVED',
        'This service does not serve the Amazon Connect instance.',
      );
    const { instanceArn } = instance;
    const requestId = randomUUID();
    const wanted = { contactId, suspended, requestedAt: began };
    const isNewest = await store.setWanted(instanceArn, wanted);
    const asking = (await store.desksOf(instanceArn, contactId)).filter(
      ({ agentArn, initialContactId }) =>
        (AgentArn === undefined || agentArn === AgentArn) &&
        (initialContactId === null || initialContactId === InitialContactId),
    );
    const desks = await reached(asking, { type: 'request', requestId, ...wanted });
    const deadline = began + (asked.DeadlineMillis ?? deadlineMs);
    const status = isNewest
      ? await acknowledgedBy(desks, requestId, suspended, deadline)
      : ('NOT_ACKNOWLEDGED' as const);
    const result = { status, requestId, waitedMillis: now() - began };
    log({
      event: 'relay',
      ...wanted,
      ...result,
      instanceArn,
      agents: [...new Set(desks.map((one) => one.agentArn))],
    });
    return result;
  }

  /** Those to which it was sent. */
  async function reached(desks: readonly Desk[], message: Parameters<Push>[1]): Promise<Desk[]> {
    const sent = await Promise.all(
      desks.map(async (desk) => {
        // In doubt it has been sent: then its acknowledgement is awaited.
        const isThere = await push(desk.connectionId, message).catch(() => true);
        if (!isThere) await store.forget(desk.connectionId);
        return isThere ? [desk] : [];
      }),
    );
    return sent.flat();
  }

  async function acknowledgedBy(
    desks: readonly Desk[],
    requestId: string,
    suspended: boolean,
    deadline: number,
  ): Promise<RelayStatus> {
    for (;;) {
      const verdict = judge(desks, await store.acknowledgementsOf(requestId), suspended);
      if (verdict !== null) return verdict;
      const leftMs = deadline - now();
      if (leftMs <= 0) return 'NOT_ACKNOWLEDGED';
      await store.acknowledged(requestId, leftMs);
    }
  }

  /** @throws Refusal 401 */
  async function admit(event: HttpEvent): Promise<void> {
    if (event.requestContext.authorizer?.iam?.userArn) return;
    if (verifyCaller === null)
      throw new Refusal(
        401,
        'CALLER_UNKNOWN',
        'Sign the request with IAM credentials that may call this API.',
      );
    await verifyCaller(bearerToken(event));
  }

  return {
    async http(event) {
      const { rawPath, requestContext } = event;
      try {
        if (rawPath !== SUSPEND_PATH && rawPath !== RESUME_PATH)
          throw new Refusal(404, 'NOT_FOUND', 'There is no such endpoint.');
        if (requestContext.http.method !== 'POST') throw new Refusal(405, 'METHOD_NOT_ALLOWED', 'Use POST.');
        await admit(event);
        const result = await relay(jsonBody(event, requestSchema), rawPath === SUSPEND_PATH);
        return answer(STATUS_CODES[result.status], result);
      } catch (error) {
        const refusal =
          error instanceof Refusal ? error : new Refusal(503, 'INTERNAL', 'Try again later.', 2);
        const { code, status } = refusal;
        log({
          event: 'refused',
          path: rawPath.slice(0, 64),
          status,
          code,
          ...(error === refusal ? {} : { error: String(error) }),
        });
        return refused(refusal);
      }
    },
    async flow(event) {
      const { ContactData: contact, Parameters: parameters } = flowEventSchema.parse(event).Details;
      const asked: Asked = {
        InstanceId: contact.InstanceARN,
        ...{ ContactId: contact.ContactId, InitialContactId: contact.InitialContactId },
        ContactRecordingType: 'SCREEN',
        ...(parameters.agentArn === undefined ? {} : { AgentArn: parameters.agentArn }),
      };
      try {
        const { status, requestId } = await relay(asked, parameters.action === 'suspend');
        return { status, requestId };
      } catch (error) {
        // A flow branches on it; an error would be the same as a timeout.
        log({ event: 'refused', path: 'flow', error: String(error) });
        return { status: 'REFUSED', requestId: '' };
      }
    },
  };
}

/**
 * By agents, not tabs: several tabs of one agent speak for the same recorder, and a hidden one may be slow.
 * @returns null: not known yet
 */
function judge(
  desks: readonly Desk[],
  outcomes: ReadonlyMap<string, Outcome>,
  suspended: boolean,
): RelayStatus | null {
  const ofAgents = [...new Set(desks.map(({ agentArn }) => agentArn))].map((agent) => {
    const tabs = desks.filter(({ agentArn }) => agentArn === agent);
    const said = tabs.map(({ connectionId }) => outcomes.get(connectionId));
    if (said.includes(suspended ? 'suspended' : 'resumed')) return 'done';
    return said.every((one) => one === 'not-recorded') ? 'not-recorded' : 'open';
  });
  if (ofAgents.includes('open')) return null;
  if (!ofAgents.includes('done')) return 'NO_DESK';
  return suspended ? 'SUSPENDED' : 'RESUMED';
}
