// What all routes share: the parts of the server, the caller of a request, and what is often asked of them.

import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Logger } from '../../../main/platform/log.ts';
import type { Role } from '../../contract.ts';
import { ReviewFailure } from '../failure.ts';
import type { Library, Recording } from '../library/ports.ts';
import type { AuditFact } from './audit/line.ts';
import type { AuditLog } from './audit/log.ts';
import type { Once } from './audit/once.ts';
import { highestRole, scopeOf } from './grants.ts';
import type { Caller, Identity } from './identity.ts';
import type { OpenStreams, RateLimits } from './limits.ts';
import type { NotesStore } from './notes/store.ts';
import type { Sessions } from './sessions.ts';

export interface Parts {
  readonly library: Library;
  readonly audit: AuditLog;
  readonly once: Once;
  readonly notes: NotesStore;
  readonly sessions: Sessions;
  readonly identity: Identity;
  readonly limits: RateLimits;
  readonly streams: OpenStreams;
  readonly verifications: OpenStreams;
  /** By policy and command line, for everybody. */
  readonly mayDownload: boolean;
  readonly appVersion: string;
  readonly isHttps: boolean;
  readonly cookieName: string;
  readonly log: Logger;
}

export interface Env {
  Bindings: HttpBindings;
  Variables: { caller: Caller };
}
export type ReviewContext = Context<Env>;
export type ReviewApp = Hono<Env>;

export const roleOf = (c: ReviewContext): Role => highestRole(c.var.caller.grants) ?? 'viewer';
export const userOf = (c: ReviewContext): string => c.var.caller.session.user;

/** For the audit log: somebody asked for an id that is not for him, or that he made up. */
export class NoSuchRecording extends ReviewFailure {
  constructor() {
    super('NOT_FOUND', 'There is no such recording, or you have no access to it.');
  }
}

/** @throws ReviewFailure NOT_FOUND: there is none, or it is not for this user; nobody learns which */
export function recordingFor(c: ReviewContext, { library }: Parts, least: Role = 'viewer'): Recording {
  const id = c.req.param('id') ?? '';
  const find = (role: Role): Recording | null =>
    /^[A-Za-z0-9_-]{1,128}$/.test(id) ? library.find(id, scopeOf(c.var.caller.grants, role)) : null;
  const visible = find('viewer');
  if (visible === null) throw new NoSuchRecording();
  const recording = least === 'viewer' ? visible : find(least);
  if (recording !== null) return recording;
  throw new ReviewFailure(
    'NOT_ALLOWED',
    'You may watch this recording, but not download it or its unredacted audio.',
  );
}

/** A fact for the audit log, with who asks and from where. */
export function factOf(
  c: ReviewContext,
  { identity }: Parts,
  fact: Pick<AuditFact, 'action' | 'details'>,
  recording?: Recording,
): AuditFact {
  const about =
    recording === undefined
      ? {}
      : { recordingId: recording.row.id, contactId: recording.row.contactId, key: recording.key };
  const address = identity.addressOf(c.env.incoming);
  return { ...{ user: userOf(c), role: roleOf(c), address }, ...about, ...fact };
}

/** One line for what one session does with one thing in a while. @throws ReviewFailure AUDIT_UNAVAILABLE */
export function auditOnce(
  c: ReviewContext,
  parts: Parts,
  fact: Pick<AuditFact, 'action' | 'details'>,
  recording?: Recording,
): Promise<void> {
  const { csrf } = c.var.caller.session;
  const key = JSON.stringify([csrf, fact.action, recording?.row.id, fact.details]);
  return parts.once.run(key, () => parts.audit.add(factOf(c, parts, fact, recording)));
}
