// What slates and badges say. Pure.

import type { GapEnd, GapFacts, GapReason } from '../shared/names.ts';

interface ReasonTexts {
  readonly title: string;
  readonly line: string;
  /** For a badge. */
  readonly short: string;
}

const reasons: Readonly<Record<GapReason, ReasonTexts>> = {
  suspended: {
    title: 'Recording suspended',
    line: 'Nothing was captured during this time.',
    short: 'Suspended',
  },
  interrupted: {
    title: 'Recording interrupted',
    line: 'Capture failed and was restarted.',
    short: 'Interrupted',
  },
  'display-changed': {
    title: 'Display changed',
    line: 'Monitors were connected, removed or rearranged.',
    short: 'Display changed',
  },
  'display-unavailable': {
    title: 'Display unavailable',
    line: 'There was no screen to capture.',
    short: 'No display',
  },
  locked: {
    title: 'Screen locked',
    line: 'Nothing was captured while the screen was locked.',
    short: 'Screen locked',
  },
  'switched-away': {
    title: 'Another user at the screen',
    line: 'Nothing was captured while another session was in front.',
    short: 'Another user',
  },
  disconnected: {
    title: 'Remote desktop disconnected',
    line: 'Nothing was captured while nobody was connected to the screen.',
    short: 'Disconnected',
  },
  asleep: {
    title: 'Computer asleep',
    line: 'Nothing was captured while the computer was asleep.',
    short: 'Asleep',
  },
  'spool-full': {
    title: 'No space to record',
    line: 'The local disk, or the share of it for recordings, was full.',
    short: 'Disk full',
  },
  unreadable: {
    title: 'Recording unreadable',
    line: 'This part was damaged or lost on the local disk before the upload.',
    short: 'Unreadable',
  },
  'app-restarted': {
    title: 'Recorder restarted',
    line: 'Sightline was not running during this time.',
    short: 'Recorder restarted',
  },
};

/** Of a suspension. `system` and `sightline`: another gap followed, which has its own slate. */
const ends: Readonly<Record<GapEnd, string>> = {
  page: 'Resumed by the page.',
  agent: 'Resumed by the agent.',
  'time-limit': 'Ended by the time limit.',
  restart: 'Resumed after a restart.',
  'contact-ended': 'Ended with the contact that was suspended.',
  'agent-changed': 'Ended when another agent signed in.',
  system: '',
  sightline: '',
};

export interface SlateTexts {
  readonly title: string;
  readonly lines: readonly string[];
  readonly since: string;
}

/** @param quoted the page's own text, as it can be shown */
export function slateTexts(gap: GapFacts, quoted: string | null): SlateTexts {
  const { title, line } = reasons[gap.reason];
  const since = `Since ${timeOf(gap.from)} UTC, for ${lengthOf(gap.to - gap.from)}`;
  if (gap.reason !== 'suspended') return { title, lines: [line], since };
  const end = gap.endedBy === null ? 'Until the end of the recording.' : ends[gap.endedBy ?? 'system'];
  return { title, lines: [line, causeOf(gap, quoted)], since: end === '' ? since : `${since}. ${end}` };
}

/** `Suspended 0.6 s` */
export function badgeText(gaps: readonly Pick<GapFacts, 'reason' | 'from' | 'to'>[]): string {
  const names = new Set(gaps.map(({ reason }) => reasons[reason].short));
  return `${[...names].join(', ')} ${lengthOf(gaps.reduce((sum, { from, to }) => sum + to - from, 0))}`;
}

function causeOf({ by }: GapFacts, quoted: string | null): string {
  switch (by) {
    case 'agent':
      return 'Suspended by the agent.';
    case 'page':
      return quoted === null ? 'Suspended by the page.' : `Suspended by the page: “${quoted}”`;
    default:
      return 'Assumed by Sightline: a suspension may have been lost in a crash.';
  }
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/** `0.6 s`, `45.0 s`, `2 min 5 s`, `1 h 2 min` */
function lengthOf(ms: number): string {
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const [minutes, seconds] = [Math.floor(ms / 60_000), Math.floor(ms / 1000) % 60];
  return minutes < 60 ? `${minutes} min ${seconds} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
