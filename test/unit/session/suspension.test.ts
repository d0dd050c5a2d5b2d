import { describe, expect, it } from 'vitest';
import { Story, anna, crashed, ofType } from '../support/session.ts';

describe('contact.suspend', () => {
  it('aborts the run before it does anything else, and is answered when the run has ended', () => {
    const story = new Story();
    story.recording('A');
    const suspend = story.suspend('A', 4000, 'card number');
    expect(story.effects[0]).toEqual({ type: 'run.abort', runId: 'run-1', at: 4000 });
    expect(story.journal.at(-1)).toEqual({
      type: 'contact.suspended',
      recordingId: 'rec-A',
      at: 4000,
      reason: 'card number',
    });
    expect(story.answer(suspend)).toBeNull();
    story.ended('run-1', 4010);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 4000 });
    expect(ofType(story.all, 'run.start')).toHaveLength(1);
  });

  it('aborts every run of a rotation, also the one that is ending', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 3000);
    story.live('run-2', 3300);
    story.start('C', 3400);
    expect(story.state.runs.map((run) => run.phase.kind)).toEqual(['ending', 'live', 'starting']);
    const suspend = story.suspend('A', 3500);
    expect(story.effects.slice(0, 3)).toEqual([
      { type: 'run.abort', runId: 'run-1', at: 3500 },
      { type: 'run.abort', runId: 'run-2', at: 3500 },
      { type: 'run.abort', runId: 'run-3', at: 3500 },
    ]);
    story.ended('run-3', 3510);
    story.ended('run-1', 3520);
    expect(story.answer(suspend)).toBeNull();
    story.ended('run-2', 3530);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 3500 });
  });

  it('asked twice is answered twice with the same suspendedAt, and journaled once', () => {
    const story = new Story();
    story.recording('A');
    const tokens = [story.suspend('A', 4000), story.suspend('A', 4005)];
    expect(story.effects).toEqual([]);
    story.ended('run-1', 4010);
    tokens.push(story.suspend('A', 6000));
    for (const token of tokens) {
      expect(story.answers(token)).toHaveLength(1);
      expect(story.answer(token)).toEqual({ kind: 'suspend', suspendedAt: 4000 });
    }
    expect(story.journal.filter((record) => record.type === 'contact.suspended')).toHaveLength(1);
  });

  it('is answered at once where nothing is being captured', () => {
    const story = new Story();
    story.recording('A');
    story.ended('run-1', 3000, crashed);
    story.ended('run-2', 3100, crashed);
    expect(story.state.runs).toEqual([]);
    const suspend = story.suspend('A', 3200);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 3200 });
    expect(story.of('timer.clear')).toContainEqual({ type: 'timer.clear', name: 'retry' });
    expect(story.do({ type: 'retry.due' })).toEqual([]);
  });

  it('of a contact that still waits for its first frame opens it with nothing but the suspension', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    const suspend = story.suspend('A', 1100);
    expect(story.effects[0]).toEqual({ type: 'run.abort', runId: 'run-1', at: 1100 });
    expect(story.answer(start)).toEqual({
      kind: 'start',
      recordingId: 'rec-A',
      startTime: 1100,
      stillSuspendedBy: ['A'],
    });
    story.live('run-1', 1090);
    expect(story.effects).toEqual([]);
    story.ended('run-1', 1120);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 1100 });
    expect(story.journal.map((record) => record.type)).toEqual([
      'contact.started',
      'contact.suspended',
      'contact.recording',
    ]);
  });

  it('says when it was received, even when a resume was quicker than the acknowledgement', () => {
    const story = new Story();
    story.recording('A');
    const suspend = story.suspend('A', 4000);
    story.resume('A', 4005);
    story.ended('run-1', 4010);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 4000 });
  });

  it('is answered, even when it is resumed and asked for again before it took hold', () => {
    const story = new Story();
    story.recording('A');
    const first = story.suspend('A', 4000);
    story.resume('A', 4002);
    const second = story.suspend('A', 4004);
    story.ended('run-1', 4010);
    expect(story.answer(first)).toEqual({ kind: 'suspend', suspendedAt: 4000 });
    expect(story.answer(second)).toEqual({ kind: 'suspend', suspendedAt: 4004 });
    expect(story.of('run.start')).toEqual([]);
  });

  it('whose contact is stopped before it took hold is refused, not forgotten', () => {
    const story = new Story();
    story.recording('A');
    const suspend = story.suspend('A', 4000);
    const stop = story.stop('A', 4005);
    story.ended('run-1', 4010);
    expect(story.answer(suspend)).toBe('USER_ERROR');
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 4005 });
  });

  it('leaves no run behind that a late first frame could bring to life', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 3000);
    story.suspend('A', 3100);
    story.live('run-2', 3050);
    expect(story.effects).toEqual([]);
    expect(story.state.runs.every((run) => run.phase.kind === 'ending')).toBe(true);
  });
});

