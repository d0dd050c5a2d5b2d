import { describe, expect, it } from 'vitest';
import { captureState, openRecordings, stateReason } from '../../../main/session/view.ts';
import type { RecoveredContact } from '../../../main/spool/recoveredContacts.ts';
import { Story, anna, ben } from '../support/session.ts';

function left(contactId: string, suspendedAt: number | null = null): RecoveredContact {
  const info = { contactId, channel: 'VOICE' } as const;
  return {
    ...{ recordingId: `rec-${contactId}`, info, agent: anna },
    ...{ requestedAt: 800, startTime: 1000, suspendedAt, leftAt: 5000 },
  };
}

const ended = {
  ...{ contactId: 'A', recordingId: 'old', endTime: 900 },
  ...{ suspended: true, suspendedByAgent: false },
};

function restored(contacts: readonly RecoveredContact[], policy = {}): Story {
  const story = new Story(policy);
  story.do({ type: 'restored', contacts, endedSuspended: [], agentSuspendedSince: null });
  return story;
}

describe('what an earlier process left open', () => {
  it('is not captured before a page of its agent is back, and has a grace period', () => {
    const story = restored([left('A')]);
    expect(story.effects).toEqual([{ type: 'timer.set', name: 'grace', delayMs: 60_000 }]);
    expect(captureState(story.state)).toBe('paused');
    expect(stateReason(story.state)?.code).toBe('app-restarted');
    story.hello('page-1', anna, 9000);
    expect(story.of('run.start')).toHaveLength(1);
    expect(story.of('timer.clear').map(({ name }) => name)).toContain('grace');
    expect(openRecordings(story.state)).toMatchObject([{ contactId: 'A', recordingId: 'rec-A' }]);
  });

  it('ends where it was left when no page comes', () => {
    const story = restored([left('A')]);
    story.do({ type: 'grace.over', at: 65_000 });
    expect(story.journal).toEqual([
      { type: 'contact.stopped', recordingId: 'rec-A', endTime: 5000, cause: 'app-died' },
    ]);
    expect(story.of('publish')).toEqual([{ type: 'publish', recordingId: 'rec-A' }]);
  });

  it('ends where it was left when another agent comes', () => {
    const story = restored([left('A')]);
    const hello = story.hello('page-1', ben, 9000);
    expect(story.answer(hello)).toEqual({ kind: 'hello' });
    expect(story.journal).toMatchObject([{ endTime: 5000, cause: 'app-died' }]);
  });

  it('stays suspended until a page says otherwise', () => {
    const story = restored([left('A', 4000)]);
    story.hello('page-1', anna, 9000);
    expect(story.of('run.start')).toEqual([]);
    const again = story.start('A', 9100);
    expect(story.answer(again)).toMatchObject({ recordingId: 'rec-A', stillSuspendedBy: ['A'] });
    const suspend = story.suspend('A', 9200);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 4000 });
    story.resume('A', 9300);
    expect(story.of('run.start')).toHaveLength(1);
  });

  it('is resumed by policy when the page is back, which is notified once capture is back', () => {
    const story = restored([left('A', 4000)], { resumeAfterRestart: true });
    story.hello('page-1', anna, 9000);
    expect(story.journal).toEqual([
      { type: 'contact.resumed', recordingId: 'rec-A', at: 9000, cause: 'restart' },
    ]);
    expect(story.of('push.resumed')).toEqual([]);
    story.live('run-1', 9300);
    expect(story.of('push.resumed')).toEqual([
      { type: 'push.resumed', contactId: 'A', resumedAt: 9300, cause: 'restart' },
    ]);
  });

  it('is left open again by a shutdown before a page came', () => {
    const story = restored([left('A')]);
    story.do({ type: 'shutdown', at: 8000 });
    expect(story.journal).toEqual([]);
    expect(story.state.contacts).toEqual([]);
  });
});

describe('a shutdown', () => {
  it('leaves what is suspended to the next process and completes the rest, without a frame in between', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 2000);
    story.ended('run-1', 2050);
    story.start('B', 3000);
    story.start('C', 3000);
    story.do({ type: 'shutdown', at: 4000 });
    expect(story.of('run.start')).toEqual([]);
    expect(story.of('journal').map(({ record }) => record)).toMatchObject([
      { type: 'contact.stopped', recordingId: 'rec-B', cause: 'shutdown' },
      { type: 'contact.stopped', recordingId: 'rec-C', cause: 'shutdown' },
    ]);
    expect(story.state.contacts).toEqual([]);
  });

  it('answers a suspend that waits', () => {
    const story = new Story();
    story.recording('A');
    const suspend = story.suspend('A', 2000);
    story.do({ type: 'shutdown', at: 2010 });
    expect(story.answer(suspend)).toBe('NOT_READY');
  });
});

