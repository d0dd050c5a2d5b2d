// One contact: what the page wants of it, what the recorder has confirmed on the present connection, and which request comes
// next. There are two queues: suspends are sent at once; start, resume and stop are sent one after the other.

import type { Client, ContactInfo, ContactState } from '../contract.ts';
import type { CaptureBlockers, RecordingState, StartReply, SuspendReply } from '../protocol.ts';
import { Causes } from './causes.ts';
import { outlookOf } from './codes.ts';
import type { Remembered } from './memory.ts';
import { Requests, type Request } from './requests.ts';
import type { Tabs } from './tabs.ts';

/**
 * - `unknown`: the page has not asked to record it; it may have causes already.
 * - `inherited`: an earlier life of the page started it.
 * - `ended`: another tab stopped it. It is not started again by a late `record`.
 */
type Wanted = 'unknown' | 'inherited' | 'record' | 'stop' | 'ended';

/** How early a time limit may seem to have ended a suspension: clocks that browsers round. */
const CLOCK_MS = 500;
const UNKNOWN_CAUSE = 'unknown';

export interface ContactServices {
  readonly client: Pick<Client, 'start' | 'suspend' | 'resume' | 'stop'>;
  readonly tabs: Tabs;
  readonly onChange: () => void;
}

export class Contact {
  wanted: Wanted = 'unknown';
  private info: ContactInfo;
  private readonly causes: Causes;
  /** A suspension of this tab may be in force: it may end it. */
  private ours = false;
  /** It was suspended before, and no live tab knows why. */
  private isCauseUnknown = false;
  private error: ContactState['error'] = null;
  private startTime: string | undefined;

  // On the present connection:
  private isConnected = false;
  /** What the recorder last said of it; null: it has no such contact, as far as we know. */
  private seen: RecordingState | null = null;
  private isStarted = false;
  private hasFailed = false;
  /** The recorder has said that nothing captured later is kept, and nothing since contradicts it. */
  private isSuspended = false;
  private resumesAt: number | undefined;
  /** The recorder did not know it when it was to be suspended. */
  private isMissing = false;
  private readonly requests = new Requests(() => this.next());
  private waitingForTabs: AbortController | null = null;

  constructor(
    readonly id: string,
    private readonly services: ContactServices,
    remembered?: Remembered,
  ) {
    this.causes = new Causes(id, services.tabs);
    this.info = { contactId: id, channel: remembered?.channel ?? 'VOICE' };
    if (remembered === undefined) return;
    this.wanted = remembered.stopping ? 'stop' : 'inherited';
    this.ours = remembered.ours;
    for (const cause of remembered.causes) this.causes.add(cause);
  }

  // What the page wants

  record(info: ContactInfo): void {
    if (this.wanted === 'record' || this.wanted === 'ended') return;
    this.wanted = 'record';
    this.info = info;
    this.next();
  }

  stop(): void {
    this.wanted = 'stop';
    this.hasFailed = false;
    this.requests.clear('main');
    this.causes.clear();
    this.next();
  }

  suspend(cause: string, reason?: string): void {
    if (this.causes.has(cause) || this.wanted === 'stop' || this.wanted === 'ended') return;
    this.causes.add(cause, reason);
    // Before hello is answered: the recorder may accept it while it checks the page's token (docs/auth.md). It is sent again
    // at the connection.
    if (!this.isConnected) this.services.client.suspend(this.id, reason).catch(() => undefined);
    this.next();
  }

  resume(cause: string): void {
    if (!this.causes.has(cause)) return;
    this.causes.remove(cause);
    this.next();
  }

  resumeAll(): void {
    this.causes.clear();
    this.isCauseUnknown = false;
    if (!this.isConnected || this.isOpen) this.ours = true;
    this.next();
  }

  // What the recorder says

  /** @param seen among the open recordings of hello; null: it is not there */
  connected(seen: RecordingState | null): void {
    this.forgetConnection();
    this.isConnected = true;
    this.seen = seen;
    if (seen === null) this.startTime = undefined;
    this.next();
  }

  disconnected(): void {
    this.forgetConnection();
    this.isConnected = false;
  }

  /** Another agent's page is connected: the start is refused, and so the recorder knows that this recording is missing. */
  otherAgent(): void {
    if (this.wanted !== 'record' || this.hasFailed || this.requests.has('start')) return;
    const { info } = this;
    this.ask(
      'start',
      () => this.services.client.start(info),
      () => undefined,
    );
  }

