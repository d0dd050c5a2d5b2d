// The session as a pure function: (state, event) -> (state, effects). It decides everything about contacts, runs and
// suspensions and does nothing itself. Two rules stand above all others:
//   - a suspend cuts every run in the same step in which it is received, before anything else is done;
//   - no run is started while any contact is suspended, or while a suspend waits for its acknowledgement.

import { failure, unreachable } from '../shared/errors.ts';
import type { PauseReason } from '../shared/names.ts';
import { gapOfPause } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { AgentHoldDraft } from './agentHold.ts';
import type { AgentHoldOptions } from './agentHold.ts';
import type { Contact, Effect, ResumeCause, SessionEvent, SessionState, Token } from './state.ts';
import { heldBy, isHeld, isOpen, isQuiet, isSameAgent } from './view.ts';

/** AWS lets an agent have 1 call, 10 chats and 10 tasks; the rest is for those that are being stopped. */
export const MAX_CONTACTS = 32;

export interface ReducerOptions extends AgentHoldOptions {
  /** How long a recording goes on after the last page went away. */
  readonly graceMs: number;
  /** How long a start may wait for its first frame. */
  readonly startDeadlineMs: number;
  /** After this long a suspension ends by itself; 0: never. A page may ask for less. */
  readonly suspendMaxSeconds: number;
  /** Whether suspensions end when Sightline was restarted and a page has come back. */
  readonly resumeAfterRestart: boolean;
}

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly Effect[];
}

export function reduce(state: SessionState, event: SessionEvent, options: ReducerOptions): Step {
  const decision = new Decision(state, options);
  decision.apply(event);
  return { state: decision.state, effects: decision.effects };
}

class Decision extends AgentHoldDraft {
  constructor(
    state: SessionState,
    private readonly options: ReducerOptions,
  ) {
    super(state, options);
  }

