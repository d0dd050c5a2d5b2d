// The session as a pure function: (state, event) -> (state, effects). It decides everything about contacts, runs and
// suspensions and does nothing itself. Two rules stand above all others:
//   - a suspend cuts every run in the same step in which it is received, before anything else is done;
//   - no run is started while any contact is suspended, or while a suspend waits for its acknowledgement.

import type { Failure } from '../shared/errors.ts';
import { failure, unreachable } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import { Draft } from './draft.ts';
import type {
  Contact,
  Effect,
  Identity,
  RunState,
  SessionEvent,
  SessionState,
  StopCause,
  Token,
} from './state.ts';
import { isOpen, isSuspended, suspendingContacts } from './view.ts';

export interface ReducerOptions {
  /** How long a recording goes on after the last page went away. */
  readonly graceMs: number;
  /** How long a start may wait for its first frame. */
  readonly startDeadlineMs: number;
  readonly newRunId: () => string;
}

/** Waiting times before capture is tried again, by failures in a row; the last one repeats. */
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 5000] as const;
/** Failures further apart than this are not "in a row". */
const FAULT_MEMORY_MS = 15_000;

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly Effect[];
}

export function reduce(state: SessionState, event: SessionEvent, options: ReducerOptions): Step {
  const decision = new Decision(state, options);
  decision.apply(event);
  return { state: decision.state, effects: decision.effects };
}

class Decision extends Draft {
  constructor(
    state: SessionState,
    private readonly options: ReducerOptions,
  ) {
    super(state);
  }

  apply(event: SessionEvent): void {
    switch (event.type) {
      case 'hello':
        return this.hello(event);
      case 'page.left':
        return this.pageLeft(event.pageId);
      case 'grace.over':
        if (this.state.pages.length === 0) this.finishAll(event.at, 'page-lost');
        return;
      case 'contact.start':
        return this.start(event);
      case 'contact.suspend':
        return this.suspend(event);
      case 'contact.resume':
        return this.resume(event);
      case 'contact.stop':
        return this.stop(event);
      case 'start.deadline':
        return this.startDeadline(event.recordingId, event.at);
      case 'run.live':
        return this.runLive(event.runId, event.firstFrameAt);
      case 'run.covered':
        return this.releaseFromRun(event.runId, event.until);
      case 'run.ended':
        return this.runEnded(event);
      case 'retry.due':
        if (this.state.retry !== null) this.set({ retry: { ...this.state.retry, due: true } });
        return this.startRunIfWanted();
      case 'shutdown':
        this.set({ shuttingDown: true });
        return this.finishAll(event.at, 'shutdown');
      default:
        return unreachable(event);
    }
  }

  // Pages

  private hello(event: SessionEvent & { type: 'hello' }): void {
    const { agent, pages } = this.state;
    if (this.state.shuttingDown) {
      return this.refuse(
        event.token,
        'NOT_READY',
        'Sightline is shutting down. Connect again when it has started.',
      );
    }
    const sameAgent = agent !== null && isSameAgent(agent, event.identity);
    if (!sameAgent && pages.length > 0) {
      return this.refuse(
        event.token,
        'MULTIPLE_CCP_INTERACTION',
        'Another agent or instance is connected on this machine. Close its page first.',
      );
    }
    if (!sameAgent) this.finishAll(event.at, 'agent-changed');
    this.set({ agent: event.identity });
    if (!pages.includes(event.pageId)) this.set({ pages: [...pages, event.pageId] });
    this.effects.push({ type: 'timer.clear', name: 'grace' });
    this.reply([event.token], { kind: 'hello' });
  }

  private pageLeft(pageId: string): void {
    if (!this.state.pages.includes(pageId)) return;
    this.set({ pages: this.state.pages.filter((page) => page !== pageId) });
    if (this.state.pages.length === 0) {
      this.effects.push({ type: 'timer.set', name: 'grace', delayMs: this.options.graceMs });
    }
  }

  // Contacts