  /** By an `app.state`; null: it is not in there. */
  observed(seen: RecordingState | null): void {
    const wasOpen = this.seen !== null;
    if (seen === null) {
      // A start that is not answered yet need not be in the list.
      if (!wasOpen || !this.requests.isEmpty) return;
      if (this.isStarted) this.endedElsewhere();
      else this.seen = null;
      return;
    }
    this.seen = seen;
    this.isMissing = false;
    if (seen === 'recording' && !this.requests.has('suspend')) this.observedRecording();
    this.next();
  }

  /** Policy's time limit has ended its suspension: the causes had their time. */
  timeLimitReached(): void {
    // Then it is suspended anew since, and the limit was that of the suspension before.
    if (this.requests.has('suspend')) return;
    this.isSuspended = false;
    this.ours = false;
    this.causes.clear();
    this.next();
  }

  // What others see

  get state(): ContactState {
    const causes = [...this.causes.names, ...(this.isCauseUnknown ? [UNKNOWN_CAUSE] : [])];
    const started = this.startTime === undefined ? {} : { startTime: this.startTime };
    return { ...this.info, state: this.kind(), causes, ...started, error: this.error };
  }

  get isListed(): boolean {
    switch (this.wanted) {
      case 'record':
        return true;
      case 'inherited':
      case 'stop':
        return this.seen !== null || !this.isConnected;
      case 'unknown':
      case 'ended':
        return false;
    }
  }

  get isForgettable(): boolean {
    if (!this.causes.isEmpty || !this.requests.isEmpty || !this.isConnected) return false;
    if (this.wanted === 'unknown') return !this.ours;
    return this.seen === null && (this.wanted === 'inherited' || this.wanted === 'stop');
  }

  private get isOpen(): boolean {
    return this.seen !== null || this.isStarted;
  }

  get hasCauses(): boolean {
    return !this.causes.isEmpty;
  }

  get remembered(): Remembered | null {
    if (this.wanted === 'ended') return null;
    if (this.wanted === 'unknown' && this.causes.isEmpty && !this.ours) return null;
    const { contactId, channel } = this.info;
    return {
      contactId,
      channel,
      causes: this.causes.names,
      ours: this.ours,
      stopping: this.wanted === 'stop',
    };
  }

  idle(): Promise<void> {
    return this.requests.idle();
  }

  /** Nothing is sent after it. */
  close(): void {
    this.forgetConnection();
    this.isConnected = false;
  }

  // What comes next

  /** Sends what is missing, if anything. Called after every change. */
  private next(): void {
    if (this.isConnected) {
      this.sendNext();
      // A suspend is also sent where the start has just been.
      this.suspendNow();
    }
    this.services.onChange();
  }

  private suspendNow(): void {
    if (this.causes.isEmpty || this.isSuspended || this.isMissing) return;
    if (this.requests.has('suspend') || this.requests.isWaiting('suspend')) return;
    this.waitingForTabs?.abort();
    this.ours = true;
    this.ask(
      'suspend',
      () => this.services.client.suspend(this.id, this.causes.reason),
      (reply) => {
        this.isSuspended = true;
        this.ours = true;
        this.resumesAt = timeOf(reply);
      },
    );
  }

  private sendNext(): void {
    if (this.requests.isWaiting('main') || this.requests.has('stop')) return;
    const { client } = this.services;
    if (this.wanted === 'stop') {
      if (this.seen !== null || this.requests.has('start'))
        this.ask(
          'stop',
          () => client.stop(this.id),
          () => this.gone(),
        );
      return;
    }
    // A suspend of an earlier recording must not be taken for one of the new recording.
    const mayStart =
      !this.isStarted && !this.hasFailed && (this.seen !== null || !this.requests.has('suspend'));
    if (this.wanted === 'record' && mayStart && !this.requests.has('start')) {
      this.isMissing = false;
      if (this.seen === null) this.isSuspended = false;
      const { info } = this;
      this.ask(
        'start',
        () => client.start(info),
        (reply) => this.started(reply),
      );
    }
    const isBusy =
      this.requests.has('suspend') || this.requests.has('resume') || this.waitingForTabs !== null;
    if (this.causes.isEmpty && this.ours && !this.isCauseUnknown && this.isOpen && !isBusy)
      void this.resumeWhenAlone();
  }

