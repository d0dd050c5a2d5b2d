import { describe, expect, it } from 'vitest';
import { MAX_CONTACTS } from '../../../main/session/reducer.ts';
import { Story, anna, ben, ofType, testPolicy } from '../support/session.ts';

describe('hello', () => {
  it('is answered at once and makes the agent known', () => {
    const story = new Story();
    const hello = story.hello('page-1', anna);
    expect(story.answer(hello)).toEqual({ kind: 'hello' });
    expect(story.state.agent).toEqual(anna);
    expect(story.state.pages).toEqual(['page-1']);
  });

  it('counts a page that says hello twice once', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.hello('page-1', anna);
    expect(story.state.pages).toEqual(['page-1']);
  });

  it('lets several pages of the same agent share one state', () => {
    const story = new Story();
    story.recording('A');
    const second = story.hello('page-2', { ...anna, browser: 'another browser' }, 2000);
    expect(story.answer(second)).toEqual({ kind: 'hello' });
    expect(story.state.contacts.map((contact) => contact.info.contactId)).toEqual(['A']);
  });

  it.each([
    ['another agent', ben],
    ['the same agent on another instance', { ...anna, instanceArn: 'arn:instance/other' }],
  ])('by %s while a page is connected is refused with MULTIPLE_CCP_INTERACTION', (_, identity) => {
    const story = new Story();
    story.recording('A');
    const before = story.state;
    const second = story.hello('page-2', identity, 2000);
    expect(story.answer(second)).toBe('MULTIPLE_CCP_INTERACTION');
    expect(story.state).toEqual(before);
  });

  it('by an agent while only a trial is connected ends the trial', () => {
    const story = new Story();
    story.hello('trial:1', ben);
    story.hello('page-1', anna, 2000);
    expect(story.state).toMatchObject({ pages: ['page-1'], agent: { agentArn: anna.agentArn } });
    const trial = story.hello('trial:2', ben, 3000);
    expect(story.answer(trial)).toBe('MULTIPLE_CCP_INTERACTION');
  });

  it('by another agent after the last page has gone completes what the first one left open', () => {
    const story = new Story();
    story.recording('A');
    story.do({ type: 'page.left', pageId: 'page-1' });
    const hello = story.hello('page-2', ben, 5000);
    expect(story.answer(hello)).toEqual({ kind: 'hello' });
    expect(story.state.agent).toEqual(ben);
    expect(story.journal.at(-1)).toEqual({
      type: 'contact.stopped',
      recordingId: 'rec-A',
      endTime: 5000,
      cause: 'agent-changed',
    });
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-1', at: 5000, reason: 'interrupted' },
    ]);
    story.ended('run-1', 5100);
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'COMPLETED']);
  });

  it('by the same agent keeps what is open and calls the grace period off', () => {
    const story = new Story();
    story.recording('A');
    story.do({ type: 'page.left', pageId: 'page-1' });
    expect(story.effects).toEqual([
      { type: 'timer.set', name: 'grace', delayMs: testPolicy.graceSeconds * 1000 },
    ]);
    story.hello('page-2', anna, 5000);
    expect(story.of('timer.clear')).toEqual([{ type: 'timer.clear', name: 'grace' }]);
    expect(ofType(story.all, 'run.stop')).toEqual([]);
    expect(story.state.contacts[0]?.phase.kind).toBe('open');
  });

  it('while shutting down is refused', () => {
    const story = new Story();
    story.do({ type: 'shutdown', at: 0 });
    expect(story.answer(story.hello('page-1', anna))).toBe('NOT_READY');
  });
});

describe('the grace period', () => {
  it('begins with the last page that leaves, not with an earlier one', () => {
    const story = new Story();
    story.recording('A');
    story.hello('page-2', anna, 2000);
    expect(story.do({ type: 'page.left', pageId: 'page-1' })).toEqual([]);
    expect(story.do({ type: 'page.left', pageId: 'page-2' })).toEqual([
      { type: 'timer.set', name: 'grace', delayMs: testPolicy.graceSeconds * 1000 },
    ]);
  });

  it('does not begin for a page that never said hello', () => {
    const story = new Story();
    expect(story.do({ type: 'page.left', pageId: 'page-9' })).toEqual([]);
  });

  it('completes everything when it is over', () => {
    const story = new Story();
    story.recording('A');
    story.do({ type: 'page.left', pageId: 'page-1' });
    story.do({ type: 'grace.over', at: 62_000 });
    expect(story.journal.at(-1)).toMatchObject({ endTime: 62_000, cause: 'page-lost' });
    story.ended('run-1', 62_100);
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'COMPLETED']);
    expect(story.of('publish')).toEqual([{ type: 'publish', recordingId: 'rec-A' }]);
  });

  it('changes nothing when a page is back', () => {
    const story = new Story();
    story.recording('A');
    expect(story.do({ type: 'grace.over', at: 62_000 })).toEqual([]);
  });
});

