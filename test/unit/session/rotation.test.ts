import { describe, expect, it } from 'vitest';
import { Story, anna, crashed, displayAway, noEncoder, ofType } from '../support/session.ts';

describe('a second contact', () => {
  it('gets a new run while the first one’s continues', () => {
    const story = new Story();
    story.recording('A');
    const start = story.start('B', 3000);
    expect(story.of('run.start')).toEqual([{ type: 'run.start', runId: 'run-2' }]);
    expect(story.of('run.stop')).toEqual([]);
    expect(story.answer(start)).toBeNull();
  });

  it('ends the older run at exactly its own first frame', () => {
    const story = new Story();
    story.recording('A');
    const start = story.start('B', 3000);
    story.live('run-2', 3217);
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-1', at: 3217, reason: 'interrupted' },
    ]);
    expect(story.answer(start)).toEqual({ kind: 'start', recordingId: 'rec-B', startTime: 3217 });
    expect(story.state.runs).toEqual([
      { runId: 'run-1', phase: { kind: 'ending' } },
      { runId: 'run-2', phase: { kind: 'live', firstFrameAt: 3217 } },
    ]);
    expect(story.of('run.start')).toEqual([]);
  });

  it('shares the next run with a third one that asks while it is being started', () => {
    const story = new Story();
    story.recording('A');
    const tokens = [story.start('B', 3000), story.start('C', 3100)];
    expect(ofType(story.all, 'run.start')).toHaveLength(2);
    story.live('run-2', 3200);
    expect(tokens.map((token) => story.answer(token))).toEqual([
      { kind: 'start', recordingId: 'rec-B', startTime: 3200 },
      { kind: 'start', recordingId: 'rec-C', startTime: 3200 },
    ]);
  });

  it('that asks after the first frame was grabbed, but before it was reported, waits for the next run', () => {
    const story = new Story();
    story.recording('A');
    const early = story.start('B', 3000);
    const late = story.start('C', 3250);
    story.live('run-2', 3200);
    expect(story.answer(early)).toMatchObject({ startTime: 3200 });
    expect(story.answer(late)).toBeNull();
    expect(story.of('run.start')).toEqual([{ type: 'run.start', runId: 'run-3' }]);
    story.live('run-3', 3600);
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-2', at: 3600, reason: 'interrupted' },
    ]);
    expect(story.answer(late)).toMatchObject({ startTime: 3600 });
  });

  it('that is given up before its first frame leaves the first one’s run alone', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 3000);
    story.stop('B', 3100);
    expect(story.of('run.stop')).toEqual([]);
    expect(story.of('run.abort')).toEqual([]);
    expect(story.state.contacts.map((contact) => contact.recordingId)).toEqual(['rec-A']);
  });
});

