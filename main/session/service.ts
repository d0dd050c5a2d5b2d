// The session: runs the reducer and carries out its effects through ports. Events are handled one at a time, in the
// order of their receipt; runs are aborted inside the step that decides it; a reply waits until the journal has what the
// reply promises; every request has a deadline that nothing but its answer removes.

import type { Logger } from '../platform/log.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { SightlineError, errorMessage, unreachable } from '../shared/errors.ts';
import type { GapReason } from '../shared/names.ts';
import type { ContactReply, ContactRequest, Identity, OpenRecording } from '../shared/protocol.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import { reduce } from './reducer.ts';
import type { ContactInfo, Effect, Resumed, SessionEvent, SessionRecord } from './state.ts';
import { initialState, type SessionReply, type SessionState, type TimerName, type Token } from './state.ts';
import type { ContactPolicy } from './step.ts';
import { isQuiet, openRecordings } from './view.ts';

export interface SessionPorts {
  readonly clock: Clock;
  readonly capture: {
    start(runId: string): void;
    abort(runId: string, at: Moment): void;
    stop(runId: string, at: Moment, reason: GapReason): void;
    flushUntil(runId: string, until: Moment): void;
  };
  /** Resolves when the record is on the disk, however long that takes. */
  readonly journal: (record: SessionRecord) => Promise<void>;
  /**
   * Resolves once the next process cannot capture anything that the records so far forbid: they are on the disk, or
   * the journal is marked as incomplete. @throws SightlineError when neither could be done
   */
  readonly guard: () => Promise<void>;
  readonly announce: (effect: Effect & { type: 'announce' }) => void;
  /** Notifies the pages: a suspension has ended without a request. */
  readonly pushResumed: (resumed: Resumed) => void;
  readonly publish: (recordingId: string) => void;
  /** After each step that changed the state. */
  readonly onState: (state: SessionState) => void;
  readonly newId: () => string;
  readonly log: Logger;
}

/** The start of `sightline try`. */
type TrialStart = ContactInfo & { readonly type: 'contact.start' };
type Announcement = Effect & { readonly type: 'announce' };

interface Waiter {
  readonly resolve: (reply: SessionReply) => void;
  readonly reject: (error: SightlineError) => void;
  readonly timer: NodeJS.Timeout;
}

const deadlines: Readonly<Record<ContactRequest['type'] | 'hello', readonly [number, ErrorCode, string]>> = {
  hello: [10_000, 'SERVICE_ISSUE', 'Sightline did not answer in time. Try again.'],
  // The reducer's own deadline of 10 s names the reason. This one is for a disk that stalls after the first frame.
  'contact.start': [
    ...([10_500, 'CAPTURE_TIMEOUT'] as const),
    'Capture has begun, but the disk does not accept its journal. Free some space, and send the start again.',
  ],
  'contact.suspend': [
    ...([5_000, 'SUSPEND_FAILED'] as const),
    'Capture has stopped and nothing more is kept, but the capture process has not ended in time. Restart Sightline.',
  ],
  'contact.resume': [
    ...([15_000, 'CAPTURE_TIMEOUT'] as const),
    'Capture has not come back in time; Sightline keeps trying. Ask for "status".',
  ],
  'contact.stop': [
    ...([15_000, 'CAPTURE_TIMEOUT'] as const),
    'The recording has ended, but its last run could not be closed in time.',
  ],
};

export class Session {
  private state: SessionState = initialState;
  private readonly waiters = new Map<Token, Waiter>();
  private readonly timers = new Map<TimerName, NodeJS.Timeout>();
  /** Resolves when everything decided since the session was last quiet is on the disk. */
  private journaled: Promise<void> = Promise.resolve();
  /** The same, of the whole process. */
  private allJournaled: Promise<void> = Promise.resolve();
  private readonly unannounced = new Map<string, Announcement[]>();
  private quietWaiters: (() => void)[] = [];

  constructor(
    private readonly ports: SessionPorts,
    /** Read for each step: policy may change. */
    private readonly policy: ContactPolicy,
  ) {}