describe('contact.start', () => {
  it('before any hello is refused', () => {
    const story = new Story();
    expect(story.answer(story.start('A', 1000))).toBe('NOT_READY');
    expect(story.state.contacts).toEqual([]);
  });

  it('journals the contact, announces it and starts a run, in this order', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const token = story.start('A', 1000);
    expect(story.effects.map((effect) => effect.type)).toEqual([
      'journal',
      'announce',
      'timer.set',
      'run.start',
    ]);
    expect(story.journal).toEqual([
      {
        type: 'contact.started',
        recordingId: 'rec-A',
        at: 1000,
        contact: { contactId: 'A', channel: 'CHAT' },
        agent: anna,
      },
    ]);
    expect(story.announced('rec-A')).toEqual(['INITIATED']);
    expect(story.answer(token)).toBeNull();
  });

  it('is answered with the first frame, which is the recording’s start', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const token = story.start('A', 1000);
    story.live('run-1', 1210);
    expect(story.answer(token)).toEqual({ kind: 'start', recordingId: 'rec-A', startTime: 1210 });
    expect(story.journal.at(-1)).toEqual({
      type: 'contact.recording',
      recordingId: 'rec-A',
      startTime: 1210,
    });
    expect(story.of('timer.clear')).toContainEqual({ type: 'timer.clear', name: 'start:rec-A' });
  });

  it('asked twice before the first frame is answered twice with the same recording', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const tokens = [story.start('A', 1000), story.start('A', 1050, 'rec-A-again')];
    expect(ofType(story.all, 'run.start')).toHaveLength(1);
    story.live('run-1', 1210);
    for (const token of tokens) {
      expect(story.answers(token)).toHaveLength(1);
      expect(story.answer(token)).toEqual({ kind: 'start', recordingId: 'rec-A', startTime: 1210 });
    }
    expect(story.announced('rec-A')).toEqual(['INITIATED']);
  });

  it('of a contact that is being recorded returns the same recordingId and start', () => {
    const story = new Story();
    story.recording('A');
    const again = story.start('A', 9000, 'rec-A-again');
    expect(story.effects).toHaveLength(1);
    expect(story.answer(again)).toEqual({ kind: 'start', recordingId: 'rec-A', startTime: 1300 });
  });

  it('of a contact that is just being stopped is refused, and the stop goes on', () => {
    const story = new Story();
    story.recording('A');
    const stop = story.stop('A', 5000);
    expect(story.answer(story.start('A', 5010))).toBe('USER_ERROR');
    story.ended('run-1', 5100);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 5000 });
  });

  it('of a contact that was finished makes another recording', () => {
    const story = new Story();
    story.recording('A');
    story.stop('A', 5000);
    story.ended('run-1', 5100);
    const again = story.start('A', 8000, 'rec-A-2');
    story.live('run-2', 8300);
    expect(story.answer(again)).toEqual({ kind: 'start', recordingId: 'rec-A-2', startTime: 8300 });
    const stop = story.stop('A', 9000);
    story.ended('run-2', 9100);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A-2', endTime: 9000 });
    expect(story.answer(story.stop('A', 9500))).toEqual({
      kind: 'stop',
      recordingId: 'rec-A-2',
      endTime: 9000,
    });
  });

  it('while shutting down is refused', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.do({ type: 'shutdown', at: 500 });
    expect(story.answer(story.start('A', 1000))).toBe('NOT_READY');
  });
});