describe('a stop while other contacts go on', () => {
  /** A and B share run-2. */
  function two(): Story {
    const story = new Story();
    story.recording('A');
    story.start('B', 2000);
    story.live('run-2', 2300);
    story.ended('run-1', 2400);
    return story;
  }

  it('leaves the run alone and asks for everything up to the end', () => {
    const story = two();
    const stop = story.stop('A', 5000);
    expect(story.of('run.flush')).toEqual([{ type: 'run.flush', runId: 'run-2', until: 5000 }]);
    expect(story.of('run.stop')).toEqual([]);
    expect(story.answer(stop)).toBeNull();
  });

  it('is answered when the run holds everything up to the end', () => {
    const story = two();
    const stop = story.stop('A', 5000);
    story.do({ type: 'run.flushed', runId: 'run-2', until: 5000 });
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 5000 });
    expect(story.effects.map((effect) => effect.type)).toEqual(['announce', 'reply', 'publish']);
    expect(story.state.contacts.map((contact) => contact.recordingId)).toEqual(['rec-B']);
    expect(story.state.runs.map((run) => run.phase.kind)).toEqual(['live']);
  });

  it('is not answered for what an earlier stop waited for', () => {
    const story = two();
    story.start('C', 4000);
    story.live('run-3', 4300);
    story.ended('run-2', 4400);
    const [early, late] = [story.stop('A', 5000), story.stop('B', 5500)];
    story.do({ type: 'run.flushed', runId: 'run-3', until: 5000 });
    expect(story.answer(early)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 5000 });
    expect(story.answer(late)).toBeNull();
    story.do({ type: 'run.flushed', runId: 'run-3', until: 5500 });
    expect(story.answer(late)).toEqual({ kind: 'stop', recordingId: 'rec-B', endTime: 5500 });
  });

  it('waits for a newer run whose first frame was grabbed before the end, but reported after it', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 3000);
    const stop = story.stop('A', 3400);
    story.live('run-2', 3200);
    expect(story.of('run.flush')).toEqual([{ type: 'run.flush', runId: 'run-2', until: 3400 }]);
    story.ended('run-1', 3500);
    expect(story.answer(stop)).toBeNull();
    story.do({ type: 'run.flushed', runId: 'run-2', until: 3400 });
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 3400 });
  });

  it('waits for the older run of a rotation, too', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 3000);
    story.live('run-2', 3300);
    const stop = story.stop('A', 3400);
    story.do({ type: 'run.flushed', runId: 'run-2', until: 3400 });
    expect(story.answer(stop)).toBeNull();
    story.ended('run-1', 3500);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 3400 });
  });

  it('is answered when the run ends instead, for any reason', () => {
    const story = two();
    const stop = story.stop('A', 5000);
    story.ended('run-2', 5050, crashed);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 5000 });
    expect(story.of('run.start')).toEqual([{ type: 'run.start', runId: 'run-3' }]);
  });

  it('of the last one ends the run at its end', () => {
    const story = two();
    story.stop('A', 5000);
    story.stop('B', 6000);
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-2', at: 6000, reason: 'interrupted' },
    ]);
    story.ended('run-2', 6100);
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'COMPLETED']);
    expect(story.announced('rec-B')).toEqual(['INITIATED', 'COMPLETED']);
  });
});

describe('a fault of capture', () => {
  it('starts the next run at once, and the recording goes on', () => {
    const story = new Story();
    story.recording('A');
    story.ended('run-1', 4000, crashed);
    expect(story.effects).toEqual([{ type: 'run.start', runId: 'run-2' }]);
    expect(story.state.retry).toEqual({ attempt: 1, failure: crashed, due: true });
    story.live('run-2', 4300);
    expect(story.state.retry).toBeNull();
    expect(story.announced('rec-A')).toEqual(['INITIATED']);
  });

  it('that repeats itself is waited for ever longer, up to five seconds', () => {
    const story = new Story();
    story.recording('A');
    const delays: number[] = [];
    for (let index = 1; index <= 7; index++) {
      story.ended(`run-${index}`, 4000 + index * 100, crashed);
      const [timer] = story.of('timer.set');
      delays.push(timer?.delayMs ?? 0);
      if (timer === undefined) continue;
      expect(story.of('run.start')).toEqual([]);
      story.do({ type: 'retry.due' });
      expect(story.effects).toEqual([{ type: 'run.start', runId: `run-${index + 1}` }]);
    }
    expect(delays).toEqual([0, 500, 1000, 2000, 5000, 5000, 5000]);
  });

  it('is slowed down even when capture comes back for a moment each time', () => {
    const story = new Story();
    story.recording('A');
    story.ended('run-1', 4000, crashed);
    story.live('run-2', 4300);
    story.ended('run-2', 5000, crashed);
    expect(story.of('timer.set')).toEqual([{ type: 'timer.set', name: 'retry', delayMs: 500 }]);
  });

  it('a quarter of a minute after the last one counts as the first', () => {
    const story = new Story();
    story.recording('A');
    story.ended('run-1', 4000, crashed);
    story.live('run-2', 4300);
    story.ended('run-2', 19_000, crashed);
    expect(story.of('run.start')).toEqual([{ type: 'run.start', runId: 'run-3' }]);
    expect(story.state.retry?.attempt).toBe(1);
  });

  it('before the first frame leaves the start waiting for the next try', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    story.ended('run-1', 1100, crashed);
    story.live('run-2', 1500);
    expect(story.answer(start)).toEqual({ kind: 'start', recordingId: 'rec-A', startTime: 1500 });
  });

  it('of a rotation’s next run does not disturb the run that is live', () => {
    const story = new Story();
    story.recording('A');
    const start = story.start('B', 3000);
    story.ended('run-2', 3100, crashed);
    expect(story.effects).toEqual([{ type: 'run.start', runId: 'run-3' }]);
    story.live('run-3', 3400);
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-1', at: 3400, reason: 'interrupted' },
    ]);
    expect(story.answer(start)).toMatchObject({ startTime: 3400 });
  });

  it('in a run that was already asked to end is none', () => {
    const story = new Story();
    story.recording('A');
    story.stop('A', 5000);
    story.ended('run-1', 5100, crashed);
    expect(story.state.faults).toBeNull();
    expect(story.of('run.start')).toEqual([]);
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'COMPLETED']);
  });

  it('whose wait is still going on when the last contact stops is not tried again', () => {
    const story = new Story();
    story.recording('A');
    story.ended('run-1', 4000, crashed);
    story.ended('run-2', 4100, crashed);
    const stop = story.stop('A', 4200);
    expect(story.of('timer.clear')).toContainEqual({ type: 'timer.clear', name: 'retry' });
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 4200 });
    expect(story.do({ type: 'retry.due' })).toEqual([]);
  });
});

