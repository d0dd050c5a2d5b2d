// The session's reducer in front of a small model of capture. The model obeys the effects as capture does (a run that
// was started goes live later, or fails; one that was aborted or stopped ends later) and checks after each step what must
// always hold. Which invariant was broken is said by the error's message.
import { reduce } from '../../../main/session/reducer.ts';
import type { Effect, SessionEvent, SessionReply, SessionState } from '../../../main/session/state.ts';
import { initialState } from '../../../main/session/state.ts';
import type { PauseReason } from '../../../main/shared/names.ts';
import { isCaptureBlocked, isOpen, isQuiet, isSuspended } from '../../../main/session/view.ts';
import { must } from './must.ts';
import { RecordingHistory } from './recordingHistory.ts';
import { anna, ben, crashed, displayAway, noEncoder, testPolicy } from './session.ts';

const faults = { crashed, noEncoder, displayAway } as const;

/** What may happen next. Numbers choose among what there is at that moment; `after` is how long it took to come. */
export type Action = { readonly after: number } & (
  | { readonly type: 'hello'; readonly page: number; readonly agent: number }
  | { readonly type: 'leave'; readonly page: number }
  | { readonly type: 'start' | 'suspend' | 'resume' | 'stop'; readonly contact: number }
  /** `lag`: how far back the first frame was grabbed, from 0 (now) to 1 (when the run was started). */
  | { readonly type: 'live'; readonly pick: number; readonly lag: number }
  | { readonly type: 'ended'; readonly pick: number; readonly fault: keyof typeof faults }
  | { readonly type: 'flushed'; readonly pick: number }
  | { readonly type: 'timer'; readonly pick: number }
  | { readonly type: 'pauses'; readonly pauses: readonly PauseReason[] }
  | { readonly type: 'agent'; readonly wish: 'suspend' | 'resume' }
  | { readonly type: 'displays' }
  /** The process is killed and started again. */
  | { readonly type: 'restart' }
  | { readonly type: 'shutdown' }
);

/** A run as capture knows it: there from its start until its end has been reported. */
interface CaptureRun {
  readonly runId: string;
  readonly startedAt: number;
  firstFrameAt: number | null;
  /** After an abort or a request to stop, its end is not a fault. */
  abortedAt: number | null;
  stopAt: number | null;
  flushUntil: number | null;
  flushedUntil: number;
}

interface Asked {
  readonly kind: SessionReply['kind'];
  readonly contactId: string | null;
  /** What the reply to a suspend must say. */
  suspendedAt: number | null;
  answers: number;
}

export class SessionModel {
  state: SessionState = initialState;
  now = 1_000_000;
  readonly captureRuns: CaptureRun[] = [];
  readonly timers = new Set<string>();
  readonly asked = new Map<string, Asked>();
  readonly recordings = new RecordingHistory();
  /** How often each kind of effect was seen, so that a test can tell that it tested something. */
  readonly seen = new Map<string, number>();
  private names = 0;

  constructor(private readonly policy: Partial<typeof testPolicy> = {}) {}

  act(action: Action): void {
    this.now += action.after;
    if (action.type === 'restart') return this.restart();
    const event = this.eventOf(action);
    if (event !== null) this.step(event);
  }

  /** Stops everything and lets every run end, then checks that nothing is left over. */
  settle(): void {
    // A shutdown leaves suspended contacts open for the next process.
    if (this.state.shuttingDown) this.restart();
    for (let rounds = 0; rounds < 5; rounds++) {
      for (const { info } of this.state.contacts) {
        const token = this.newName('token');
        this.step({ type: 'contact.stop', token, contactId: info.contactId, at: this.now });
      }
      while (this.captureRuns.length > 0) {
        this.act({ type: 'ended', pick: 0, fault: 'crashed', after: 10 });
      }
    }
    must(this.state.contacts.length === 0, 'a contact is left over');
    must(this.state.runs.length === 0, 'a run is left over');
    for (const [token, { kind, answers }] of this.asked) {
      must(answers === 1, `${kind} ${token} was answered ${answers} times`);
    }
    this.recordings.checkEnds();
  }

  private restart(): void {
    this.state = initialState;
    this.captureRuns.length = 0;
    this.timers.clear();
    // Pages that waited for an answer have lost the connection.
    for (const asked of this.asked.values()) asked.answers = 1;
    const { suspendedByAgent } = this.recordings;
    const contacts = this.recordings.restart(this.now);
    const agentSuspendedSince = suspendedByAgent && contacts.length > 0 ? this.now : null;
    this.step({ type: 'restored', contacts, endedSuspended: [], agentSuspendedSince });
  }