  private start(event: SessionEvent & { type: 'contact.start' }): void {
    const { agent } = this.state;
    const known = this.find(event.info.contactId);
    if (known !== undefined) return this.startAgain(known, event.token);
    if (agent === null || this.state.shuttingDown) {
      return this.refuse(event.token, 'NOT_READY', 'Send hello first.');
    }
    const suspendedBy = suspendingContacts(this.state);
    const contact: Contact = {
      recordingId: event.recordingId,
      info: event.info,
      agent,
      requestedAt: event.at,
      phase: { kind: 'starting' },
      suspendedAt: null,
      resumedAt: null,
      startTokens: [event.token],
      suspendTokens: [],
      resumeTokens: [],
      stopTokens: [],
    };
    this.set({ contacts: [...this.state.contacts, contact] });
    this.journal({
      type: 'contact.started',
      recordingId: contact.recordingId,
      at: event.at,
      contact: event.info,
      agent,
    });
    this.effects.push({ type: 'announce', status: 'INITIATED', recordingId: contact.recordingId, contact });
    if (suspendedBy.length > 0) return this.open(contact, event.at);
    this.effects.push({
      type: 'timer.set',
      name: `start:${contact.recordingId}`,
      delayMs: this.options.startDeadlineMs,
    });
    this.startRunIfWanted();
  }

  private startAgain(contact: Contact, token: Token): void {
    switch (contact.phase.kind) {
      case 'starting':
        return this.update(contact, { startTokens: [...contact.startTokens, token] });
      case 'open':
        return this.replyStarted(contact, contact.phase.startTime, [token]);
      case 'stopping':
        return this.refuse(
          token,
          'USER_ERROR',
          'This contact is being stopped. Start it again after the stop answers.',
        );
    }
  }

  private suspend(event: SessionEvent & { type: 'contact.suspend' }): void {
    const contact = this.findOpen(event.contactId);
    if (contact === undefined) return this.refuseUnknown(event.token, event.contactId);
    if (contact.suspendedAt !== null) {
      if (contact.suspendTokens.length > 0) {
        const again = { token: event.token, suspendedAt: contact.suspendedAt };
        return this.update(contact, { suspendTokens: [...contact.suspendTokens, again] });
      }
      return this.reply([event.token], { kind: 'suspend', suspendedAt: contact.suspendedAt });
    }
    // First of all effects, so that nothing at all happens between the receipt and the cut.
    for (const run of this.state.runs) this.effects.push({ type: 'run.cut', runId: run.runId, at: event.at });
    this.set({ runs: this.state.runs.map(ending), retry: null });
    this.effects.push({ type: 'timer.clear', name: 'retry' });
    this.journal({
      type: 'contact.suspended',
      recordingId: contact.recordingId,
      at: event.at,
      ...(event.reason === undefined ? {} : { reason: event.reason }),
    });
    for (const token of contact.resumeTokens) {
      this.refuse(token, 'USER_ERROR', 'The contact was suspended again before capture had come back.');
    }
    this.update(contact, {
      suspendedAt: event.at,
      suspendTokens: [...contact.suspendTokens, { token: event.token, suspendedAt: event.at }],
      resumeTokens: [],
    });
    this.releaseThoseWhoWaitForCapture(event.at);
    this.acknowledgeSuspends();
  }

  /** Nothing will come while a suspension holds, so starts and resumes are answered now, with who holds it. */
  private releaseThoseWhoWaitForCapture(at: Moment): void {
    for (const contact of this.state.contacts) {
      if (contact.phase.kind === 'starting') this.open(contact, at);
      else if (contact.resumeTokens.length > 0) this.replyResumed(contact, at);
    }
  }

  private resume(event: SessionEvent & { type: 'contact.resume' }): void {
    const contact = this.findOpen(event.contactId);
    if (contact === undefined) return this.refuseUnknown(event.token, event.contactId);
    if (contact.suspendedAt === null) {
      if (contact.resumeTokens.length > 0) {
        return this.update(contact, { resumeTokens: [...contact.resumeTokens, event.token] });
      }
      const since = contact.phase.kind === 'open' ? contact.phase.startTime : contact.requestedAt;
      return this.reply([event.token], { kind: 'resume', resumedAt: contact.resumedAt ?? since });
    }
    this.journal({ type: 'contact.resumed', recordingId: contact.recordingId, at: event.at });
    this.update(contact, { suspendedAt: null, resumeTokens: [event.token] });
    if (isSuspended(this.state)) this.replyResumed(this.get(contact), event.at);
    this.startRunIfWanted();
  }

  private stop(event: SessionEvent & { type: 'contact.stop' }): void {
    const contact = this.find(event.contactId);
    if (contact === undefined) {
      const finished = this.state.finished.findLast((one) => one.contactId === event.contactId);
      if (finished === undefined) return this.refuseUnknown(event.token, event.contactId);
      const { recordingId, endTime } = finished;
      return this.reply([event.token], { kind: 'stop', recordingId, endTime });
    }
    this.update(contact, { stopTokens: [...contact.stopTokens, event.token] });
    if (isOpen(contact)) this.finish(this.get(contact), event.at, 'stopped');
  }