describe('the time limit that a page asks for', () => {
  it('is refused where policy sets none: the suspension stays in force, and the reply says so', () => {
    const story = new Story({ suspendMaxSeconds: 0 });
    story.recording('A');
    const suspend = story.suspend('A', 4000, 'card number', 30);
    expect(story.effects[0]).toEqual({ type: 'run.abort', runId: 'run-1', at: 4000 });
    expect(story.of('timer.set')).toEqual([]);
    story.ended('run-1', 4010);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 4000, maxSecondsRefused: true });
    const again = story.suspend('A', 5000, 'card number', 30);
    expect(story.answer(again)).toEqual({ kind: 'suspend', suspendedAt: 4000, maxSecondsRefused: true });
    const without = story.suspend('A', 6000);
    expect(story.answer(without)).toEqual({ kind: 'suspend', suspendedAt: 4000 });
  });

  it.each([
    [30, 34_000],
    [90, 64_000],
  ])('of %i s holds up to the limit of policy', (maxSeconds, resumesAt) => {
    const story = new Story({ suspendMaxSeconds: 60 });
    story.recording('A');
    const suspend = story.suspend('A', 4000, undefined, maxSeconds);
    story.ended('run-1', 4010);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 4000, resumesAt });
  });
});

describe('contact.resume', () => {
  function suspended(): Story {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 4000);
    story.ended('run-1', 4010);
    return story;
  }

  it('starts a run and is answered with its first frame', () => {
    const story = suspended();
    const resume = story.resume('A', 6000);
    expect(story.of('run.start')).toEqual([{ type: 'run.start', runId: 'run-2' }]);
    expect(story.journal.at(-1)).toEqual({
      type: 'contact.resumed',
      recordingId: 'rec-A',
      at: 6000,
      cause: 'page',
    });
    expect(story.answer(resume)).toBeNull();
    story.live('run-2', 6300);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 6300 });
  });

  it('asked twice is answered twice with the same resumedAt, and journaled once', () => {
    const story = suspended();
    const tokens = [story.resume('A', 6000), story.resume('A', 6050)];
    expect(story.effects).toEqual([]);
    story.live('run-2', 6300);
    tokens.push(story.resume('A', 9000));
    for (const token of tokens) {
      expect(story.answers(token)).toHaveLength(1);
      expect(story.answer(token)).toEqual({ kind: 'resume', resumedAt: 6300 });
    }
    expect(story.journal.filter((record) => record.type === 'contact.resumed')).toHaveLength(1);
  });

  it('of a contact that was never suspended says since when it is being recorded', () => {
    const story = new Story();
    story.recording('A');
    const resume = story.resume('A', 6000);
    expect(story.effects).toHaveLength(1);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 1300 });
  });

  it('waits for the acknowledgement of the suspend before a run is started', () => {
    const story = new Story();
    story.recording('A');
    const suspend = story.suspend('A', 4000);
    const resume = story.resume('A', 4005);
    expect(story.of('run.start')).toEqual([]);
    story.ended('run-1', 4010);
    expect(story.effects.map((effect) => effect.type)).toEqual(['reply', 'run.start']);
    expect(story.answers(suspend)).toHaveLength(1);
    story.live('run-2', 4300);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 4300 });
  });

  it('that is overtaken by another suspend is refused', () => {
    const story = suspended();
    const resume = story.resume('A', 6000);
    const suspend = story.suspend('A', 6100);
    expect(story.effects[0]).toEqual({ type: 'run.abort', runId: 'run-2', at: 6100 });
    expect(story.answer(resume)).toBe('USER_ERROR');
    story.ended('run-2', 6110);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 6100 });
  });

  it('that is overtaken by the stop is refused, and the stop is answered', () => {
    const story = suspended();
    const resume = story.resume('A', 6000);
    const stop = story.stop('A', 6100);
    expect(story.answer(resume)).toBe('USER_ERROR');
    expect(story.of('run.abort')).toEqual([{ type: 'run.abort', runId: 'run-2', at: 6100 }]);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 6100 });
  });
});