  private eventOf(action: Exclude<Action, { type: 'restart' }>): SessionEvent | null {
    const { now: at } = this;
    switch (action.type) {
      case 'hello': {
        const identity = action.agent === 0 ? anna : ben;
        return { type: 'hello', token: this.newName('token'), pageId: `page-${action.page}`, identity, at };
      }
      case 'leave':
        return { type: 'page.left', pageId: `page-${action.page}` };
      case 'start': {
        if (this.state.pages.length === 0) return null;
        const info = { contactId: `contact-${action.contact}`, channel: 'CHAT' } as const;
        const recordingId = this.newName('recording');
        return { type: 'contact.start', token: this.newName('token'), recordingId, info, at };
      }
      case 'suspend':
      case 'resume':
      case 'stop': {
        const contactId = `contact-${action.contact}`;
        return { type: `contact.${action.type}`, token: this.newName('token'), contactId, at };
      }
      case 'live': {
        const run = pick(this.captureRuns.filter(isStarting), action.pick);
        if (run === undefined) return null;
        const firstFrameAt = at - action.lag * (at - run.startedAt);
        return { type: 'run.live', runId: run.runId, firstFrameAt };
      }
      case 'ended': {
        const run = pick(this.captureRuns, action.pick);
        if (run === undefined) return null;
        const fault = isAsked(run) ? null : faults[action.fault];
        return { type: 'run.ended', runId: run.runId, fault, permanent: action.fault === 'noEncoder', at };
      }
      case 'flushed': {
        const waiting = this.captureRuns.filter((one) => one.flushUntil !== null && one.abortedAt === null);
        const run = pick(waiting, action.pick);
        return run === undefined
          ? null
          : { type: 'run.flushed', runId: run.runId, until: run.flushUntil ?? 0 };
      }
      case 'timer': {
        const name = pick([...this.timers], action.pick);
        if (name === undefined) return null;
        if (name === 'grace') return { type: 'grace.over', at };
        if (name === 'retry') return { type: 'retry.due' };
        if (name === 'agent-suspension') return { type: 'agent.suspension-expired', at };
        const recordingId = name.slice(name.indexOf(':') + 1);
        return { type: name.startsWith('start:') ? 'start.deadline' : 'suspension.expired', recordingId, at };
      }
      case 'pauses':
        return { type: 'pauses', pauses: action.pauses, at };
      case 'agent':
        return { type: `agent.${action.wish}`, token: this.newName('token'), at };
      case 'displays':
        return { type: 'displays.changed', at };
      case 'shutdown':
        return { type: 'shutdown', at };
    }
  }

  private step(event: SessionEvent): void {
    const before = this.state;
    this.takeNote(event);
    if (event.type === 'contact.start' && isQuiet(before)) this.recordings.newSpoolSession();
    const policy = { ...testPolicy, ...this.policy };
    const { state, effects } = reduce(before, event, policy, () => this.newName('run'));
    this.state = state;
    if (event.type === 'contact.suspend' || event.type === 'agent.suspend')
      checkAbortsComeFirst(before, event, effects);
    for (const effect of effects) {
      this.seen.set(effect.type, (this.seen.get(effect.type) ?? 0) + 1);
      this.perform(effect);
    }
    this.checkState();
  }

  /** What the event means to capture, timers and requests. */
  private takeNote(event: SessionEvent): void {
    if ('token' in event) {
      const contactId = 'contactId' in event ? event.contactId : null;
      const contact = this.state.contacts.find((one) => one.info.contactId === contactId);
      const since = event.type === 'agent.suspend' ? this.state.agentSuspension?.since : contact?.suspendedAt;
      const suspendedAt = since ?? event.at;
      this.asked.set(event.token, { kind: kinds[event.type], contactId, suspendedAt, answers: 0 });
    }
    switch (event.type) {
      case 'run.live':
        this.run(event.runId).firstFrameAt = event.firstFrameAt;
        return;
      case 'run.ended':
        this.captureRuns.splice(this.captureRuns.indexOf(this.run(event.runId)), 1);
        return;
      case 'run.flushed': {
        const run = this.run(event.runId);
        run.flushedUntil = run.flushUntil ?? 0;
        run.flushUntil = null;
        return;
      }
      case 'grace.over':
        this.timers.delete('grace');
        return;
      case 'retry.due':
        this.timers.delete('retry');
        return;
      case 'agent.suspension-expired':
        this.timers.delete('agent-suspension');
        return;
      case 'start.deadline':
        this.timers.delete(`start:${event.recordingId}`);
        return;
      case 'suspension.expired':
        this.timers.delete(`suspension:${event.recordingId}`);
        return;
      default:
    }
  }

