// `sightline try`: records a contact of some seconds through the real session, spool, queue and sink, and reports what came of it.
// A trial never gets in the way of a real contact: it does not begin during one, and a page that connects takes precedence.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../platform/deadline.ts';
import type { Session } from '../session/service.ts';
import { trialPageId } from '../session/view.ts';
import type { Failure } from '../shared/errors.ts';
import { SightlineError, errorMessage, failure, toFailure } from '../shared/errors.ts';
import type { Manifest } from '../shared/manifest.ts';
import type { Identity, StartReply } from '../shared/protocol.ts';
import type { TrialReport, TrialRequest } from '../shared/trial.ts';

/** What the publisher knows of an upload (publisher/upload.ts). */
interface PublishedTrial {
  readonly receipt: { readonly location: string; readonly sizeBytes: number };
  readonly manifest: Pick<Manifest, 'video' | 'durationMs'>;
  readonly remove?: () => Promise<void>;
}

export interface TrialServices {
  readonly session: Pick<Session, 'hello' | 'pageLeft' | 'contact' | 'isQuiet' | 'current'>;
  /** Of a recording's next attempt. */
  readonly nextAttempt: (recordingId: string) => Promise<{ result: PublishedTrial } | { failure: Failure }>;
  /** Resolves when the status events of a published recording are written; false: they wait. */
  readonly eventsWritten: (recordingId: string) => Promise<boolean>;
  /** Rejects, or says why nothing can be recorded. */
  readonly ready: () => Promise<Failure | null>;
  readonly policy: { readonly instanceAlias: string | null; readonly instanceRegion: string | null };
}

const PUBLISH_WITHIN_MS = 120_000;

export class Trials {
  private isRunning = false;

  constructor(private readonly services: TrialServices) {}

  /** Never rejects. */
  async run(request: TrialRequest): Promise<TrialReport> {
    const contactId = `sightline-try-${randomUUID()}`;
    const refusal = this.refusal();
    if (refusal !== null) return { ok: false, contactId, step: 'begin', failure: refusal };
    this.isRunning = true;
    const pageId = trialPageId(randomUUID());
    try {
      return await this.record(request, contactId, pageId);
    } catch (error) {
      return { ok: false, contactId, step: 'record', failure: toFailure(error) };
    } finally {
      this.services.session.pageLeft(pageId);
      this.isRunning = false;
    }
  }

  private refusal(): Failure | null {
    if (this.isRunning)
      return failure(
        'USER_ERROR',
        'Another "sightline try" is running. Wait for its end, and run this again.',
      );
    return this.services.session.isQuiet ? null : contactIsOn();
  }

  private async record(request: TrialRequest, contactId: string, pageId: string): Promise<TrialReport> {
    const { session, ready, nextAttempt, eventsWritten } = this.services;
    const problem = await ready();
    if (problem !== null) return { ok: false, contactId, step: 'record', failure: problem };
    // Reading the spool takes time.
    if (!session.isQuiet) return { ok: false, contactId, step: 'begin', failure: contactIsOn() };
    await session.hello(pageId, this.identity());
    const started = (await session.contact({
      ...{ type: 'contact.start', contactId, channel: 'TASK', trial: true },
    })) as StartReply;
    const attempt = nextAttempt(started.recordingId);
    if (started.pausedBy === undefined) await sleep(request.seconds * 1000);
    await session.contact({ type: 'contact.stop', contactId });
    const outcome = await within(attempt, PUBLISH_WITHIN_MS, {
      failure: failure(
        'UPLOAD_FAILED',
        `The sink has not confirmed it within ${PUBLISH_WITHIN_MS / 1000} s.`,
      ),
    });
    if (started.pausedBy !== undefined)
      return { ok: false, contactId, step: 'record', failure: pausedFailure(started.pausedBy) };
    if ('failure' in outcome) return { ok: false, contactId, step: 'publish', failure: outcome.failure };
    const { receipt, manifest } = outcome.result;
    const written = await eventsWritten(started.recordingId);
    return {
      ...{ ok: true, contactId, recordingId: started.recordingId },
      ...{ frames: manifest.video.frames, durationMs: manifest.durationMs },
      ...{ location: receipt.location, sizeBytes: receipt.sizeBytes, sha256: manifest.video.sha256 ?? null },
      ...{ parts: manifest.video.parts?.length ?? 0, eventsWritten: written },
      encryption: manifest.video.encryption ?? null,
      removed: request.remove ? await removed(outcome.result) : null,
    };
  }

  /** The connected agent's, so that no page is disturbed; otherwise one that no instance has. */
  private identity(): Identity {
    const { session, policy } = this.services;
    const { agent, pages } = session.current;
    if (agent !== null && pages.length > 0) return agent;
    const region = policy.instanceRegion ?? 'us-east-1';
    const instanceArn = `arn:aws:connect:${region}:000000000000:instance/sightline-try`;
    const alias = policy.instanceAlias === null ? {} : { instanceAlias: policy.instanceAlias };
    return { agentArn: `${instanceArn}${TRIAL_AGENT}`, instanceArn, ...alias };
  }
}

const TRIAL_AGENT = '/agent/sightline-try';

/** Whether this is no person, but a trial without a page. */
export function isTrialIdentity({ agentArn }: Identity): boolean {
  return agentArn.endsWith(TRIAL_AGENT);
}

function contactIsOn(): Failure {
  return failure(
    'USER_ERROR',
    'A contact is being recorded, or was interrupted and may continue. Run this again when it has ended.',
  );
}

function pausedFailure(pausedBy: readonly string[]): Failure {
  return failure(
    'CAPTURE_FAILED',
    `Capture is paused (${pausedBy.join(', ')}). Run this at the unlocked screen of the agent.`,
  );
}

async function removed({ remove }: PublishedTrial): Promise<{ ok: boolean; why: string | null }> {
  try {
    if (remove === undefined) throw new SightlineError('UPLOAD_FAILED', 'The sink cannot remove anything.');
    await remove();
    return { ok: true, why: null };
  } catch (error) {
    return { ok: false, why: errorMessage(error) };
  }
}