describe('a suspension among several contacts', () => {
  /** A and B are being recorded by run-2. */
  function two(): Story {
    const story = new Story();
    story.recording('A');
    story.start('B', 2000);
    story.live('run-2', 2300);
    story.ended('run-1', 2400);
    return story;
  }

  it('is screen-wide: it holds until the last contact that asked for it resumes', () => {
    const story = two();
    const [first, second] = [story.suspend('A', 4000), story.suspend('B', 4005)];
    story.ended('run-2', 4010);
    expect(story.answer(first)).toEqual({ kind: 'suspend', suspendedAt: 4000 });
    expect(story.answer(second)).toEqual({ kind: 'suspend', suspendedAt: 4005 });
    const resume = story.resume('A', 6000);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 6000, stillSuspendedBy: ['B'] });
    expect(story.of('run.start')).toEqual([]);
    const last = story.resume('B', 7000);
    expect(story.of('run.start')).toEqual([{ type: 'run.start', runId: 'run-3' }]);
    story.live('run-3', 7300);
    expect(story.answer(last)).toEqual({ kind: 'resume', resumedAt: 7300 });
    expect(story.answers(resume)).toHaveLength(1);
  });

  it('by one contact answers the resume that another one waits for', () => {
    const story = two();
    story.suspend('A', 4000);
    story.ended('run-2', 4010);
    const resume = story.resume('A', 6000);
    story.suspend('B', 6100);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 6100, stillSuspendedBy: ['B'] });
  });

  it('answers a start at once, with who holds it, and starts no run', () => {
    const story = two();
    story.suspend('A', 4000);
    story.ended('run-2', 4010);
    const start = story.start('C', 5000);
    expect(story.answer(start)).toEqual({
      kind: 'start',
      recordingId: 'rec-C',
      startTime: 5000,
      stillSuspendedBy: ['A'],
    });
    expect(story.of('run.start')).toEqual([]);
    expect(story.of('timer.set')).toEqual([]);
    const again = story.start('C', 5500);
    expect(story.answer(again)).toMatchObject({ startTime: 5000, stillSuspendedBy: ['A'] });
  });

  it('by another contact answers a start that waits for its first frame', () => {
    const story = new Story();
    story.recording('A');
    const start = story.start('B', 3000);
    story.suspend('A', 3100);
    expect(story.answer(start)).toEqual({
      kind: 'start',
      recordingId: 'rec-B',
      startTime: 3100,
      stillSuspendedBy: ['A'],
    });
  });

  it('ends with the stop of the contact that asked for it: the others are recorded again', () => {
    const story = two();
    story.suspend('A', 4000);
    story.ended('run-2', 4010);
    const stop = story.stop('A', 5000);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 5000 });
    expect(story.of('run.start')).toEqual([{ type: 'run.start', runId: 'run-3' }]);
    expect(story.journal.filter((record) => record.type === 'contact.resumed')).toEqual([]);
  });

  it('goes on when a contact that did not ask for it is stopped', () => {
    const story = two();
    story.suspend('A', 4000);
    story.ended('run-2', 4010);
    const stop = story.stop('B', 5000);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-B', endTime: 5000 });
    expect(story.of('run.start')).toEqual([]);
    expect(story.announced('rec-B')).toEqual(['INITIATED', 'COMPLETED']);
  });

  it('completes a recording that is suspended from its start to its end', () => {
    const story = two();
    story.suspend('A', 4000);
    story.ended('run-2', 4010);
    story.start('C', 5000);
    const stop = story.stop('C', 6000);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-C', endTime: 6000 });
    expect(story.announced('rec-C')).toEqual(['INITIATED', 'COMPLETED']);
    expect(story.of('publish')).toEqual([{ type: 'publish', recordingId: 'rec-C' }]);
  });
});
