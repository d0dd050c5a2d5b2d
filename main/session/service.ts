// The session: runs the reducer and carries out its effects through ports. Events are taken one at a time, in the
// order of their receipt; cuts happen inside the step that decides them; replies wait until the journal holds what
// they promise; every request that waits has a deadline.

import type { ErrorCode } from '../shared/errors.ts';
import { SightlineError, failure, toFailure, unreachable } from '../shared/errors.ts';
import type { GapReason } from '../shared/names.ts';
import type { ContactReply, ContactRequest, OpenRecording } from '../shared/protocol.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { ReducerOptions } from './reducer.ts';
import { reduce } from './reducer.ts';
import type {
  Effect,
  Identity,
  SessionEvent,
  SessionRecord,
  SessionReply,
  SessionState,
  TimerName,
  Token,
} from './state.ts';
import { initialState } from './state.ts';
import { isQuiet, openRecordings, recordedSince } from './view.ts';

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
   * Resolves once a restart would capture nothing that the records so far forbid: they are on the disk, or it is marked
   * that some are missing. @throws SightlineError when neither could be done
   */
  readonly guard: () => Promise<void>;
  readonly announce: (effect: Effect & { type: 'announce' }) => void;
  /** A suspension ended without a page's asking: the pages are told. */
  readonly tellResumed: (effect: Effect & { type: 'tell.resumed' }) => void;
  readonly publish: (recordingId: string) => void;
  /** After each step that changed the state. */
  readonly onState: (state: SessionState) => void;
  readonly newId: () => string;
}

/** What the server (and the tray) may ask of the session. */
export interface SessionCommands {
  /** @throws SightlineError MULTIPLE_CCP_INTERACTION, NOT_READY */
  hello(pageId: string, identity: Identity): Promise<OpenRecording[]>;
  pageLeft(pageId: string): void;
  /** @throws SightlineError with any code of docs/protocol.md */
  contact(request: ContactRequest): Promise<ContactReply>;
  recordings(): OpenRecording[];
  /** The agent's own suspension, begun and ended. @throws SightlineError USER_ERROR, SUSPEND_FAILED */
  agent(wish: 'suspend' | 'resume'): Promise<ContactReply>;
}

type Announcement = Effect & { readonly type: 'announce' };

interface Waiter {
  readonly resolve: (reply: SessionReply) => void;
  readonly reject: (error: SightlineError) => void;
  readonly timer: NodeJS.Timeout;
}

/** The reducer gives a start up after 10 s without a frame, with the reason; this is for a disk that takes nothing after it. */
const REPLY_DEADLINES: Readonly<Record<ContactRequest['type'] | 'hello', { ms: number; code: ErrorCode }>> = {
  hello: { ms: 10_000, code: 'SERVICE_ISSUE' },
  'contact.start': { ms: 10_500, code: 'CAPTURE_TIMEOUT' },
  'contact.suspend': { ms: 5_000, code: 'SUSPEND_FAILED' },
  'contact.resume': { ms: 15_000, code: 'CAPTURE_TIMEOUT' },
  'contact.stop': { ms: 15_000, code: 'CAPTURE_TIMEOUT' },
};

export class Session implements SessionCommands {
  private state: SessionState = initialState;
  private readonly waiters = new Map<Token, Waiter>();
  private readonly timers = new Map<TimerName, NodeJS.Timeout>();
  /** Everything that was decided since capture was last quiet is on the disk. */
  private journaled: Promise<void> = Promise.resolve();
  /** The same, of the whole process. */
  private allJournaled: Promise<void> = Promise.resolve();
  private readonly unannounced = new Map<string, Announcement[]>();
  private quietWaiters: (() => void)[] = [];

  constructor(
    private readonly ports: SessionPorts,
    private readonly options: ReducerOptions,
  ) {}

  // Commands

  async hello(pageId: string, identity: Identity): Promise<OpenRecording[]> {
    await this.ask('hello', (token) => ({
      type: 'hello',
      token,
      pageId,
      identity,
      at: this.ports.clock.now(),
    }));
    return this.recordings();
  }

  pageLeft(pageId: string): void {
    this.dispatch({ type: 'page.left', pageId });
  }

  async contact(request: ContactRequest): Promise<ContactReply> {
    const at = this.ports.clock.now();
    return replyFields(await this.ask(request.type, (token) => this.eventOf(request, token, at)));
  }

  async agent(wish: 'suspend' | 'resume'): Promise<ContactReply> {
    const at = this.ports.clock.now();
    return replyFields(await this.ask(`contact.${wish}`, (token) => ({ type: `agent.${wish}`, token, at })));
  }

  recordings(): OpenRecording[] {
    return openRecordings(this.state);
  }

  /** Resolves when everything decided so far is on the disk, and what follows from that has been announced. */
  get written(): Promise<void> {
    return this.journaled.then(() => undefined);
  }

  get current(): SessionState {
    return this.state;
  }

  /** How long the oldest open contact has been recorded; null: nothing is. */
  get recordedMs(): number | null {
    const since = recordedSince(this.state);
    return since === null ? null : Math.max(0, this.ports.clock.now() - since);
  }

  /** Completes what is open; resolves when the last run is closed. */
  async shutdown(): Promise<void> {
    this.dispatch({ type: 'shutdown', at: this.ports.clock.now() });
    if (!isQuiet(this.state)) await new Promise<void>((resolve) => this.quietWaiters.push(resolve));
    for (const timer of this.timers.values()) clearTimeout(timer);
    await this.allJournaled;
  }

  // What capture reports

