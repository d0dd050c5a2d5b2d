// The agent's own suspension, where policy lets there be one. It is as screen-wide and as immediate as a page's, but it
// is nobody's contact's: no page's resume ends it, and it leaves the pages' suspensions alone. It ends by the agent, by
// the time limit, when a page has stopped the last contact, or when another agent signs in; not when a page is lost.

import type { Moment } from '../shared/time.ts';
import { CaptureDraft } from './captureDraft.ts';
import type { SessionEvent } from './state.ts';
import { isOpen, isQuiet, whyNoCapture } from './view.ts';

export interface AgentHoldOptions {
  readonly agentMaySuspend: boolean;
  /** After this long a suspension ends by itself; 0: never. */
  readonly suspendMaxSeconds: number;
  readonly newRunId: () => string;
}

export class AgentHoldDraft extends CaptureDraft {
  constructor(
    state: ConstructorParameters<typeof CaptureDraft>[0],
    private readonly holdOptions: AgentHoldOptions,
  ) {
    super(state, holdOptions.newRunId);
  }

  protected agentSuspends({ token, at }: SessionEvent & { type: 'agent.suspend' }): void {
    const { agentHold, shuttingDown } = this.state;
    if (!this.holdOptions.agentMaySuspend)
      return this.refuse(token, 'USER_ERROR', 'Policy does not let you suspend. Ask for `agentMaySuspend`.');
    if (agentHold !== null) return this.acknowledgeWhenQuiet(token, agentHold.since);
    if (shuttingDown || !this.state.contacts.some(isOpen))
      return this.refuse(token, 'USER_ERROR', 'Nothing is being recorded that could be suspended.');
    // First of all effects, as for a page.
    this.cutRuns(at);
    this.hold(at);
    this.journal({ type: 'capture.paused', at, reason: 'agent' });
    this.releaseThoseWhoWaitForCapture(at);
    this.acknowledgeWhenQuiet(token, at);
  }

  /** Resumes whatever policy says by now: what has begun must have a way to end. */
  protected agentResumes({ token, at }: SessionEvent & { type: 'agent.resume' }): void {
    this.endAgentHold(at);
    this.reply([token], { kind: 'resume', resumedAt: at, ...whyNoCapture(this.state) });
    this.startRunIfWanted();
  }

  protected agentHoldOver(at: Moment): void {
    this.endAgentHold(at);
    this.startRunIfWanted();
  }

  protected endAgentHold(at: Moment): void {
    if (this.state.agentHold === null) return;
    this.set({ agentHold: null });
    this.effects.push({ type: 'timer.clear', name: 'agent-hold' });
    if (!isQuiet(this.state)) this.journal({ type: 'capture.unpaused', at, reason: 'agent' });
  }

  /** A contact comes back that ended under the agent's hold in an earlier process: so does the hold. */
  protected holdAgain(at: Moment): void {
    if (this.state.agentHold !== null) return;
    this.cutRuns(at);
    if (!isQuiet(this.state)) this.journal({ type: 'capture.paused', at, reason: 'agent' });
    this.hold(at);
  }

  private hold(since: Moment): void {
    const limitMs = this.holdOptions.suspendMaxSeconds * 1000;
    this.set({ agentHold: { since, until: limitMs === 0 ? null : since + limitMs } });
    if (limitMs > 0) this.effects.push({ type: 'timer.set', name: 'agent-hold', delayMs: limitMs });
  }

  private acknowledgeWhenQuiet(token: string, suspendedAt: Moment): void {
    this.set({ agentTokens: [...this.state.agentTokens, { token, suspendedAt }] });
    this.acknowledgeSuspends();
  }
}