  apply(event: SessionEvent): void {
    switch (event.type) {
      case 'restored':
        return this.restore(event);
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
      case 'agent.suspend':
        return this.agentSuspends(event);
      case 'agent.resume':
        return this.agentResumes(event);
      case 'agent.hold-over':
        return this.agentHoldOver(event.at);
      case 'start.deadline':
        return this.startDeadline(event.recordingId, event.at);
      case 'suspension.over':
        return this.suspensionOver(event.recordingId, event.at);
      case 'pauses':
        return this.pausesChanged(event.pauses, event.at);
      case 'displays.changed':
        this.endRuns(event.at, 'display-changed');
        return this.startRunIfWanted();
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
        return this.shutDown(event.at);
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
    if (!sameAgent) {
      this.endAgentHold(event.at);
      this.finishAll(event.at, 'agent-changed');
    }
    this.set({ agent: event.identity });
    if (!pages.includes(event.pageId)) this.set({ pages: [...pages, event.pageId] });
    this.effects.push({ type: 'timer.clear', name: 'grace' });
    this.reply([event.token], { kind: 'hello' });
    this.adopt(event.at);
  }

  /** A page has come back to what an earlier process left open: it goes on. */
  private adopt(at: Moment): void {
    for (const contact of this.state.contacts) {
      if (contact.leftAt === null) continue;
      this.update(contact, { leftAt: null });
      if (this.options.resumeAfterRestart && contact.suspendedAt !== null)
        this.endSuspension(this.get(contact), at, 'restart');
    }
    this.startRunIfWanted();
  }

  private restore({ contacts, endedSuspended, agentHeldSince }: SessionEvent & { type: 'restored' }): void {
    this.set({
      agent: contacts[0]?.agent ?? null,
      finished: endedSuspended.map((one) => ({ ...one, suspended: one.suspended ?? true })),
      // Without its time limit, like the suspensions of pages.
      agentHold:
        agentHeldSince === undefined || agentHeldSince === null
          ? null
          : { since: agentHeldSince, until: null },
      contacts: contacts.map((one) => ({
        ...newContact(one),
        phase: { kind: 'open', startTime: one.startTime },
        suspendedAt: one.suspendedAt,
        leftAt: one.leftAt,
      })),
    });
    if (contacts.length > 0)
      this.effects.push({ type: 'timer.set', name: 'grace', delayMs: this.options.graceMs });
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
    if (this.state.contacts.length >= MAX_CONTACTS) {
      return this.refuse(
        event.token,
        'TOO_MANY_REQUESTS',
        `${MAX_CONTACTS} contacts are being recorded, more than an agent can have. Stop those that have ended.`,
      );
    }
    const { recordingId, info } = event;
    const contact = newContact({ recordingId, info, agent, requestedAt: event.at }, [event.token]);
    const earlier = this.state.finished.findLast((one) => one.contactId === info.contactId);
    if (earlier?.suspended === true) this.cutRuns(event.at);
    if (earlier?.heldByAgent === true) this.holdAgain(event.at);
    const isFirst = isQuiet(this.state);
    this.set({ contacts: [...this.state.contacts, contact] });
    this.journal({
      type: 'contact.started',
      recordingId: contact.recordingId,
      at: event.at,
      contact: event.info,
      agent,
    });
    if (isFirst) this.journalPauses(heldBy(this.state), 'capture.paused', event.at);
    this.effects.push({ type: 'announce', status: 'INITIATED', recordingId: contact.recordingId, contact });
    // What ended suspended while no page was there begins again suspended: only a page may say otherwise.
    if (earlier?.suspended === true) this.holdSuspended(contact, event.at);
    if (isHeld(this.state)) return this.open(this.get(contact), event.at);
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
      // A contact that began suspended may still have runs to wait for, although nobody has asked before.
      if (this.state.runs.length > 0) {
        const again = { token: event.token, suspendedAt: contact.suspendedAt };
        return this.update(contact, { suspendTokens: [...contact.suspendTokens, again] });
      }
      return this.replySuspended([event.token], contact.suspendedAt, contact.resumesAt);
    }
    // First of all effects, so that nothing at all happens between the receipt and the cut.
    this.cutRuns(event.at);
    for (const token of contact.resumeTokens) {
      this.refuse(token, 'USER_ERROR', 'The contact was suspended again before capture had come back.');
    }
    this.holdSuspended(contact, event.at, event.reason, event.maxSeconds);
    const { suspendTokens } = contact;
    this.update(contact, {
      suspendTokens: [...suspendTokens, { token: event.token, suspendedAt: event.at }],
      resumeTokens: [],
      resumedBy: null,
    });
    this.releaseThoseWhoWaitForCapture(event.at);
    this.acknowledgeSuspends();
  }

  private holdSuspended(contact: Contact, at: Moment, reason?: string, maxSeconds?: number): void {
    const { recordingId } = contact;
    const limit = this.options.suspendMaxSeconds;
    const limitMs = limit === 0 ? null : Math.min(limit, maxSeconds ?? limit) * 1000;
    this.journal({ type: 'contact.suspended', recordingId, at, ...(reason === undefined ? {} : { reason }) });
    this.update(contact, {
      suspendedAt: at,
      suspendReason: reason ?? null,
      resumesAt: limitMs === null ? null : at + limitMs,
    });
    if (limitMs !== null)
      this.effects.push({ type: 'timer.set', name: `suspension:${recordingId}`, delayMs: limitMs });
  }

  private resume(event: SessionEvent & { type: 'contact.resume' }): void {
    const contact = this.findOpen(event.contactId);
    if (contact === undefined) return this.refuseUnknown(event.token, event.contactId);
    if (contact.suspendedAt === null) {
      if (contact.resumeTokens.length > 0 || contact.resumedBy !== null) {
        return this.update(contact, { resumeTokens: [...contact.resumeTokens, event.token] });
      }
      const since = contact.phase.kind === 'open' ? contact.phase.startTime : contact.requestedAt;
      return this.reply([event.token], { kind: 'resume', resumedAt: contact.resumedAt ?? since });
    }
    this.update(contact, { resumeTokens: [event.token] });
    this.endSuspension(this.get(contact), event.at, 'page');
  }