describe('a permanent fault', () => {
  it('refuses a start at once with the reason', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    story.ended('run-1', 1100, noEncoder, true);
    expect(story.answer(start)).toBe('ENCODER_UNAVAILABLE');
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'FAILED']);
    expect(story.journal.at(-1)).toEqual({
      type: 'recording.failed',
      recordingId: 'rec-A',
      failure: noEncoder,
    });
    expect(story.of('run.start')).toEqual([]);
    expect(story.state.contacts).toEqual([]);
    expect(story.state.retry).toBeNull();
  });

  it('keeps trying for a recording that has begun', () => {
    const story = new Story();
    story.recording('A');
    const start = story.start('B', 3000);
    story.ended('run-2', 3050, noEncoder, true);
    expect(story.answer(start)).toBe('ENCODER_UNAVAILABLE');
    story.ended('run-1', 4000, noEncoder, true);
    expect(story.of('timer.set')).toEqual([{ type: 'timer.set', name: 'retry', delayMs: 500 }]);
    story.do({ type: 'retry.due' });
    expect(story.of('run.start')).toHaveLength(1);
    expect(story.announced('rec-A')).toEqual(['INITIATED']);
  });
});

describe('a display that is away for a moment (the secure desktop of Windows)', () => {
  const pausedBy = ['display-unavailable'];

  it('answers a start after the second attempt, and the recording continues with the first frame', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    story.ended('run-1', 1300, displayAway);
    expect(story.all).toContainEqual({ type: 'run.start', runId: 'run-2' });
    expect(story.answer(start)).toBeNull();
    story.ended('run-2', 1600, displayAway);
    expect(story.answer(start)).toEqual({ kind: 'start', recordingId: 'rec-A', startTime: 1600, pausedBy });
    story.do({ type: 'retry.due' });
    story.live('run-3', 2300);
    expect(story.state.retry).toBeNull();
    expect(story.announced('rec-A')).toEqual(['INITIATED']);
  });

  it('that is back at the second attempt makes no gap', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    story.ended('run-1', 1300, displayAway);
    story.live('run-2', 1500);
    expect(story.answer(start)).toEqual({ kind: 'start', recordingId: 'rec-A', startTime: 1500 });
  });

  it('answers a resume', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 3000);
    story.ended('run-1', 3010);
    const resume = story.resume('A', 5000);
    story.ended('run-2', 5300, displayAway);
    story.ended('run-3', 5600, displayAway);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 5600, pausedBy });
  });

  it('is tried every second, however long it is away', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.start('A', 1000);
    story.ended('run-1', 1300, displayAway);
    const delays = [2, 3, 4, 5, 6].map((number) => {
      story.ended(`run-${number}`, 1300 + number * 1200, displayAway);
      const [timer] = story.of('timer.set');
      story.do({ type: 'retry.due' });
      return timer?.delayMs;
    });
    expect(delays).toEqual([500, 1000, 1000, 1000, 1000]);
  });

  it('does not begin a recording beside a run that still captures', () => {
    const story = new Story();
    story.recording('A');
    const start = story.start('B', 3000);
    story.ended('run-2', 3050, displayAway);
    expect(story.answer(start)).toBeNull();
    story.live('run-3', 3400);
    expect(story.answer(start)).toEqual({ kind: 'start', recordingId: 'rec-B', startTime: 3400 });
  });
});

