// The session: runs the reducer and carries out its effects through ports. Events are taken one at a time, in the
// order of their receipt; cuts happen inside the step that decides them; replies wait until the journal holds what
// they promise; every request that waits has a deadline.

import type { ErrorCode, Failure } from '../shared/errors.ts';
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
    cut(runId: string, at: Moment): void;
    stop(runId: string, at: Moment, reason: GapReason): void;
    cover(runId: string, until: Moment): void;
  };
  /** Resolves when the record is on the disk. */
  readonly journal: (record: SessionRecord) => Promise<void>;
  readonly announce: (effect: Effect & { type: 'announce' }) => void;
  /** A suspension ended without a page's asking: the pages are told. */
  readonly tellResumed: (effect: Effect & { type: 'tell.resumed' }) => void;
  readonly publish: (recordingId: string) => void;
  /** After each step that changed the state. */
  readonly onState: (state: SessionState) => void;
  readonly onProblem: (message: string, why: Failure) => void;
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

interface Waiter {
  readonly resolve: (reply: SessionReply) => void;
  readonly reject: (error: SightlineError) => void;
  readonly timer: NodeJS.Timeout;
}

/** A start has its own, shorter deadline in the reducer: when that one passes, the contact is given up. */
const REPLY_DEADLINES: Readonly<Record<ContactRequest['type'] | 'hello', { ms: number; code: ErrorCode }>> = {
  hello: { ms: 10_000, code: 'SERVICE_ISSUE' },
  'contact.start': { ms: 30_000, code: 'CAPTURE_TIMEOUT' },
  'contact.suspend': { ms: 5_000, code: 'SUSPEND_FAILED' },
  'contact.resume': { ms: 15_000, code: 'CAPTURE_TIMEOUT' },
  'contact.stop': { ms: 15_000, code: 'CAPTURE_TIMEOUT' },
};

export class Session implements SessionCommands {
  private state: SessionState = initialState;
  private readonly waiters = new Map<Token, Waiter>();
  private readonly timers = new Map<TimerName, NodeJS.Timeout>();
  private journaled: Promise<void> = Promise.resolve();
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
    await this.journaled;
  }

  // What capture reports

  dispatch(event: SessionEvent): void {
    const step = reduce(this.state, event, this.options);
    const changed = step.state !== this.state;
    this.state = step.state;
    for (const effect of step.effects) this.perform(effect);
    if (changed) this.ports.onState(this.state);
    if (isQuiet(this.state)) {
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
        return capture.cut(effect.runId, effect.at);
      case 'run.start':
        return capture.start(effect.runId);
      case 'run.stop':
        return capture.stop(effect.runId, effect.at, effect.reason);
      case 'run.cover':
        return capture.cover(effect.runId, effect.until);
      case 'journal':
        return this.write(effect.record);
      case 'reply':
        return this.settle(effect.token, (waiter) => waiter.resolve(effect.reply));
      case 'refuse':
        return this.settle(effect.token, (waiter) =>
          waiter.reject(new SightlineError(effect.code, effect.message)),
        );
      case 'announce':
        // After the journal, like a reply: an event is a promise too.
        void this.journaled.then(() => this.ports.announce(effect));
        return;
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
    const written = this.ports.journal(record).catch((error: unknown) => {
      // Recording goes on: the pictures are worth more than a line about them, and a suspension holds without one.
      this.ports.onProblem(
        `the journal could not be written (${record.type})`,
        toFailure(error, 'SPOOL_UNREADABLE'),
      );
    });
    this.journaled = Promise.all([this.journaled, written]).then(() => undefined);
  }

  private settle(token: Token, act: (waiter: Waiter) => void): void {
    const waiter = this.waiters.get(token);
    if (waiter === undefined) return; // its deadline has passed and it has been told so
    this.waiters.delete(token);
    clearTimeout(waiter.timer);
    void this.journaled.then(() => act(waiter));
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
  'contact.start': 'Capture did not begin in time. Run "sightline doctor".',
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