  private newName(kind: string): string {
    this.names += 1;
    return `${kind}-${this.names}`;
  }

  private perform(effect: Effect): void {
    switch (effect.type) {
      case 'run.start':
        must(!isCaptureBlocked(this.state), 'a run was started during a suspension or a pause');
        must(
          this.state.contacts.some((contact) => isOpen(contact) && contact.leftAt === null),
          'a run was started that no contact needs',
        );
        must(
          this.state.agentSuspendTokens.length === 0 &&
            this.state.contacts.every((contact) => contact.suspendTokens.length === 0),
          'a run was started before the suspension was acknowledged',
        );
        must(!this.captureRuns.some(isStarting), 'two runs are being started');
        this.captureRuns.push({
          runId: effect.runId,
          startedAt: this.now,
          firstFrameAt: null,
          abortedAt: null,
          stopAt: null,
          flushUntil: null,
          flushedUntil: 0,
        });
        return;
      case 'run.abort':
        this.run(effect.runId).abortedAt ??= effect.at;
        return;
      case 'run.stop':
        return this.stopRun(this.run(effect.runId), effect);
      case 'run.flush': {
        const run = this.run(effect.runId);
        run.flushUntil = Math.max(run.flushUntil ?? 0, effect.until);
        return;
      }
      case 'timer.set':
        this.timers.add(effect.name);
        return;
      case 'timer.clear':
        this.timers.delete(effect.name);
        return;
      case 'reply':
        return this.answered(effect.token, effect.reply);
      case 'refuse':
        return this.answered(effect.token, null);
      case 'journal':
        return this.recordings.journaled(effect.record);
      case 'announce':
        this.recordings.announced(effect);
        if (effect.status === 'COMPLETED') {
          this.completed(effect.recordingId, this.recordings.get(effect.recordingId).endTime ?? 0);
        }
        return;
      case 'publish':
        return this.recordings.published(effect.recordingId);
      case 'push.resumed':
        return;
    }
  }

  /** Frames from `at` on are dropped: no contact may need them, unless a newer run has them. */
  private stopRun(run: CaptureRun, { at, reason }: Effect & { type: 'run.stop' }): void {
    must(run.firstFrameAt !== null, 'a run without a frame was asked to stop politely');
    if (reason !== 'interrupted') {
      // The screen is not to be recorded any more, even if a contact needs more.
      run.stopAt = at;
      return;
    }
    const hasNewer = this.captureRuns.some(
      (one) => one !== run && one.abortedAt === null && one.firstFrameAt !== null && one.firstFrameAt <= at,
    );
    for (const contact of this.state.contacts) {
      const end = contact.phase.kind === 'stopping' ? contact.phase.endTime : Infinity;
      const needsMore = contact.phase.kind !== 'starting' && end > at;
      must(!needsMore || hasNewer, `a run was stopped at ${at}, but a recording needs it until ${end}`);
    }
    run.stopAt = at;
  }

  private answered(token: string, reply: SessionReply | null): void {
    const asked = this.asked.get(token);
    must(asked !== undefined, `no request has ${token}`);
    asked.answers += 1;
    must(asked.answers === 1, `${asked.kind} ${token} was answered twice`);
    if (reply === null) return;
    must(reply.kind === asked.kind, `${asked.kind} was answered with ${reply.kind}`);
    switch (reply.kind) {
      case 'suspend':
        must(this.captureRuns.length === 0, 'a suspend was acknowledged while a run was left');
        must(
          reply.suspendedAt === (asked.suspendedAt ?? reply.suspendedAt),
          'a suspend was answered with another moment than that of its receipt',
        );
        return;
      case 'start':
        must(
          reply.startTime === this.recordings.get(reply.recordingId).startTime,
          'a start was answered with another start',
        );
        return;
      case 'stop':
        must(
          (this.recordings.get(reply.recordingId).endTime ?? reply.endTime) === reply.endTime,
          'a stop was answered with another end',
        );
        return;
      case 'resume':
      case 'hello':
    }
  }

