// What the session decides about capture: when a run is started, stopped and tried again, and what its news mean for
// the contacts; and the ways in which a contact begins to be recorded and ends.

import type { Failure } from '../shared/errors.ts';
import { failure } from '../shared/errors.ts';
import type { GapReason } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { Draft } from './draft.ts';
import type { Contact, RunState, SessionEvent, SessionState, StopCause } from './state.ts';
import { isHeld, isOpen } from './view.ts';

/** Waiting times before capture is tried again, by failures in a row; the last one repeats. */
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 5000] as const;
/** Failures further apart than this are not "in a row". */
const FAULT_MEMORY_MS = 15_000;

export class CaptureDraft extends Draft {
  constructor(
    state: SessionState,
    private readonly newRunId: () => string,
  ) {
    super(state);
  }

  // Runs

  protected runLive(runId: string, firstFrameAt: Moment): void {
    const run = this.state.runs.find((one) => one.runId === runId);
    if (run?.phase.kind !== 'starting') return;
    // The rotation: whoever was live before ends where this one begins, so that there is no gap and no overlap.
    for (const other of this.state.runs) {
      if (other.phase.kind === 'live') {
        const { runId: older } = other;
        this.effects.push({ type: 'run.stop', runId: older, at: firstFrameAt, reason: 'interrupted' });
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
      else if (waitsForCapture(contact)) this.replyResumed(contact, firstFrameAt);
      // Its end came after this frame was grabbed, but before it was reported: this run has the last of it.
      else if (contact.phase.kind === 'stopping' && contact.phase.endTime > firstFrameAt) {
        this.update(contact, { phase: { ...contact.phase, waitsFor: [...contact.phase.waitsFor, runId] } });
        this.effects.push({ type: 'run.cover', runId, until: contact.phase.endTime });
      }
    }
    this.startRunIfWanted();
  }

  protected runEnded(event: SessionEvent & { type: 'run.ended' }): void {
    const run = this.state.runs.find((one) => one.runId === event.runId);
    if (run === undefined) return;
    this.set({ runs: this.state.runs.filter((one) => one !== run) });
    if (event.fault !== null && run.phase.kind !== 'ending')
      this.captureFailed(event.fault, event.permanent, event.at);
    this.releaseFromRun(event.runId, Infinity);
    this.acknowledgeSuspends();
    this.startRunIfWanted();
  }

  protected captureFailed(fault: Failure, permanent: boolean, at: Moment): void {
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
  protected startRunIfWanted(): void {
    const { contacts, runs, retry, shuttingDown, agentTokens } = this.state;
    if (shuttingDown) return;
    const wanted = contacts.some((one) => isOpen(one) && one.leftAt === null) && !isHeld(this.state);
    const acknowledging =
      agentTokens.length > 0 || contacts.some((contact) => contact.suspendTokens.length > 0);
    if (!wanted || acknowledging || (retry !== null && !retry.due)) return;
    if (runs.some((run) => run.phase.kind === 'starting')) return;
    const live = runs.some((run) => run.phase.kind === 'live');
    if (live && !contacts.some((contact) => contact.phase.kind === 'starting')) return;
    const runId = this.newRunId();
    this.set({ runs: [...runs, { runId, phase: { kind: 'starting' } }] });
    this.effects.push({ type: 'run.start', runId });
  }

  protected endRunsNobodyNeeds(now: Moment): void {
    if (this.state.contacts.some(isOpen)) return;
    // A contact that is being stopped in the same moment may end a little later than that.
    const ends = this.state.contacts.map(({ phase }) => (phase.kind === 'stopping' ? phase.endTime : now));
    const at = Math.max(now, ...ends);
    for (const run of this.state.runs) {
      if (run.phase.kind === 'live')
        this.effects.push({ type: 'run.stop', runId: run.runId, at, reason: 'interrupted' });
      else if (run.phase.kind === 'starting') this.effects.push({ type: 'run.cut', runId: run.runId, at });
    }
    this.set({ runs: this.state.runs.map(ending), retry: null });
    this.effects.push({ type: 'timer.clear', name: 'retry' });
  }

  /** Ends every run where it stands: the screen is not what is to be recorded any more. */
  protected endRuns(at: Moment, reason: GapReason): void {
    for (const run of this.state.runs) {
      if (run.phase.kind === 'live') this.effects.push({ type: 'run.stop', runId: run.runId, at, reason });
      else if (run.phase.kind === 'starting') this.effects.push({ type: 'run.cut', runId: run.runId, at });
    }
    this.set({ runs: this.state.runs.map(ending) });
  }

  /** In this very step: nothing that is received from now on is kept. */
  protected cutRuns(at: Moment): void {
    for (const run of this.state.runs) this.effects.push({ type: 'run.cut', runId: run.runId, at });
    this.set({ runs: this.state.runs.map(ending), retry: null });
    this.effects.push({ type: 'timer.clear', name: 'retry' });
  }

  /** Nothing will come for now, so starts and resumes are answered, with what holds capture. */
  protected releaseThoseWhoWaitForCapture(at: Moment): void {
    for (const contact of this.state.contacts) {
      const moment = Math.max(at, contact.requestedAt);
      if (contact.phase.kind === 'starting') this.open(contact, moment);
      else if (waitsForCapture(contact)) this.replyResumed(contact, moment);
    }
  }

  // The ways a contact goes

  protected open(contact: Contact, startTime: Moment): void {
    this.effects.push({ type: 'timer.clear', name: `start:${contact.recordingId}` });
    this.journal({ type: 'contact.recording', recordingId: contact.recordingId, startTime });
    this.replyStarted(contact, startTime, contact.startTokens);
    this.update(contact, { phase: { kind: 'open', startTime }, startTokens: [] });
  }

  protected fail(contact: Contact, why: Failure): void {
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

  protected finishAll(at: Moment, cause: StopCause): void {
    for (const contact of this.state.contacts) {
      if (isOpen(contact)) this.finish(this.get(contact), at, cause);
    }
  }

  protected finish(contact: Contact, at: Moment, why: StopCause): void {
    // Nobody has come back to it: it ended when Sightline did.
    const cause = contact.leftAt === null ? why : 'app-died';
    if (contact.phase.kind === 'stopping') return;
    if (contact.phase.kind === 'starting') {
      this.fail(
        contact,
        failure('USER_ERROR', 'The contact ended before its first frame: nothing was recorded.'),
      );
      this.reply(contact.stopTokens, { kind: 'stop', recordingId: contact.recordingId, endTime: at });
      this.rememberFinished(contact, at, false);
      return this.endRunsNobodyNeeds(at);
    }
    const { startTime } = contact.phase;
    // Nothing can be published that has no length at all.
    const endTime = Math.max(contact.leftAt ?? at, startTime + 1);
    const suspended = contact.suspendedAt !== null && cause !== 'stopped';
    const waitsFor = this.state.runs.filter((run) => run.phase.kind !== 'starting').map((run) => run.runId);
    this.journal({ type: 'contact.stopped', recordingId: contact.recordingId, endTime, cause });
    for (const token of contact.resumeTokens) {
      this.refuse(token, 'USER_ERROR', 'The contact was stopped before capture had come back.');
    }
    this.effects.push({ type: 'timer.clear', name: `suspension:${contact.recordingId}` });
    this.update(contact, {
      phase: { kind: 'stopping', startTime, endTime, waitsFor, cause, suspended },
      suspendedAt: null,
      resumesAt: null,
      resumeTokens: [],
      resumedBy: null,
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
  }

  /** The run holds everything before `until` (Infinity: it has ended). */
  protected releaseFromRun(runId: string, until: Moment): void {
    for (const contact of this.state.contacts) {
      if (contact.phase.kind !== 'stopping' || !contact.phase.waitsFor.includes(runId)) continue;
      if (contact.phase.endTime > until) continue;
      const waitsFor = contact.phase.waitsFor.filter((one) => one !== runId);
      this.update(contact, { phase: { ...contact.phase, waitsFor } });
      if (waitsFor.length === 0) this.complete(this.get(contact));
    }
  }

  protected complete(contact: Contact): void {
    if (contact.phase.kind !== 'stopping') return;
    const { recordingId, phase } = contact;
    this.effects.push({ type: 'announce', status: 'COMPLETED', recordingId, contact });
    this.reply(contact.stopTokens, { kind: 'stop', recordingId, endTime: phase.endTime });
    for (const { token } of contact.suspendTokens) {
      this.refuse(token, 'USER_ERROR', 'The contact was stopped before the suspension took hold.');
    }
    this.rememberFinished(contact, phase.endTime, phase.suspended);
    this.remove(contact);
    this.effects.push({ type: 'publish', recordingId });
  }
}

/** Asked to end. */
function ending(run: RunState): RunState {
  return { runId: run.runId, phase: { kind: 'ending' } };
}

function waitsForCapture(contact: Contact): boolean {
  return contact.resumeTokens.length > 0 || contact.resumedBy !== null;
}