  private async resumeWhenAlone(): Promise<void> {
    const waiting = new AbortController();
    this.waitingForTabs = waiting;
    await this.services.tabs.untilAlone(this.id, waiting.signal);
    if (this.waitingForTabs === waiting) this.waitingForTabs = null;
    if (waiting.signal.aborted || !this.causes.isEmpty || this.wanted === 'stop') return;
    // A suspend that follows must be sent before this is answered.
    this.isSuspended = false;
    this.ask(
      'resume',
      () => this.services.client.resume(this.id),
      (reply) => {
        // Of a suspend that follows, nothing is known yet.
        if (!this.causes.isEmpty || this.requests.has('suspend')) return;
        this.ours = false;
        this.seen = seenBy(reply);
      },
    );
    this.services.onChange();
  }

  private ask<Reply>(request: Request, send: () => Promise<Reply>, done: (reply: Reply) => void): void {
    const succeeded = (reply: Reply): void => {
      this.error = null;
      done(reply);
    };
    this.requests.send(request, send, succeeded, (code, message) => this.failed(request, code, message));
  }

  private failed(request: Request, code: string, message: string): void {
    if (code === 'UNKNOWN_CONTACT') return this.unknownToRecorder(request);
    // A suspend has overtaken it.
    if (request === 'resume' && !this.causes.isEmpty) return;
    const outlook = outlookOf(code);
    if (outlook !== 'disconnected') this.error = { code, message };
    if (request === 'suspend') return this.requests.retry('suspend');
    if (outlook === 'lasts' && request === 'start') {
      this.hasFailed = true;
      return;
    }
    this.requests.retry('main');
  }

  private unknownToRecorder(request: Request): void {
    if (request === 'stop') return this.gone();
    if (request === 'suspend') this.isMissing = true;
    if (this.requests.has('start')) return;
    this.seen = null;
    this.isSuspended = false;
    if (this.isStarted) {
      this.isStarted = false;
      this.requests.retry('main');
    }
    if (request === 'resume') this.ours = false;
  }

  private started(reply: StartReply): void {
    this.isStarted = true;
    this.startTime = reply.startTime;
    this.seen ??= seenBy(reply);
    const isSuspended = reply.stillSuspendedBy?.includes(this.id) === true;
    if (!isSuspended || this.ours) return;
    // Not by us. Another tab may know why.
    this.requests.onSameConnection(this.services.tabs.othersOf(this.id), (others) => {
      if (others.length > 0 || this.ours) return;
      this.isCauseUnknown = true;
      this.services.onChange();
    });
  }

  private observedRecording(): void {
    this.isCauseUnknown = false;
    if (this.causes.isEmpty) {
      this.error = null;
      if (!this.requests.has('resume')) this.ours = false;
      return;
    }
    if (!this.isSuspended) return;
    // Resumed by another tab, which did not know our causes; or by policy's time limit, which counts.
    if (this.resumesAt !== undefined && Date.now() >= this.resumesAt - CLOCK_MS) this.timeLimitReached();
    this.isSuspended = false;
  }

  private endedElsewhere(): void {
    this.wanted = this.wanted === 'record' ? 'ended' : this.wanted;
    this.gone();
    this.services.onChange();
  }

  private gone(): void {
    this.seen = null;
    this.startTime = undefined;
    this.isStarted = false;
    this.isSuspended = false;
    this.isCauseUnknown = false;
    this.ours = false;
    if (this.wanted !== 'record') this.causes.clear();
  }

  private kind(): ContactState['state'] {
    if (!this.isConnected) return this.wanted === 'stop' ? 'stopping' : this.hasFailed ? 'failed' : 'waiting';
    if (this.wanted === 'stop') return 'stopping';
    if (this.hasFailed) return 'failed';
    if (!this.causes.isEmpty) {
      if (this.isSuspended) return 'suspended';
      return this.isOpen || this.requests.has('suspend') ? 'suspending' : 'starting';
    }
    if (this.requests.has('resume')) return 'resuming';
    return this.seen ?? 'starting';
  }

  // Bookkeeping

  private forgetConnection(): void {
    this.requests.reset();
    this.waitingForTabs?.abort();
    this.waitingForTabs = null;
    this.seen = null;
    this.isStarted = false;
    this.hasFailed = false;
    this.isSuspended = false;
    this.resumesAt = undefined;
    this.isMissing = false;
  }
}

function timeOf({ resumesAt }: SuspendReply): number | undefined {
  const time = resumesAt === undefined ? NaN : Date.parse(resumesAt);
  return Number.isNaN(time) ? undefined : time;
}

function seenBy({ stillSuspendedBy, pausedBy }: CaptureBlockers): RecordingState {
  if (stillSuspendedBy !== undefined) return 'suspended';
  return pausedBy === undefined ? 'recording' : 'paused';
}
