// Texts of the player.

import type { GapCause, GapEnd, GapReason } from '../../../../main/shared/names.ts';
import type { Manifest } from '../../../../main/shared/manifest.ts';
import type { ContactEvent, Problem, TranscriptLine, Verification } from '../../../contract.ts';
import type { KeyGroup } from '../shell/keys.ts';
import { choose } from './language.ts';
import { playerDe } from './playerDe.ts';

type Finding = NonNullable<Manifest['integrity']>['findings'][number];

export interface PlayerTexts {
  readonly gapReasons: Readonly<Record<GapReason, string>>;
  readonly causes: Readonly<Record<GapCause | GapEnd, string>>;
  readonly contactEvents: Readonly<Record<ContactEvent['kind'], string>>;
  readonly participants: Readonly<Record<TranscriptLine['participant'], string>>;
  readonly sentiments: Readonly<Record<NonNullable<TranscriptLine['sentiment']>, string>>;
  readonly verdicts: Readonly<Record<Verification['verdict'], string>>;
  readonly problems: Readonly<Record<Problem, string>>;
  readonly endCauses: Readonly<Record<Manifest['endCause'], string>>;
  readonly keys: KeyGroup['keys'];
  finding(finding: Finding): string;
  heading(contactId: string, agent: string): string;
  byCause(cause: string): string;
  endedBy(cause: string): string;
  quoted(words: string): string;
  runOf(monitors: number, length: string): string;
  blackFor(length: string): string;
  displayChange(before: number, after: number): string;
  speed(rate: number): string;
  position(at: string, of: string): string;
  skippedSuspension(length: string): string;
  skippedStill(length: string): string;
  saved(length: string): string;
  monitor(name: string, isPrimary: boolean): string;
  matches(count: number): string;
  noteAt(time: string): string;
  points(points: number): string;
  changedBy(author: string, time: string): string;
  unsaved(count: number): string;
  verifiedAt(time: string): string;
  audioSeconds(seconds: string): string;
  readonly lastsToEnd: string;
  readonly player: string;
  readonly video: string;
  readonly controls: string;
  readonly play: string;
  readonly pause: string;
  readonly previousFrame: string;
  readonly nextFrame: string;
  readonly mute: string;
  readonly unmute: string;
  readonly volume: string;
  readonly speedLabel: string;
  readonly fullscreen: string;
  readonly exitFullscreen: string;
  readonly help: string;
  readonly close: string;
  readonly shortcuts: string;
  readonly shortcutsOn: string;
  readonly snapshot: string;
  readonly snapshotDone: string;
  readonly copyLink: string;
  readonly linkCopied: string;
  readonly linkShown: string;
  readonly download: string;
  readonly monitors: string;
  readonly allMonitors: string;
  readonly resetZoom: string;
  readonly timeline: string;
  readonly playingTime: string;
  readonly wallClock: string;
  readonly skipSuspensions: string;
  readonly onlyChanges: string;
  readonly onlyChangesHint: string;
  readonly waiting: string;
  readonly videoFailed: string;
  readonly noVideo: string;
  readonly loadFailed: string;
  readonly retry: string;
  readonly unreachable: string;
  readonly loading: string;
  readonly activityFailed: string;
  readonly events: string;
  readonly noEvents: string;
  readonly audio: string;
  readonly audioOff: string;
  readonly audioRedacted: string;
  readonly audioOriginal: string;
  readonly audioFailed: string;
  readonly audioTooFast: string;
  readonly audioShift: string;
  readonly audioShiftHint: string;
  readonly transcript: string;
  readonly transcriptSearch: string;
  readonly noTranscript: string;
  readonly originalTranscript: string;
  readonly nextMatch: string;
  readonly previousMatch: string;
  readonly notes: string;
  readonly noNotes: string;
  readonly addNoteHere: string;
  readonly addGeneralNote: string;
  readonly generalNote: string;
  readonly noteText: string;
  readonly criterion: string;
  readonly pointsLabel: string;
  readonly noScore: string;
  readonly removeNote: string;
  readonly saveNotes: string;
  readonly notesSaved: string;
  readonly notesNotSaved: string;
  readonly notesFull: string;
  readonly conflict: string;
  readonly conflictMine: string;
  readonly conflictTheirs: string;
  readonly conflictRemoved: string;
  readonly keepMine: string;
  readonly keepTheirs: string;
  readonly keepBoth: string;
  readonly trust: string;
  readonly verify: string;
  readonly verifying: string;
  readonly notVerified: string;
  readonly damage: string;
  readonly noDamage: string;
  readonly facts: string;
  readonly contactId: string;
  readonly agent: string;
  readonly ended: string;
  readonly trial: string;
}