  // Commands

  /** @throws SightlineError MULTIPLE_CCP_INTERACTION, NOT_READY */
  async hello(pageId: string, identity: Identity): Promise<OpenRecording[]> {
    const at = this.ports.clock.now();
    await this.ask('hello', (token) => ({ type: 'hello', token, pageId, identity, at }));
    return this.recordings();
  }

  pageLeft(pageId: string): void {
    this.dispatch({ type: 'page.left', pageId });
  }

  /** @throws SightlineError with any code of docs/protocol.md */
  async contact(request: ContactRequest | TrialStart): Promise<ContactReply> {
    const at = this.ports.clock.now();
    return replyFields(await this.ask(request.type, (token) => this.eventOf(request, token, at)));
  }

  /** The agent's own suspension, begun and ended. @throws SightlineError USER_ERROR, SUSPEND_FAILED */
  async agent(wish: 'suspend' | 'resume'): Promise<ContactReply> {
    const at = this.ports.clock.now();
    return replyFields(await this.ask(`contact.${wish}`, (token) => ({ type: `agent.${wish}`, token, at })));
  }

  recordings(): OpenRecording[] {
    return openRecordings(this.state);
  }

  /** Resolves when everything decided so far is on the disk, and its status events have been announced. */
  get written(): Promise<void> {
    return this.journaled.then(() => undefined);
  }

  get current(): SessionState {
    return this.state;
  }

  /** Nothing is being recorded or completed. */
  get isQuiet(): boolean {
    return isQuiet(this.state);
  }

  /** Completes what is open; resolves when the last run is closed. */
  async shutdown(): Promise<void> {
    this.dispatch({ type: 'shutdown', at: this.ports.clock.now() });
    if (!this.isQuiet) await new Promise<void>((resolve) => this.quietWaiters.push(resolve));
    for (const timer of this.timers.values()) clearTimeout(timer);
    await this.allJournaled;
  }

  // Events

  dispatch(event: SessionEvent): void {
    const step = reduce(this.state, event, this.policy, this.ports.newId);
    const changed = step.state !== this.state;
    this.state = step.state;
    for (const effect of step.effects) this.perform(effect);
    if (changed) this.ports.onState(this.state);
    if (this.isQuiet) {
      // What follows goes into another folder and must not wait for writes to this one, which may never succeed.
      this.journaled = Promise.resolve();
      const waiters = this.quietWaiters;
      this.quietWaiters = [];
      for (const resolve of waiters) resolve();
    }
  }

  private eventOf(request: ContactRequest | TrialStart, token: Token, at: Moment): SessionEvent {
    if (request.type === 'contact.start') {
      const { type, ...info } = request;
      return { type, token, recordingId: this.ports.newId(), info, at };
    }
    return { ...request, token, at };
  }

  private ask(kind: keyof typeof deadlines, event: (token: Token) => SessionEvent): Promise<SessionReply> {
    const token = this.ports.newId();
    return new Promise((resolve, reject) => {
      const [ms, code, message] = deadlines[kind];
      const timer = setTimeout(() => {
        this.waiters.delete(token);
        reject(new SightlineError(code, message));
      }, ms);
      this.waiters.set(token, { resolve, reject, timer });
      this.dispatch(event(token));
    });
  }

  private perform(effect: Effect): void {
    const { capture } = this.ports;
    switch (effect.type) {
      case 'run.abort':
        return capture.abort(effect.runId, effect.at);
      case 'run.start':
        return capture.start(effect.runId);
      case 'run.stop':
        return capture.stop(effect.runId, effect.at, effect.reason);
      case 'run.flush':
        return capture.flushUntil(effect.runId, effect.until);
      case 'journal':
        return this.write(effect.record);
      case 'reply':
        return this.settle(effect.token, this.conditionOf(effect.reply), (waiter) =>
          waiter.resolve(effect.reply),
        );
      case 'refuse':
        return this.settle(effect.token, this.tried(), (waiter) =>
          waiter.reject(new SightlineError(effect.code, effect.message)),
        );
      case 'announce':
        return this.announce(effect);
      case 'push.resumed':
        return this.pushResumed(effect);
      case 'publish':
        void this.journaled.then(() => this.ports.publish(effect.recordingId));
        return;
      case 'timer.set':
        return this.setTimer(effect.name, effect.delayMs);
      case 'timer.clear':
        return this.clearTimer(effect.name);
      default:
        return unreachable(effect);
    }
  }