describe('contact.stop', () => {
  it('journals the end, stops the run there, and is answered when the run has ended', () => {
    const story = new Story();
    story.recording('A');
    const stop = story.stop('A', 5000);
    expect(story.of('journal').map((effect) => effect.record)).toEqual([
      { type: 'contact.stopped', recordingId: 'rec-A', endTime: 5000, cause: 'stopped' },
    ]);
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-1', at: 5000, reason: 'interrupted' },
    ]);
    expect(story.answer(stop)).toBeNull();
    story.ended('run-1', 5100);
    expect(story.effects.map((effect) => effect.type)).toEqual(['announce', 'reply', 'publish']);
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 5000 });
    expect(story.state.contacts).toEqual([]);
    expect(story.state.runs).toEqual([]);
  });

  it('asked twice is answered twice with the same end', () => {
    const story = new Story();
    story.recording('A');
    const tokens = [story.stop('A', 5000), story.stop('A', 5050)];
    story.ended('run-1', 5100);
    tokens.push(story.stop('A', 7000));
    for (const token of tokens) {
      expect(story.answers(token)).toHaveLength(1);
      expect(story.answer(token)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 5000 });
    }
    expect(ofType(story.all, 'publish')).toHaveLength(1);
  });

  it('is still answered the same after two hundred others, and forgotten only then', () => {
    const story = new Story();
    story.hello('page-1', anna);
    for (let index = 1; index <= 201; index++) {
      story.start(`contact-${index}`, index * 1000);
      story.live(`run-${index}`, index * 1000 + 300);
      story.stop(`contact-${index}`, index * 1000 + 600);
      story.ended(`run-${index}`, index * 1000 + 700);
    }
    expect(story.answer(story.stop('contact-2', 300_000))).toMatchObject({ kind: 'stop', endTime: 2600 });
    expect(story.answer(story.stop('contact-1', 300_000))).toBe('UNKNOWN_CONTACT');
  });

  it('before the first frame fails the recording, refuses the start and answers the stop', () => {
    const story = new Story();
    story.hello('page-1', anna);
    const start = story.start('A', 1000);
    const stop = story.stop('A', 1100);
    expect(story.answer(start)).toBe('USER_ERROR');
    expect(story.answer(stop)).toEqual({ kind: 'stop', recordingId: 'rec-A', endTime: 1100 });
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'FAILED']);
    expect(story.of('run.abort')).toEqual([{ type: 'run.abort', runId: 'run-1', at: 1100 }]);
    expect(ofType(story.all, 'publish')).toEqual([]);
    story.live('run-1', 1090);
    expect(story.effects).toEqual([]);
    story.ended('run-1', 1200);
    expect(story.state.runs).toEqual([]);
  });

  it('gives every recording a length, even one that is stopped before its start was answered', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.start('A', 1000);
    story.live('run-1', 1400);
    story.stop('A', 1390);
    expect(story.journal.at(-1)).toMatchObject({ type: 'contact.stopped', endTime: 1401 });
  });
});

describe('a contact that was not started', () => {
  it.each(['suspend', 'resume', 'stop'] as const)('is UNKNOWN_CONTACT for a %s', (command) => {
    const story = new Story();
    story.recording('A');
    const before = story.state;
    expect(story.answer(story[command]('B', 2000))).toBe('UNKNOWN_CONTACT');
    expect(story.effects).toHaveLength(1);
    expect(story.state).toEqual(before);
  });

  it.each(['suspend', 'resume'] as const)('is what a contact being stopped is for a %s', (command) => {
    const story = new Story();
    story.recording('A');
    story.stop('A', 5000);
    expect(story.answer(story[command]('A', 5010))).toBe('UNKNOWN_CONTACT');
  });
});

describe('shutdown', () => {
  it('completes what is open and fails what has not begun', () => {
    const story = new Story();
    story.recording('A');
    const start = story.start('B', 4000);
    story.do({ type: 'shutdown', at: 4100 });
    expect(story.answer(start)).toBe('USER_ERROR');
    expect(story.announced('rec-B')).toEqual(['INITIATED', 'FAILED']);
    expect(story.of('run.stop')).toEqual([
      { type: 'run.stop', runId: 'run-1', at: 4100, reason: 'interrupted' },
    ]);
    expect(story.of('run.abort')).toEqual([{ type: 'run.abort', runId: 'run-2', at: 4100 }]);
    story.ended('run-1', 4200);
    story.ended('run-2', 4210);
    expect(story.announced('rec-A')).toEqual(['INITIATED', 'COMPLETED']);
    expect(story.journal).toContainEqual(
      expect.objectContaining({ type: 'contact.stopped', recordingId: 'rec-A', cause: 'shutdown' }),
    );
    expect(story.state.contacts).toEqual([]);
    expect(story.state.runs).toEqual([]);
  });

  it('starts no run any more', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 4000);
    story.do({ type: 'shutdown', at: 4100 });
    story.ended('run-1', 4200);
    story.do({ type: 'retry.due' });
    expect(ofType(story.all, 'run.start')).toHaveLength(1);
  });
});

describe('more contacts than an agent can have', () => {
  it('are refused, and those that are on stay as they are', () => {
    const story = new Story();
    story.hello('p', anna);
    for (let count = 0; count < MAX_CONTACTS; count += 1) story.start(`c${count}`, 1000);
    const before = story.state;
    const refused = story.start('one-more', 2000);
    expect(story.effects).toMatchObject([{ type: 'refuse', token: refused, code: 'TOO_MANY_REQUESTS' }]);
    expect(story.state).toEqual(before);
    // The same one again is no other contact.
    story.start('c0', 2000);
    expect(story.state.contacts).toHaveLength(MAX_CONTACTS);
  });
});