const en: PlayerTexts = {
  gapReasons: {
    suspended: 'Suspended',
    locked: 'Screen locked',
    'switched-away': 'Another user at the screen',
    disconnected: 'Remote desktop disconnected',
    asleep: 'Computer asleep',
    'display-unavailable': 'No screen to record',
    'display-changed': 'Monitors changed',
    'spool-full': 'Local disk full',
    unreadable: 'Local files damaged',
    interrupted: 'Capture interrupted',
    'app-restarted': 'Sightline was not running',
  },
  causes: {
    page: 'the page',
    agent: 'the agent',
    system: 'the system',
    sightline: 'Sightline',
    'time-limit': 'the time limit',
    restart: 'the page’s return after a restart',
    'contact-ended': 'the end of the other contact',
    'agent-changed': 'another agent’s sign-in',
  },
  contactEvents: {
    connected: 'Connected',
    hold: 'On hold',
    transfer: 'Transfer',
    'after-contact-work': 'After-contact work',
    disconnected: 'Disconnected',
  },
  participants: { AGENT: 'Agent', CUSTOMER: 'Customer', SYSTEM: 'System' },
  sentiments: { POSITIVE: 'positive', NEGATIVE: 'negative', NEUTRAL: 'neutral', MIXED: 'mixed' },
  verdicts: {
    intact: 'Intact: the video is what was recorded.',
    changed: 'Changed: the video is not what was recorded.',
    'not-verifiable': 'Cannot be verified.',
  },
  problems: {
    damaged:
      'Parts of this recording were damaged before the upload. What is missing is marked on the timeline.',
    'end-not-verified': 'Nothing is known to be missing, but it cannot be proved that the end is complete.',
    interrupted: 'Capture was interrupted. The times are marked on the timeline.',
    black: 'The screen was black for ten seconds or more, as that of a minimized remote session is.',
    'ended-early': 'The recording ended before the contact did.',
    'no-video': 'There is a manifest, but no video.',
    'unreadable-manifest': 'The manifest cannot be read.',
  },
  endCauses: {
    stopped: 'The page stopped the recording.',
    'page-lost': 'The page was lost.',
    'agent-changed': 'Another agent signed in.',
    shutdown: 'Sightline was closed.',
    'app-died': 'Sightline ended unexpectedly.',
  },
  keys: [
    [['Space', 'k'], 'Play or pause'],
    [['j', 'l'], '10 seconds back or forward'],
    [['←', '→'], '5 seconds back or forward'],
    [[',', '.'], 'One frame back or forward'],
    [['Page Up', 'Page Down'], 'Previous or next chapter (run, gap, change of monitors)'],
    [['0 to 9'], 'To 0 % to 90 %'],
    [['Home', 'End'], 'To the beginning or the end'],
    [['<', '>'], 'Slower or faster'],
    [['m'], 'Mute'],
    [['f'], 'Full screen'],
    [['z', 'a'], 'Next monitor, all monitors'],
    [['n'], 'Note at this moment'],
  ],
  finding: (finding) => {
    switch (finding.kind) {
      case 'run-damaged':
        return `Run ${finding.runId.slice(0, 8)}: ${finding.readableFrames} of ${finding.frames} frames could be read.`;
      case 'journal-damaged':
        return `${finding.lines} lines of the recorder’s journal are missing or were changed.`;
      case 'end-not-verified':
        return {
          missing: 'The record of how much there was is missing.',
          unreadable: 'The record of how much there was cannot be read.',
          'older-version': 'Recorded by a version that keeps no record of how much there was.',
        }[finding.cause];
    }
  },
  heading: (contactId, agent) => `Recording of contact ${contactId}, ${agent}`,
  byCause: (cause) => `by ${cause}`,
  endedBy: (cause) => `ended by ${cause}`,
  quoted: (words) => ` (“${words}”)`,
  runOf: (monitors, length) => `Recorded ${length}, ${monitors === 1 ? '1 monitor' : `${monitors} monitors`}`,
  blackFor: (length) => `Black screen ${length}`,
  displayChange: (before, after) =>
    before === after ? 'Monitors rearranged' : `Monitors changed: ${before} before, ${after} after`,
  speed: (rate) => `${rate}×`,
  position: (at, of) => `${at} of ${of}`,
  skippedSuspension: (length) => `Skipped a suspension of ${length}`,
  skippedStill: (length) => `Skipped ${length} without a change`,
  saved: (length) => `Skips ${length}`,
  monitor: (name, isPrimary) => (isPrimary ? `${name} (primary)` : name),
  matches: (count) => (count === 1 ? '1 line' : `${count} lines`),
  noteAt: (time) => `Note at ${time}`,
  points: (points) => `${points} of 10`,
  changedBy: (author, time) => `${author}, ${time}`,
  unsaved: (count) => (count === 1 ? '1 change is not saved' : `${count} changes are not saved`),
  verifiedAt: (time) => `Checked at ${time}.`,
  audioSeconds: (seconds) => `${seconds} s`,
  lastsToEnd: 'lasts until the recording ended',
  player: 'Player',
  video: 'Screen recording',
  controls: 'Controls of the player',
  play: 'Play',
  pause: 'Pause',
  previousFrame: 'Previous frame',
  nextFrame: 'Next frame',
  mute: 'Mute',
  unmute: 'Unmute',
  volume: 'Volume',
  speedLabel: 'Speed',
  fullscreen: 'Full screen',
  exitFullscreen: 'Exit full screen',
  help: 'Keyboard shortcuts',
  close: 'Close',
  shortcuts: 'Keyboard shortcuts',
  shortcutsOn: 'Single keys control the player',
  snapshot: 'Save snapshot',
  snapshotDone: 'Snapshot saved to your downloads.',
  copyLink: 'Copy link to this moment',
  linkCopied: 'Link copied. Who opens it needs access to this recording.',
  linkShown: 'The browser did not allow copying. This is the link:',
  download: 'Download video',
  monitors: 'Monitors',
  allMonitors: 'All monitors',
  resetZoom: 'Reset zoom',
  timeline: 'Timeline',
  playingTime: 'Playing time',
  wallClock: 'Time of day',
  skipSuspensions: 'Skip suspensions',
  onlyChanges: 'Play only what changes',
  onlyChangesHint: 'Leaves out times in which not one pixel of the screen changed',
  waiting: 'Loading…',
  videoFailed:
    'The video cannot be played. Load the page again; if that does not help, verify the recording.',
  noVideo: 'There is no video of this recording, only its manifest.',
  loadFailed: 'The recording could not be loaded',
  retry: 'Try again',
  unreachable: 'Sightline Review does not answer. Start it again or check the network.',
  loading: 'Loading the recording…',
  activityFailed:
    'The frames’ times could not be read: seeks may be a frame off, and nothing still is skipped.',
  events: 'Events',
  noEvents: 'One run without gaps.',
  audio: 'Call audio',
  audioOff: 'Off',
  audioRedacted: 'Redacted',
  audioOriginal: 'Original',
  audioFailed: 'The call’s audio cannot be played.',
  audioTooFast: 'Silent above 4×',
  audioShift: 'Shift audio',
  audioShiftHint:
    'The start of this audio is known to the minute only. Shift it until it fits; this browser remembers it.',
  transcript: 'Transcript',
  transcriptSearch: 'Search the transcript',
  noTranscript: 'There is no transcript of this contact.',
  originalTranscript: 'Not redacted',
  nextMatch: 'Next match',
  previousMatch: 'Previous match',
  notes: 'Notes',
  noNotes: 'No notes yet.',
  addNoteHere: 'Add note here',
  addGeneralNote: 'Add general note',
  generalNote: 'General note',
  noteText: 'Note',
  criterion: 'Criterion',
  pointsLabel: 'Points',
  noScore: 'None',
  removeNote: 'Remove note',
  saveNotes: 'Save notes',
  notesSaved: 'Notes saved.',
  notesNotSaved: 'The notes are not saved yet. Your text is kept in this tab.',
  notesFull: 'A recording has at most 500 notes. Remove one first.',
  conflict: 'Somebody else changed the same note. Choose which one to keep.',
  conflictMine: 'Yours',
  conflictTheirs: 'Saved by somebody else',
  conflictRemoved: 'Removed',
  keepMine: 'Keep yours',
  keepTheirs: 'Keep the other',
  keepBoth: 'Keep both',
  trust: 'Integrity',
  verify: 'Verify recording',
  verifying: 'Reading the whole video…',
  notVerified: 'Not verified yet. Verifying reads the whole video and compares it with the manifest.',
  damage: 'Problems of this recording',
  noDamage: 'The manifest reports no damage.',
  facts: 'Recording',
  contactId: 'Contact',
  agent: 'Agent',
  ended: 'End',
  trial: 'A trial of sightline try, not a contact',
};

export const texts: PlayerTexts = choose({ en, de: playerDe });