describe('a contact that ended suspended without a page', () => {
  it('begins again suspended, and every run is aborted', () => {
    const story = new Story();
    story.do({ type: 'restored', contacts: [], endedSuspended: [ended], agentSuspendedSince: null });
    story.recording('B', 1000);
    const start = story.start('A', 3000);
    expect(story.of('run.abort')).toEqual([{ type: 'run.abort', runId: 'run-1', at: 3000 }]);
    expect(story.answer(start)).toMatchObject({ startTime: 3000, stillSuspendedBy: ['A'] });
    // The suspend that the page sends now is acknowledged when the run is gone, and not before.
    const suspend = story.suspend('A', 3001);
    expect(story.answer(suspend)).toBeNull();
    story.ended('run-1', 3010);
    expect(story.answer(suspend)).toEqual({ kind: 'suspend', suspendedAt: 3000 });
  });

  it('is one whose grace period was over, but not one that a page stopped', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 2000);
    story.ended('run-1', 2010);
    story.do({ type: 'page.left', pageId: 'page-1' });
    story.do({ type: 'grace.over', at: 62_000 });
    story.hello('page-1', anna, 63_000);
    const again = story.start('A', 63_100, 'rec-A2');
    expect(story.answer(again)).toMatchObject({ recordingId: 'rec-A2', stillSuspendedBy: ['A'] });
    story.stop('A', 64_000);
    story.start('A', 65_000, 'rec-A3');
    expect(story.of('run.start')).toHaveLength(1);
  });
});

describe('however many contacts end after one that ended suspended', () => {
  it('it begins again suspended, and once it was stopped it does not any more', () => {
    const story = new Story();
    story.do({ type: 'restored', contacts: [], endedSuspended: [ended], agentSuspendedSince: null });
    story.hello('page-1', anna, 1000);
    const others = (from: number): void => {
      for (let index = 0; index < 250; index += 1) {
        const at = from + index * 10;
        story.start(`B${index}`, at, `rec-${at}`);
        story.stop(`B${index}`, at + 5);
        for (const { runId } of story.state.runs) story.ended(runId, at + 6);
      }
    };
    others(2000);
    const again = story.start('A', 10_000, 'rec-A2');
    expect(story.answer(again)).toMatchObject({ stillSuspendedBy: ['A'] });
    story.stop('A', 10_010);
    others(20_000);
    const third = story.start('A', 30_000, 'rec-A3');
    expect(story.answer(third)).toBeNull();
    expect(story.state.finished.length).toBeLessThanOrEqual(200);
  });
});

describe('a suspension with a time limit', () => {
  it('is as long as policy lets it be, or as the page asks if that is less', () => {
    for (const [asked, expected] of [
      [undefined, 30_000],
      [10, 10_000],
      [300, 30_000],
    ] as const) {
      const story = new Story({ suspendMaxSeconds: 30 });
      story.recording('A');
      const suspend = story.suspend('A', 2000, undefined, asked);
      expect(story.of('timer.set')).toEqual([
        { type: 'timer.set', name: 'suspension:rec-A', delayMs: expected },
      ]);
      story.ended('run-1', 2010);
      expect(story.answer(suspend)).toMatchObject({ resumesAt: 2000 + expected });
    }
  });

  it('ends automatically, and no page is notified before capture is back', () => {
    const story = new Story({ suspendMaxSeconds: 30 });
    story.recording('A');
    story.suspend('A', 2000);
    story.ended('run-1', 2010);
    story.do({ type: 'suspension.expired', recordingId: 'rec-A', at: 32_000 });
    expect(story.of('push.resumed')).toEqual([]);
    expect(story.of('run.start')).toHaveLength(1);
    // Suspended again before capture had come back: then no page is notified.
    story.suspend('A', 32_100);
    story.ended('run-2', 32_110);
    expect(story.all.some(({ type }) => type === 'push.resumed')).toBe(false);
  });

  it('that was ended by the page has no timer left', () => {
    const story = new Story({ suspendMaxSeconds: 30 });
    story.recording('A');
    story.suspend('A', 2000);
    story.ended('run-1', 2010);
    story.resume('A', 3000);
    expect(story.of('timer.clear').map(({ name }) => name)).toContain('suspension:rec-A');
    story.do({ type: 'suspension.expired', recordingId: 'rec-A', at: 32_000 });
    expect(story.effects).toEqual([]);
  });
});