  private startDeadline(recordingId: string, at: Moment): void {
    const contact = this.state.contacts.find((one) => one.recordingId === recordingId);
    if (contact?.phase.kind !== 'starting') return;
    this.fail(
      contact,
      this.state.retry?.failure ??
        failure(
          'CAPTURE_TIMEOUT',
          'No frame arrived in time. Run "sightline doctor" to see what holds capture up.',
        ),
    );
    this.endRunsNobodyNeeds(at);
  }

  // Runs

  private runLive(runId: string, firstFrameAt: Moment): void {
    const run = this.state.runs.find((one) => one.runId === runId);
    if (run?.phase.kind !== 'starting') return;
    // The rotation: whoever was live before ends where this one begins, so that there is no gap and no overlap.
    for (const other of this.state.runs) {
      if (other.phase.kind === 'live') {
        this.effects.push({ type: 'run.stop', runId: other.runId, at: firstFrameAt });
      }
    }
    this.set({
      runs: this.state.runs.map((one) =>
        one.runId === runId ? { runId, phase: { kind: 'live', firstFrameAt } } : ending(one),
      ),
      retry: null,
    });
    this.effects.push({ type: 'timer.clear', name: 'retry' });
    for (const contact of this.state.contacts) {
      // A frame from before a contact's start is not for its recording: such a contact waits for the next run.
      if (contact.phase.kind === 'starting' && contact.requestedAt <= firstFrameAt)
        this.open(contact, firstFrameAt);
      else if (contact.resumeTokens.length > 0) this.replyResumed(contact, firstFrameAt);
      // Its end came after this frame was grabbed, but before it was reported: this run has the last of it.
      else if (contact.phase.kind === 'stopping' && contact.phase.endTime > firstFrameAt) {
        this.update(contact, { phase: { ...contact.phase, waitsFor: [...contact.phase.waitsFor, runId] } });
        this.effects.push({ type: 'run.cover', runId, until: contact.phase.endTime });
      }
    }
    this.startRunIfWanted();
  }

  private runEnded(event: SessionEvent & { type: 'run.ended' }): void {
    const run = this.state.runs.find((one) => one.runId === event.runId);
    if (run === undefined) return;
    this.set({ runs: this.state.runs.filter((one) => one !== run) });
    if (event.fault !== null && run.phase.kind !== 'ending')
      this.captureFailed(event.fault, event.permanent, event.at);
    this.releaseFromRun(event.runId, Infinity);
    this.acknowledgeSuspends();
    this.startRunIfWanted();
  }