  private suspensionOver(recordingId: string, at: Moment): void {
    const contact = this.state.contacts.find((one) => one.recordingId === recordingId);
    if (contact === undefined || contact.suspendedAt === null) return;
    this.endSuspension(contact, at, 'time-limit');
  }

  private endSuspension(contact: Contact, at: Moment, cause: ResumeCause): void {
    const { recordingId } = contact;
    this.effects.push({ type: 'timer.clear', name: `suspension:${recordingId}` });
    this.journal({ type: 'contact.resumed', recordingId, at, cause });
    this.update(contact, {
      suspendedAt: null,
      resumesAt: null,
      resumedBy: cause === 'page' ? null : cause,
    });
    if (isHeld(this.state)) this.replyResumed(this.get(contact), at);
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
    // The agent meant the contacts that there were: the next one is not to be missed because nobody remembered.
    if (this.state.contacts.filter(isOpen).every((one) => one.info.contactId === event.contactId))
      this.endAgentHold(event.at);
    if (isOpen(contact)) this.finish(this.get(contact), event.at, 'stopped');
    // It may have held capture for the others.
    this.startRunIfWanted();
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

  // What is no contact's doing

  private pausesChanged(pauses: readonly PauseReason[], at: Moment): void {
    const before = this.state.pauses;
    const wasQuiet = isQuiet(this.state);
    this.set({ pauses });
    // Live runs are stopped politely: what was grabbed before the screen was locked is the contact's.
    if (before.length === 0 && pauses[0] !== undefined) this.endRuns(at, gapOfPause(pauses[0]));
    if (!wasQuiet) {
      this.journalPauses(
        pauses.filter((one) => !before.includes(one)),
        'capture.paused',
        at,
      );
      this.journalPauses(
        before.filter((one) => !pauses.includes(one)),
        'capture.unpaused',
        at,
      );
    }
    if (pauses.length > 0) {
      this.set({ retry: null });
      this.effects.push({ type: 'timer.clear', name: 'retry' });
      this.releaseThoseWhoWaitForCapture(at);
    }
    this.startRunIfWanted();
  }

  private journalPauses(
    reasons: readonly PauseReason[],
    type: 'capture.paused' | 'capture.unpaused',
    at: Moment,
  ): void {
    for (const reason of reasons) this.journal({ type, at, reason });
  }

  /** A suspension outlives the process: its contact is left open for the next one, which finds it in the journal. */
  private shutDown(at: Moment): void {
    this.set({ shuttingDown: true });
    for (const contact of this.state.contacts) {
      const isHeldBack = this.state.agentHold !== null || contact.suspendedAt !== null;
      if (!isOpen(contact) || !(isHeldBack || contact.leftAt !== null)) continue;
      for (const { token } of contact.suspendTokens) {
        this.refuse(token, 'NOT_READY', 'Sightline is shutting down; the contact stays suspended.');
      }
      this.remove(contact);
    }
    this.finishAll(at, 'shutdown');
    this.endRunsNobodyNeeds(at);
  }
}

function newContact(
  basics: Pick<Contact, 'recordingId' | 'info' | 'agent' | 'requestedAt'>,
  startTokens: readonly Token[] = [],
): Contact {
  const { recordingId, info, agent, requestedAt } = basics;
  return {
    recordingId,
    info,
    agent,
    requestedAt,
    phase: { kind: 'starting' },
    suspendedAt: null,
    suspendReason: null,
    resumesAt: null,
    resumedAt: null,
    startTokens,
    suspendTokens: [],
    resumeTokens: [],
    stopTokens: [],
    resumedBy: null,
    leftAt: null,
  };
}
