import { describe, expect, it } from 'vitest';
import {
  captureState,
  isLive,
  isSuspended,
  openRecordings,
  shownSince,
  stateReason,
  suspendingContacts,
} from '../../../main/session/view.ts';
import { Story, anna, crashed } from '../support/session.ts';

const states = (story: Story): string[] =>
  openRecordings(story.state).map((one) => `${one.contactId} ${one.state}`);

describe('the state of the app', () => {
  it('is idle with an agent and no contact', () => {
    const story = new Story();
    story.hello('page-1', anna);
    expect(captureState(story.state)).toBe('idle');
    expect(openRecordings(story.state)).toEqual([]);
  });

  it('is starting until the first frame, then recording', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.start('A', 1000);
    expect(captureState(story.state)).toBe('starting');
    expect(isLive(story.state)).toBe(false);
    expect(states(story)).toEqual(['A starting']);
    story.live('run-1', 1300);
    expect(captureState(story.state)).toBe('recording');
    expect(isLive(story.state)).toBe(true);
    expect(openRecordings(story.state)).toEqual([
      { contactId: 'A', recordingId: 'rec-A', state: 'recording' },
    ]);
  });

  it('says suspended only once no run is left', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 4000);
    expect(isSuspended(story.state)).toBe(true);
    expect(captureState(story.state)).toBe('recording');
    expect(states(story)).toEqual(['A recording']);
    story.ended('run-1', 4010);
    expect(captureState(story.state)).toBe('suspended');
    expect(states(story)).toEqual(['A suspended']);
  });

  it('is starting after a resume, until the first new frame', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 4000);
    story.ended('run-1', 4010);
    story.resume('A', 5000);
    expect(isSuspended(story.state)).toBe(false);
    expect(captureState(story.state)).toBe('starting');
    story.live('run-2', 5300);
    expect(captureState(story.state)).toBe('recording');
  });

  it('shows a suspension for every contact, and names the one that asked for it', () => {
    const story = new Story();
    story.recording('A');
    story.start('B', 2000);
    story.live('run-2', 2300);
    story.suspend('A', 4000);
    story.ended('run-1', 4005);
    story.ended('run-2', 4010);
    expect(states(story)).toEqual(['A suspended', 'B suspended']);
    expect(suspendingContacts(story.state)).toEqual(['A']);
  });

  it('is a problem while capture waits for its next try, and recording when it is back', () => {
    const story = new Story();
    story.recording('A');
    story.ended('run-1', 4000, crashed);
    story.ended('run-2', 4100, crashed);
    expect(captureState(story.state)).toBe('problem');
    expect(states(story)).toEqual(['A problem']);
    story.do({ type: 'retry.due' });
    expect(captureState(story.state)).toBe('problem');
    story.live('run-3', 5000);
    expect(captureState(story.state)).toBe('recording');
  });

  it('is a problem for a start whose capture failed', () => {
    const story = new Story();
    story.hello('page-1', anna);
    story.start('A', 1000);
    story.ended('run-1', 1100, crashed);
    expect(states(story)).toEqual(['A problem']);
  });

  it('is recording while the screen is black, with the reason, until another run begins', () => {
    const story = new Story();
    story.recording('A');
    expect(stateReason(story.state)).toBeNull();
    story.do({ type: 'run.black', runId: 'run-1', isBlack: true });
    expect(captureState(story.state)).toBe('recording');
    expect(stateReason(story.state)).toMatchObject({ code: 'black-screen' });
    story.do({ type: 'run.black', runId: 'run-1', isBlack: false });
    expect(stateReason(story.state)).toBeNull();
    story.do({ type: 'run.black', runId: 'run-1', isBlack: true });
    story.start('B', 30_000);
    story.live('run-2', 30_200);
    expect(stateReason(story.state)).toBeNull();
    // A late report of the run that is ending.
    story.do({ type: 'run.black', runId: 'run-1', isBlack: true });
    expect(stateReason(story.state)).toBeNull();
  });

  it('goes on being recording after the stop until the last run has ended', () => {
    const story = new Story();
    story.recording('A');
    story.stop('A', 5000);
    expect(captureState(story.state)).toBe('recording');
    expect(states(story)).toEqual(['A stopping']);
    story.ended('run-1', 5100);
    expect(captureState(story.state)).toBe('idle');
  });

  it('does not count the suspension of a contact that is being stopped', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 4000);
    story.stop('A', 4005);
    expect(isSuspended(story.state)).toBe(false);
    expect(captureState(story.state)).toBe('recording');
  });
});

describe('since when the state has lasted', () => {
  it('is the start of the oldest contact while it records, and the change of the state otherwise', () => {
    const story = new Story();
    story.recording('A');
    const { phase } = story.state.contacts[0]!;
    expect(phase.kind).toBe('open');
    expect(shownSince(story.state, 'recording', 9000)).toBe(phase.kind === 'open' && phase.startTime);
    expect(shownSince(story.state, 'paused', 9000)).toBe(9000);
    expect(shownSince(story.state, 'problem', 9000)).toBe(9000);
    expect(shownSince(story.state, 'starting', 9000)).toBeNull();
    expect(shownSince(story.state, 'idle', 9000)).toBeNull();
  });

  it('is the receipt of a suspension where that is earlier: it outlives a restart', () => {
    const story = new Story();
    story.recording('A');
    story.suspend('A', 4000);
    expect(shownSince(story.state, 'suspended', 9000)).toBe(4000);
    expect(shownSince(story.state, 'suspended', 3500)).toBe(3500);
  });
});
