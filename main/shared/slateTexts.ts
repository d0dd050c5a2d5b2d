// What slates, badges and chapters say. Pure.

import type { GapEnd, GapFacts, GapReason } from './names.ts';

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

/**
 * No more than the slate says; of a gap that has only a badge, what the badge says.
 * `09:16:00 UTC Recording suspended, 45.0 s. Suspended by the page: card number`
 */
export function chapterTitle(gap: GapFacts, hasSlate: boolean): string {
  const time = clockOf(gap.from);
  if (!hasSlate) return `${time} ${badgeText([gap])}`;
  const title = `${time} ${reasons[gap.reason].title}, ${lengthOf(gap.to - gap.from)}`;
  if (gap.reason !== 'suspended') return title;
  const quoted = plainText(gap.text);
  return `${title}. ${gap.by === 'page' && quoted !== '' ? `Suspended by the page: ${quoted}` : causeOf(gap, null)}`;
}

/** @param isFirst of the recording: with the date */
export function runTitle(from: number, isFirst: boolean): string {
  return `${isFirst ? `${timeOf(from).slice(0, 10)} ` : ''}${clockOf(from)} Recorded`;
}

const QUOTE_CHARACTERS = 60;

/**
 * A text from outside as players show it in menus and lists, which may take markup, escapes and directions in it seriously:
 * letters of the scripts that a slate has, digits and harmless punctuation remain, everything else is a question mark.
 */
function plainText(text: string | null): string {
  const plain = (text ?? '')
    .slice(0, 1000)
    .normalize('NFC')
    .replaceAll(/[\s\p{C}]+/gu, ' ')
    .trim()
    .replaceAll(/[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Nd} .,:;!()'+-]/gu, '?');
  if (!/[\p{L}\p{N}]/u.test(plain)) return '';
  return Array.from(plain).slice(0, QUOTE_CHARACTERS).join('').trim();
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

function clockOf(at: number): string {
  return `${timeOf(at).slice(11)} UTC`;
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
