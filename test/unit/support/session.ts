// Drives the session's reducer with short commands and remembers its state and every effect, so that a test reads as
// the story that it tells. Moments are given in milliseconds; run ids are run-1, run-2, ... in the order of their starts.
import type { ContactPolicy } from '../../../main/session/step.ts';
import { reduce } from '../../../main/session/reducer.ts';
import type { Effect, SessionEvent, SessionState, Token } from '../../../main/session/state.ts';
import { initialState } from '../../../main/session/state.ts';
import type { Failure } from '../../../main/shared/errors.ts';
import { failure } from '../../../main/shared/errors.ts';
import type { PauseReason } from '../../../main/shared/names.ts';
import type { Identity } from '../../../main/shared/protocol.ts';

export const anna: Identity = { agentArn: 'arn:agent/anna', instanceArn: 'arn:instance/acme' };
export const ben: Identity = { agentArn: 'arn:agent/ben', instanceArn: 'arn:instance/acme' };
export const crashed: Failure = failure('CAPTURE_FAILED', 'ffmpeg ended unexpectedly.');
export const noEncoder: Failure = failure('ENCODER_UNAVAILABLE', 'There is no encoder.');
/** On Windows: not permanent. */
export const displayAway: Failure = failure('NO_DISPLAY', 'The secure desktop is shown.');

export const testPolicy: ContactPolicy = {
  graceSeconds: 60,
  suspendMaxSeconds: 0,
  resumeAfterRestart: false,
  agentMaySuspend: true,
};

export type Answer = Extract<Effect, { type: 'reply' | 'refuse' }>;

export class Story {
  state: SessionState = initialState;
  /** Of the newest step. */
  effects: readonly Effect[] = [];
  readonly all: Effect[] = [];
  private readonly policy: ContactPolicy;
  private lastToken = 0;
  private lastRun = 0;

  constructor(policy: Partial<ContactPolicy> = {}) {
    this.policy = { ...testPolicy, ...policy };
  }

  do(event: SessionEvent): readonly Effect[] {
    const step = reduce(this.state, event, this.policy, () => `run-${++this.lastRun}`);
    this.state = step.state;
    this.effects = step.effects;
    this.all.push(...step.effects);
    return step.effects;
  }

  // Each request gives back its token.

  hello(pageId: string, identity: Identity, at = 0): Token {
    return this.ask((token) => ({ type: 'hello', token, pageId, identity, at }));
  }

  /** The recording is called after its contact: `rec-<contactId>`, with a number from the second one on. */
  start(contactId: string, at: number, recordingId = `rec-${contactId}`): Token {
    const info = { contactId, channel: 'CHAT' } as const;
    return this.ask((token) => ({ type: 'contact.start', token, recordingId, info, at }));
  }

  suspend(contactId: string, at: number, reason?: string, maxSeconds?: number): Token {
    return this.ask((token) => ({ type: 'contact.suspend', token, contactId, reason, maxSeconds, at }));
  }

  resume(contactId: string, at: number): Token {
    return this.ask((token) => ({ type: 'contact.resume', token, contactId, at }));
  }

  stop(contactId: string, at: number): Token {
    return this.ask((token) => ({ type: 'contact.stop', token, contactId, at }));
  }

  agent(wish: 'suspend' | 'resume', at: number): Token {
    return this.ask((token) => ({ type: `agent.${wish}`, token, at }));
  }

  pauses(pauses: readonly PauseReason[], at: number): readonly Effect[] {
    return this.do({ type: 'pauses', pauses, at });
  }

  live(runId: string, firstFrameAt: number): readonly Effect[] {
    return this.do({ type: 'run.live', runId, firstFrameAt });
  }

  ended(runId: string, at: number, fault: Failure | null = null, permanent = false): readonly Effect[] {
    return this.do({ type: 'run.ended', runId, fault, permanent, at });
  }

  /** One contact that is being recorded by run-1 since `at` + 300. */
  recording(contactId: string, at = 1000): void {
    this.hello('page-1', anna, at);
    this.start(contactId, at);
    this.live('run-1', at + 300);
  }

  /** All answers to a request so far. */
  answers(token: Token): Answer[] {
    return this.all.filter(
      (effect): effect is Answer =>
        (effect.type === 'reply' || effect.type === 'refuse') && effect.token === token,
    );
  }

  /** The answer to a request: its reply, or the code with which it was refused; null when it still waits. */
  answer(token: Token): unknown {
    const [answer] = this.answers(token);
    if (answer === undefined) return null;
    return answer.type === 'reply' ? answer.reply : answer.code;
  }

  /** The newest step's effects of one type. */
  of<T extends Effect['type']>(type: T): Extract<Effect, { type: T }>[] {
    return ofType(this.effects, type);
  }

  /** All journal records, in order. */
  get journal(): Extract<Effect, { type: 'journal' }>['record'][] {
    return ofType(this.all, 'journal').map((effect) => effect.record);
  }

  /** The statuses announced for one recording, in order. */
  announced(recordingId: string): string[] {
    return ofType(this.all, 'announce')
      .filter((effect) => effect.recordingId === recordingId)
      .map((effect) => effect.status);
  }

  private ask(event: (token: Token) => SessionEvent): Token {
    const token = `token-${++this.lastToken}`;
    this.do(event(token));
    return token;
  }
}

export function ofType<T extends Effect['type']>(
  effects: readonly Effect[],
  type: T,
): Extract<Effect, { type: T }>[] {
  return effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
}