  /** Everything of the recording that was captured must be in the spool by then. */
  private completed(recordingId: string, endTime: number): void {
    for (const run of this.captureRuns) {
      if (run.firstFrameAt === null || run.firstFrameAt >= endTime || run.abortedAt !== null) continue;
      const needed = Math.min(endTime, run.stopAt ?? Infinity);
      must(
        run.flushedUntil >= needed,
        `${recordingId} was completed before ${run.runId} contained all of it`,
      );
    }
  }

  private checkState(): void {
    const { contacts, runs } = this.state;
    const starting = runs.filter((run) => run.phase.kind === 'starting');
    must(starting.length <= 1, 'two runs are starting');
    const ids = contacts.map((contact) => contact.info.contactId);
    must(new Set(ids).size === ids.length, 'a contact is there twice');
    must(
      runs.length === this.captureRuns.length &&
        this.captureRuns.every((one) => runs.some((run) => run.runId === one.runId)),
      'capture has other runs than the session knows',
    );
    if (isCaptureBlocked(this.state)) {
      must(
        runs.every((run) => run.phase.kind === 'ending'),
        'a run goes on during a suspension or a pause',
      );
    }
    if (isSuspended(this.state) || this.state.agentSuspension !== null) {
      must(
        this.captureRuns.every((run) => run.abortedAt !== null),
        'a run was not aborted by a suspension',
      );
    }
    if (!contacts.some(isOpen)) {
      must(this.captureRuns.every(isAsked), 'a run goes on although no contact is being recorded');
      return;
    }
    this.checkCapture();
    if (this.state.pages.length === 0)
      must(this.timers.has('grace'), 'no page is there, and no grace period');
  }

  /** A contact is to be recorded: then a run is live, starting or retried. */
  private checkCapture(): void {
    const { contacts, runs, retry, agentSuspendTokens } = this.state;
    const waiting = contacts.filter((contact) => contact.phase.kind === 'starting');
    for (const { recordingId } of waiting) {
      must(this.timers.has(`start:${recordingId}`), `${recordingId} waits without a deadline`);
    }
    if (isCaptureBlocked(this.state) || agentSuspendTokens.length > 0) return;
    if (contacts.some((contact) => contact.suspendTokens.length > 0)) return;
    if (contacts.every((contact) => !isOpen(contact) || contact.leftAt !== null)) return;
    const isRetrying = retry !== null && this.timers.has('retry');
    const wanted = waiting.length > 0 ? ['starting'] : ['starting', 'live'];
    const isRunning = runs.some((run) => wanted.includes(run.phase.kind));
    must(isRunning || isRetrying, 'nothing is being recorded, and nothing is being done about it');
  }

  private run(runId: string): CaptureRun {
    const run = this.captureRuns.find((one) => one.runId === runId);
    must(run !== undefined, `capture has no run ${runId}`);
    return run;
  }
}

const kinds = {
  hello: 'hello',
  'contact.start': 'start',
  'contact.suspend': 'suspend',
  'contact.resume': 'resume',
  'contact.stop': 'stop',
  'agent.suspend': 'suspend',
  'agent.resume': 'resume',
} as const;

function checkAbortsComeFirst(
  before: SessionState,
  event: SessionEvent & { type: 'contact.suspend' | 'agent.suspend' },
  effects: readonly Effect[],
): void {
  if (event.type === 'agent.suspend') {
    if (before.agentSuspension !== null || before.shuttingDown || !before.contacts.some(isOpen)) return;
  } else {
    const contact = before.contacts.find((one) => one.info.contactId === event.contactId);
    if (contact === undefined || !isOpen(contact) || contact.suspendedAt !== null) return;
  }
  before.runs.forEach((run, index) => {
    const effect = effects[index];
    const isAborted = effect?.type === 'run.abort' && effect.runId === run.runId && effect.at === event.at;
    must(isAborted, 'a suspend did something else before it aborted every run');
  });
}

function isStarting(run: CaptureRun): boolean {
  return run.firstFrameAt === null && !isAsked(run);
}

function isAsked(run: CaptureRun): boolean {
  return run.abortedAt !== null || run.stopAt !== null;
}

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % Math.max(1, from.length)];
}