  private write(record: SessionRecord): void {
    const written = this.ports.journal(record);
    this.journaled = Promise.all([this.journaled, written]).then(() => undefined);
    this.allJournaled = Promise.all([this.allJournaled, written]).then(() => undefined);
  }

  /** Resolves after the first attempt to write everything decided so far. */
  private tried(): Promise<void> {
    return this.ports.guard().catch(() => undefined);
  }

  /** What a reply waits for. */
  private conditionOf(reply: SessionReply): Promise<void> {
    // A hello promises nothing that is written, and must succeed while the disk is full.
    if (reply.kind === 'hello') return this.tried();
    if (reply.kind !== 'suspend') return this.journaled;
    return this.ports.guard().catch((error: unknown) => {
      throw new SightlineError(
        'SUSPEND_FAILED',
        `Capture has stopped, but the suspension could not be saved: after a restart, capture could continue. ${errorMessage(error)}`,
      );
    });
  }

  /**
   * After the journal, like a reply. FAILED promises nothing that could be lost, so a full disk does not delay it; it
   * comes after the earlier events of its recording.
   */
  private announce(effect: Announcement): void {
    const { recordingId, status } = effect;
    const waiting = this.unannounced.get(recordingId) ?? [];
    this.unannounced.set(recordingId, [...waiting, effect]);
    void (status === 'FAILED' ? this.tried() : this.journaled).then(() => {
      const due = this.unannounced.get(recordingId) ?? [];
      const later = due.slice(due.indexOf(effect) + 1);
      if (later.length > 0) this.unannounced.set(recordingId, later);
      else this.unannounced.delete(recordingId);
      for (const one of due.slice(0, due.length - later.length)) this.ports.announce(one);
    });
  }

  private pushResumed({ type: _, ...resumed }: Effect & { type: 'push.resumed' }): void {
    const { contactId, cause } = resumed;
    void this.journaled.then(() => {
      this.ports.log.info('a suspension ended without a request', { contactId, cause });
      this.ports.pushResumed(resumed);
    });
  }

  /** Answers a request once `condition` is met. Until then its deadline stays in force: a stalled disk meets none. */
  private settle(token: Token, condition: Promise<void>, act: (waiter: Waiter) => void): void {
    const take = (then: (waiter: Waiter) => void): void => {
      const waiter = this.waiters.get(token);
      if (waiter === undefined) return; // answered at its deadline
      this.waiters.delete(token);
      clearTimeout(waiter.timer);
      then(waiter);
    };
    condition.then(
      () => take(act),
      (error: unknown) => take((waiter) => waiter.reject(error as SightlineError)),
    );
  }

  private setTimer(name: TimerName, delayMs: number): void {
    this.clearTimer(name);
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name);
        this.dispatch(this.timerEvent(name));
      }, delayMs),
    );
  }

  private clearTimer(name: TimerName): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  private timerEvent(name: TimerName): SessionEvent {
    const at = this.ports.clock.now();
    if (name === 'grace') return { type: 'grace.over', at };
    if (name === 'retry') return { type: 'retry.due' };
    if (name === 'agent-suspension') return { type: 'agent.suspension-expired', at };
    const recordingId = name.slice(name.indexOf(':') + 1);
    return { type: name.startsWith('start:') ? 'start.deadline' : 'suspension.expired', recordingId, at };
  }
}

/** As pages get it: all numbers in a reply are moments. */
function replyFields({ kind: _, ...fields }: SessionReply): ContactReply {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'number' ? toTimestamp(value) : value,
  ]);
  return Object.fromEntries(entries) as ContactReply;
}