describe('the deadline of a start', () => {
  it('is set when the start is asked for', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.start('A', 1000);
    expect(story.of('timer.set')).toEqual([{ type: 'timer.set', name: 'start:rec-A', delayMs: 10_000 }]);
  });

  it('fails the contact with CAPTURE_TIMEOUT and aborts the run that never went live', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    story.do({ type: 'start.deadline', recordingId: 'rec-A', at: 11_000 });
    expect(story.answer(start)).toBe('CAPTURE_TIMEOUT');
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'FAILED']);
    expect(story.of('run.abort')).toMatchObject([{ runId: 'run-1' }]);
    story.ended('run-1', 11_100);
    expect(story.state.runs).toEqual([]);
    expect(story.state.contacts).toEqual([]);
  });

  it('tells the fault where there was one', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    story.ended('run-1', 1100, crashed);
    story.ended('run-2', 1200, crashed);
    story.do({ type: 'start.deadline', recordingId: 'rec-A', at: 11_000 });
    expect(story.answer(start)).toBe('CAPTURE_FAILED');
    expect(story.of('timer.clear')).toContainEqual({ type: 'timer.clear', name: 'retry' });
  });

  it('leaves the other contacts alone', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 3000);
    story.do({ type: 'start.deadline', recordingId: 'rec-B', at: 11_000 });
    expect(story.of('run.stop')).toEqual([]);
    expect(story.state.contacts.map((contact) => contact.recordingId)).toEqual(['rec-A']);
  });

  it('of the last open one takes nothing from a recording that is being completed', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 3000);
    story.stop('A', 9000);
    story.do({ type: 'start.deadline', recordingId: 'rec-B', at: 13_000 });
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-1', at: 13_000, reason: 'interrupted' },
    ]);
  });

  it('means nothing to a contact that has begun, or is gone', () => {
    const story = new Story();
    story.recording('A');
    expect(story.do({ type: 'start.deadline', recordingId: 'rec-A', at: 11_000 })).toEqual([]);
    expect(story.do({ type: 'start.deadline', recordingId: 'rec-Z', at: 11_000 })).toEqual([]);
  });
});

describe('an event of a run that is not known (any more)', () => {
  it.each([
    { type: 'run.live', runId: 'run-9', firstFrameAt: 5000 },
    { type: 'run.flushed', runId: 'run-9', until: 5000 },
    { type: 'run.ended', runId: 'run-9', fault: crashed, permanent: true, at: 5000 },
  ] as const)('changes nothing ($type)', (event) => {
    const story = new Story();
    story.recording('A');
    const before = story.state;
    expect(story.do(event)).toEqual([]);
    expect(story.state).toEqual(before);
  });
});
