import { describe, expect, it } from 'vitest';
import { captureState, openRecordings, stateReason } from '../../../main/session/view.ts';
import { Story, anna, crashed } from '../support/session.ts';

describe('a pause', () => {
  it('stops the live run gracefully and with its reason, and nothing is started until it is over', () => {
    const story = new Story();
    story.recording('A');
    story.pauses(['locked'], 3000);
    expect(story.of('run.stop')).toEqual([{ type: 'run.stop', runId: 'run-1', at: 3000, reason: 'locked' }]);
    expect(story.journal.at(-1)).toEqual({ type: 'capture.paused', at: 3000, reason: 'locked' });
    story.ended('run-1', 3200);
    expect(story.of('run.start')).toEqual([]);
    expect(captureState(story.state)).toBe('paused');
    expect(stateReason(story.state)).toEqual({
      code: 'locked',
      message: 'The system reports the screen as locked. Unlock it to continue recording.',
    });
    story.pauses([], 9000);
    expect(story.of('run.start')).toHaveLength(1);
    expect(story.journal.at(-1)).toEqual({ type: 'capture.unpaused', at: 9000, reason: 'locked' });
  });

  it('is shown only once no run is left', () => {
    const story = new Story();
    story.recording('A');
    story.pauses(['locked'], 3000);
    expect(captureState(story.state)).toBe('recording');
    story.ended('run-1', 3200);
    expect(openRecordings(story.state)).toMatchObject([{ state: 'paused' }]);
  });

  it('aborts a run that has no frame yet, and answers its start at once', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    story.pauses(['display-unavailable'], 1100);
    expect(story.of('run.abort')).toHaveLength(1);
    expect(story.answer(start)).toMatchObject({ startTime: 1100, pausedBy: ['display-unavailable'] });
  });

  it('never lets a recording begin before it was asked for', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    // The report is older than the request: reading it took a moment.
    story.pauses(['display-unavailable'], 990);
    expect(story.answer(start)).toMatchObject({ startTime: 1000 });
  });

  it('that applies already is in the reply to a start, and in the journal', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.pauses(['asleep', 'locked'], 500);
    expect(story.journal).toEqual([]);
    const start = story.start('A', 1000);
    expect(story.answer(start)).toMatchObject({ startTime: 1000, pausedBy: ['asleep', 'locked'] });
    expect(story.journal.filter(({ type }) => type === 'capture.paused')).toEqual([
      { type: 'capture.paused', at: 1000, reason: 'asleep' },
      { type: 'capture.paused', at: 1000, reason: 'locked' },
    ]);
  });

  it('of two reasons ends with the last of them', () => {
    const story = new Story();
    story.recording('A');
    story.pauses(['locked'], 3000);
    story.pauses(['locked', 'asleep'], 3500);
    expect(story.of('run.stop')).toEqual([]);
    story.ended('run-1', 3600);
    story.pauses(['asleep'], 4000);
    expect(story.of('run.start')).toEqual([]);
    story.pauses([], 5000);
    expect(story.of('run.start')).toHaveLength(1);
  });

  it('and a suspension block capture independently', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 2000);
    story.ended('run-1', 2050);
    story.pauses(['locked'], 3000);
    const resume = story.resume('A', 4000);
    expect(story.answer(resume)).toEqual({ kind: 'resume', resumedAt: 4000, pausedBy: ['locked'] });
    expect(story.of('run.start')).toEqual([]);
    story.suspend('A', 5000);
    story.pauses([], 6000);
    expect(story.of('run.start')).toEqual([]);
    story.resume('A', 7000);
    expect(story.of('run.start')).toHaveLength(1);
  });

  it('cancels a pending retry: nothing is retried while the screen is locked', () => {
    const story = new Story();
    story.recording('A');
    story.ended('run-1', 2000, crashed);
    story.ended('run-2', 2100, crashed);
    expect(story.state.retry).not.toBeNull();
    story.pauses(['locked'], 2200);
    expect(story.state.retry).toBeNull();
    expect(story.of('timer.clear').map(({ name }) => name)).toContain('retry');
    story.do({ type: 'retry.due' });
    expect(story.of('run.start')).toEqual([]);
  });
});

describe('a display that changes', () => {
  it('ends the run there and starts the next one at once', () => {
    const story = new Story();
    story.recording('A');
    story.do({ type: 'displays.changed', at: 3000 });
    expect(story.effects).toEqual([
      { type: 'run.stop', runId: 'run-1', at: 3000, reason: 'display-changed' },
      { type: 'run.start', runId: 'run-2' },
    ]);
  });

  it('aborts a run that was being started for the old one', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.start('A', 1000);
    story.do({ type: 'displays.changed', at: 1050 });
    expect(story.effects).toEqual([
      { type: 'run.abort', runId: 'run-1', at: 1050 },
      { type: 'run.start', runId: 'run-2' },
    ]);
  });

  it('starts nothing during a suspension', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 2000);
    story.do({ type: 'displays.changed', at: 2010 });
    expect(story.effects).toEqual([]);
  });
});