  dispatch(event: SessionEvent): void {
    const step = reduce(this.state, event, this.options);
    const changed = step.state !== this.state;
    this.state = step.state;
    for (const effect of step.effects) this.perform(effect);
    if (changed) this.ports.onState(this.state);
    if (isQuiet(this.state)) {
      // What comes next is in another folder, and does not wait for what this one's disk may never take.
      this.journaled = Promise.resolve();
      const waiters = this.quietWaiters;
      this.quietWaiters = [];
      for (const resolve of waiters) resolve();
    }
  }

  private eventOf(request: ContactRequest, token: Token, at: Moment): SessionEvent {
    if (request.type === 'contact.start') {
      const { type, ...info } = request;
      return { type, token, recordingId: this.ports.newId(), info, at };
    }
    return { ...request, token, at };
  }

  private ask(
    kind: keyof typeof REPLY_DEADLINES,
    event: (token: Token) => SessionEvent,
  ): Promise<SessionReply> {
    const token = this.ports.newId();
    return new Promise((resolve, reject) => {
      const { ms, code } = REPLY_DEADLINES[kind];
      const timer = setTimeout(() => {
        this.waiters.delete(token);
        reject(new SightlineError(code, lateMessages[kind]));
      }, ms);
      this.waiters.set(token, { resolve, reject, timer });
      this.dispatch(event(token));
    });
  }

  private perform(effect: Effect): void {
    const { capture } = this.ports;
    switch (effect.type) {
      case 'run.cut':
        return capture.abort(effect.runId, effect.at);
      case 'run.start':
        return capture.start(effect.runId);
      case 'run.stop':
        return capture.stop(effect.runId, effect.at, effect.reason);
      case 'run.cover':
        return capture.flushUntil(effect.runId, effect.until);
      case 'journal':
        return this.write(effect.record);
      case 'reply':
        return this.settle(effect.token, this.promiseOf(effect.reply), (waiter) =>
          waiter.resolve(effect.reply),
        );
      case 'refuse':
        return this.settle(effect.token, this.tried(), (waiter) =>
          waiter.reject(new SightlineError(effect.code, effect.message)),
        );
      case 'announce':
        return this.announce(effect);
      case 'tell.resumed':
        void this.journaled.then(() => this.ports.tellResumed(effect));
        return;
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

  /** Resolves when everything decided so far is on the disk or could not be written at the first attempt. */
  private tried(): Promise<void> {
    return this.ports.guard().catch(() => undefined);
  }

  /** What must be true before a reply is sent. */
  private promiseOf(reply: SessionReply): Promise<void> {
    // A hello promises nothing that is written, and must be possible while the disk is full.
    if (reply.kind === 'hello') return this.tried();
    if (reply.kind !== 'suspend') return this.journaled;
    return this.ports.guard().catch((error: unknown) => {
      throw new SightlineError(
        'SUSPEND_FAILED',
        `Capture has stopped, but that it is suspended could not be saved: after a restart it could go on. ${toFailure(error).message}`,
      );
    });
  }

  /**
   * After the journal, like a reply: an event is a promise too. FAILED promises nothing that could be lost, and comes
   * although the disk takes nothing, after what is still to be announced of its recording.
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

  /** Answers a request once `promise` holds, unless its deadline comes first. */
  private settle(token: Token, promise: Promise<void>, act: (waiter: Waiter) => void): void {
    const take = (then: (waiter: Waiter) => void): void => {
      const waiter = this.waiters.get(token);
      if (waiter === undefined) return; // it was answered at its deadline
      this.waiters.delete(token);
      clearTimeout(waiter.timer);
      then(waiter);
    };
    promise.then(
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
    if (name === 'grace') return { type: 'grace.over', at: this.ports.clock.now() };
    if (name === 'retry') return { type: 'retry.due' };
    const at = this.ports.clock.now();
    if (name === 'agent-hold') return { type: 'agent.hold-over', at };
    const recordingId = name.slice(name.indexOf(':') + 1);
    return { type: name.startsWith('start:') ? 'start.deadline' : 'suspension.over', recordingId, at };
  }
}

const lateMessages: Readonly<Record<keyof typeof REPLY_DEADLINES, string>> = {
  hello: 'Sightline did not answer in time. Try again.',
  'contact.start':
    'Capture has begun, but the disk does not take what says so. Free some space, and ask for the start again.',
  'contact.suspend':
    'Capture is cut off and nothing more is kept, but the capture process has not ended in time. Restart Sightline.',
  'contact.resume': 'Capture has not come back in time; it is still being tried. Ask for "status".',
  'contact.stop': 'The recording has ended, but its last run could not be closed in time.',
};

function replyFields(reply: SessionReply): ContactReply {
  switch (reply.kind) {
    case 'start': {
      const { kind: _, startTime, ...rest } = reply;
      return { ...rest, startTime: toTimestamp(startTime) };
    }
    case 'suspend': {
      const { suspendedAt, resumesAt } = reply;
      return {
        suspendedAt: toTimestamp(suspendedAt),
        ...(resumesAt === undefined ? {} : { resumesAt: toTimestamp(resumesAt) }),
      };
    }
    case 'resume': {
      const { kind: _, resumedAt, ...rest } = reply;
      return { ...rest, resumedAt: toTimestamp(resumedAt) };
    }
    case 'stop':
      return { recordingId: reply.recordingId, endTime: toTimestamp(reply.endTime) };
    case 'hello':
      throw new SightlineError(
        'SERVICE_ISSUE',
        failure('SERVICE_ISSUE', 'A contact request got no answer.').message,
      );
  }
}