  private captureFailed(fault: Failure, permanent: boolean, at: Moment): void {
    const { faults } = this.state;
    const attempt = faults !== null && at - faults.lastAt < FAULT_MEMORY_MS ? faults.count + 1 : 1;
    const delayMs = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length) - 1] ?? 0;
    this.set({
      faults: { count: attempt, lastAt: at },
      retry: { attempt, failure: fault, due: delayMs === 0 },
    });
    if (delayMs > 0) this.effects.push({ type: 'timer.set', name: 'retry', delayMs });
    if (permanent) {
      for (const contact of this.state.contacts) {
        if (contact.phase.kind === 'starting') this.fail(contact, fault);
      }
    }
    this.endRunsNobodyNeeds(at);
  }

  /** Starts a run where one is wanted: none is there yet, or a contact waits for one of its own (a rotation). */
  private startRunIfWanted(): void {
    const { contacts, runs, retry } = this.state;
    const wanted = contacts.some(isOpen) && !isSuspended(this.state);
    const acknowledging = contacts.some((contact) => contact.suspendTokens.length > 0);
    if (!wanted || acknowledging || (retry !== null && !retry.due)) return;
    if (runs.some((run) => run.phase.kind === 'starting')) return;
    const live = runs.some((run) => run.phase.kind === 'live');
    if (live && !contacts.some((contact) => contact.phase.kind === 'starting')) return;
    const runId = this.options.newRunId();
    this.set({ runs: [...runs, { runId, phase: { kind: 'starting' } }] });
    this.effects.push({ type: 'run.start', runId });
  }

  private endRunsNobodyNeeds(now: Moment): void {
    if (this.state.contacts.some(isOpen)) return;
    // A contact that is being stopped in the same moment may end a little later than that.
    const ends = this.state.contacts.map(({ phase }) => (phase.kind === 'stopping' ? phase.endTime : now));
    const at = Math.max(now, ...ends);
    for (const run of this.state.runs) {
      if (run.phase.kind === 'live') this.effects.push({ type: 'run.stop', runId: run.runId, at });
      else if (run.phase.kind === 'starting') this.effects.push({ type: 'run.cut', runId: run.runId, at });
    }
    this.set({ runs: this.state.runs.map(ending), retry: null });
    this.effects.push({ type: 'timer.clear', name: 'retry' });
  }

  // The ways a contact goes

  private open(contact: Contact, startTime: Moment): void {
    this.effects.push({ type: 'timer.clear', name: `start:${contact.recordingId}` });
    this.journal({ type: 'contact.recording', recordingId: contact.recordingId, startTime });
    this.replyStarted(contact, startTime, contact.startTokens);
    this.update(contact, { phase: { kind: 'open', startTime }, startTokens: [] });
  }

  private fail(contact: Contact, why: Failure): void {
    this.effects.push({ type: 'timer.clear', name: `start:${contact.recordingId}` });
    this.journal({ type: 'recording.failed', recordingId: contact.recordingId, failure: why });
    this.effects.push({
      type: 'announce',
      status: 'FAILED',
      recordingId: contact.recordingId,
      contact,
      failure: why,
    });
    for (const token of contact.startTokens) this.refuse(token, why.code, why.message);
    this.remove(contact);
  }

  private finishAll(at: Moment, cause: StopCause): void {
    for (const contact of this.state.contacts) {
      if (isOpen(contact)) this.finish(this.get(contact), at, cause);
    }
  }

  private finish(contact: Contact, at: Moment, cause: StopCause): void {
    if (contact.phase.kind === 'stopping') return;
    if (contact.phase.kind === 'starting') {
      this.fail(
        contact,
        failure('USER_ERROR', 'The contact ended before its first frame: nothing was recorded.'),
      );
      this.reply(contact.stopTokens, { kind: 'stop', recordingId: contact.recordingId, endTime: at });
      this.rememberFinished(contact, at);
      return this.endRunsNobodyNeeds(at);
    }
    const { startTime } = contact.phase;
    // Nothing can be published that has no length at all.
    const endTime = Math.max(at, startTime + 1);
    const waitsFor = this.state.runs.filter((run) => run.phase.kind !== 'starting').map((run) => run.runId);
    this.journal({ type: 'contact.stopped', recordingId: contact.recordingId, endTime, cause });
    for (const token of contact.resumeTokens) {
      this.refuse(token, 'USER_ERROR', 'The contact was stopped before capture had come back.');
    }
    this.update(contact, {
      phase: { kind: 'stopping', startTime, endTime, waitsFor, cause },
      suspendedAt: null,
      resumeTokens: [],
    });
    if (this.state.contacts.some(isOpen)) {
      for (const run of this.state.runs) {
        if (run.phase.kind === 'live')
          this.effects.push({ type: 'run.cover', runId: run.runId, until: endTime });
      }
    } else {
      this.endRunsNobodyNeeds(endTime);
    }
    if (waitsFor.length === 0) this.complete(this.get(contact));
    this.startRunIfWanted();
  }

  /** The run holds everything before `until` (Infinity: it has ended). */
  private releaseFromRun(runId: string, until: Moment): void {
    for (const contact of this.state.contacts) {
      if (contact.phase.kind !== 'stopping' || !contact.phase.waitsFor.includes(runId)) continue;
      if (contact.phase.endTime > until) continue;
      const waitsFor = contact.phase.waitsFor.filter((one) => one !== runId);
      this.update(contact, { phase: { ...contact.phase, waitsFor } });
      if (waitsFor.length === 0) this.complete(this.get(contact));
    }
  }

  private complete(contact: Contact): void {
    if (contact.phase.kind !== 'stopping') return;
    const { recordingId, phase } = contact;
    this.effects.push({ type: 'announce', status: 'COMPLETED', recordingId, contact });
    this.reply(contact.stopTokens, { kind: 'stop', recordingId, endTime: phase.endTime });
    for (const { token } of contact.suspendTokens) {
      this.refuse(token, 'USER_ERROR', 'The contact was stopped before the suspension took hold.');
    }
    this.rememberFinished(contact, phase.endTime);
    this.remove(contact);
    this.effects.push({ type: 'publish', recordingId });
  }
}

function ending(run: RunState): RunState {
  return { runId: run.runId, phase: { kind: 'ending' } };
}

function isSameAgent(a: Identity, b: Identity): boolean {
  return a.agentArn === b.agentArn && a.instanceArn === b.instanceArn;
}
