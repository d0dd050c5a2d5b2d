// The agent's own suspension: as immediate as a page's, and not ended by any page.
import { describe, expect, it } from 'vitest';
import { captureState, stateReason } from '../../../main/session/view.ts';
import { Story, anna, ben } from '../support/session.ts';

function suspended(): Story {
  const story = new Story();
  story.recording('A');
  story.agent('suspend', 3000);
  story.ended('run-1', 3020);
  return story;
}

describe("an agent's suspension", () => {
  it('aborts the runs before all else, and is acknowledged and shown only once no run is left', () => {
    const story = new Story();
    story.recording('A');
    const suspend = story.agent('suspend', 3000);
    expect(story.effects[0]).toEqual({ type: 'run.abort', runId: 'run-1', at: 3000 });
    expect(story.answer(suspend)).toBeNull();
    expect(captureState(story.state)).toBe('recording');
    story.ended('run-1', 3020);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 3000 });
    expect(captureState(story.state)).toBe('suspended');
    expect(stateReason(story.state)).toMatchObject({ code: 'agent' });
    expect(story.journal.at(-1)).toEqual({ type: 'capture.paused', at: 3000, reason: 'agent' });
  });

  it("is not ended by a page's resume, whose reply says why nothing is captured", () => {
    const story = suspended();
    story.suspend('A', 4000);
    const resume = story.resume('A', 5000);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 5000, pausedBy: ['agent'] });
    expect(story.of('run.start')).toEqual([]);
    expect(captureState(story.state)).toBe('suspended');
    story.agent('resume', 6000);
    expect(story.of('run.start')).toHaveLength(1);
    expect(story.journal.at(-1)).toEqual({
      ...{ type: 'capture.unpaused', at: 6000, reason: 'agent' },
      cause: 'agent',
    });
  });

  it("leaves a page's suspension alone when it ends", () => {
    const story = suspended();
    story.suspend('A', 4000, 'card number');
    const resume = story.agent('resume', 5000);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 5000, stillSuspendedBy: ['A'] });
    expect(story.of('run.start')).toEqual([]);
    expect(stateReason(story.state)).toEqual({ code: 'suspended', message: 'card number' });
  });

  it('applies to a contact that begins meanwhile', () => {
    const story = suspended();
    const start = story.start('B', 4000);
    expect(story.answer(start)).toMatchObject({ startTime: 4000, pausedBy: ['agent'] });
    expect(story.of('run.start')).toEqual([]);
  });

  it('starts nothing before it is acknowledged, even if it is over by then', () => {
    const story = new Story();
    story.recording('A');
    const suspend = story.agent('suspend', 3000);
    story.agent('resume', 3010);
    expect(story.of('run.start')).toEqual([]);
    story.ended('run-1', 3020);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 3000 });
    expect(story.of('run.start')).toHaveLength(1);
  });

  it('ends when a page stops the last contact, so that the next one is not missed', () => {
    const story = suspended();
    story.start('B', 4000);
    story.stop('A', 5000);
    expect(story.state.agentSuspension).not.toBeNull();
    story.stop('B', 6000);
    expect(story.state.agentSuspension).toBeNull();
    story.start('C', 7000);
    expect(story.of('run.start')).toHaveLength(1);
  });

  it('does not end because a page is lost, but with another agent', () => {
    const story = suspended();
    story.do({ type: 'page.left', pageId: 'page-1' });
    story.do({ type: 'grace.over', at: 64_000 });
    story.hello('page-2', anna, 65_000);
    const start = story.start('A', 65_000, 'rec-A2');
    expect(story.answer(start)).toMatchObject({ pausedBy: ['agent'] });
    story.do({ type: 'page.left', pageId: 'page-2' });
    story.hello('page-3', ben, 66_000);
    expect(story.state.agentSuspension).toBeNull();
  });

  it('ends after the time limit of policy', () => {
    const story = new Story({ suspendMaxSeconds: 60 });
    story.recording('A');
    const suspend = story.agent('suspend', 3000);
    expect(story.of('timer.set')).toEqual([{ type: 'timer.set', name: 'agent-suspension', delayMs: 60_000 }]);
    story.ended('run-1', 3020);
    expect(story.answer(suspend)).toMatchObject({ resumesAt: 63_000 });
    story.do({ type: 'agent.suspension-expired', at: 63_000 });
    expect(story.of('run.start')).toHaveLength(1);
    expect(story.journal.at(-1)).toMatchObject({ type: 'capture.unpaused', cause: 'time-limit' });
  });

  it('is refused where policy does not allow it, and where there is nothing to suspend', () => {
    const story = new Story({ agentMaySuspend: false });
    story.recording('A');
    expect(story.answer(story.agent('suspend', 3000))).toBe('USER_ERROR');
    expect(captureState(story.state)).toBe('recording');
    const idle = new Story();
    expect(idle.answer(idle.agent('suspend', 3000))).toBe('USER_ERROR');
    expect(idle.state.agentSuspension).toBeNull();
  });

  it('outlives the process: its contacts are left open, and stay suspended', () => {
    const story = suspended();
    story.do({ type: 'shutdown', at: 5000 });
    expect(story.journal.map(({ type }) => type)).not.toContain('contact.stopped');
    expect(story.journal.map(({ type }) => type)).not.toContain('capture.unpaused');

    const next = new Story();
    const left = { recordingId: 'rec-A', info: { contactId: 'A', channel: 'CHAT' }, agent: anna } as const;
    const times = { requestedAt: 1000, startTime: 1300, suspendedAt: null, leftAt: 3000 };
    next.do({
      type: 'restored',
      contacts: [{ ...left, ...times }],
      endedSuspended: [],
      agentSuspendedSince: 3000,
    });
    next.hello('page-1', anna, 9000);
    expect(next.of('run.start')).toEqual([]);
    expect(captureState(next.state)).toBe('suspended');
    next.agent('resume', 10_000);
    expect(next.of('run.start')).toHaveLength(1);
  });

  it('comes back with a contact that ended under it in an earlier process', () => {
    const story = new Story();
    const ended = { contactId: 'A', recordingId: 'rec-old', endTime: 4000 };
    story.do({
      type: 'restored',
      contacts: [],
      endedSuspended: [{ ...ended, suspended: false, suspendedByAgent: true }],
      agentSuspendedSince: null,
    });
    story.hello('page-1', anna, 9000);
    const start = story.start('A', 9000);
    expect(story.answer(start)).toMatchObject({ pausedBy: ['agent'] });
    expect(story.journal.filter(({ type }) => type === 'capture.paused')).toHaveLength(1);
    story.agent('resume', 10_000);
    expect(story.of('run.start')).toHaveLength(1);
  });
});
