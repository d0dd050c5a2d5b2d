// Every text of <sightline-status>. Another language is another object of type `Texts` (the compiler names what is missing);
// a page sets it, whole or in part: `element.texts = german`.

import type { Channel, ContactState } from '../contract.ts';

/** What the element can show. */
export type StatusKind =
  | 'connecting'
  | 'idle'
  | 'starting'
  | 'recording'
  | 'suspended'
  | 'paused'
  | 'problem'
  | 'not-running'
  | 'blocked'
  | 'refused'
  | 'wrong-version'
  | 'closed';

/** Why a recording is suspended, as far as the page knows. */
export type SuspendedBy = 'page' | 'form' | 'flow' | 'agent' | 'unknown';

export interface Texts {
  /** BCP 47, for screen readers. */
  readonly language: string;
  readonly labels: Readonly<Record<StatusKind, string>>;
  /** One sentence: what the state means. Empty where the label says all. */
  readonly meanings: Readonly<Record<'connecting' | 'not-running' | 'wrong-version' | 'closed', string>>;
  /** `frame`: the page that embeds this one does not allow it. */
  readonly blocked: Readonly<Record<'denied' | 'prompt' | 'frame', string>>;
  readonly suspendedBy: Readonly<Record<SuspendedBy, string>>;
  /** `reason`: as a page gave it. */
  readonly suspendedBecause: (by: string, reason: string) => string;
  /** By code of `app.state`; other codes get the recorder's own message. */
  readonly paused: Readonly<Record<string, string>>;
  /** By error code; `unknownProblem` for others. */
  readonly problems: Readonly<Record<string, string>>;
  readonly unknownProblem: string;
  /** By code; `refusedOtherwise` for others. */
  readonly refused: Readonly<Record<string, string>>;
  readonly refusedOtherwise: string;
  readonly blackScreen: string;
  readonly suspending: string;
  readonly resuming: string;
  /** The recording goes on although a suspension was requested. */
  readonly suspendFailed: string;
  /** What to do, one step each. */
  readonly steps: Readonly<
    Record<
      | 'not-running'
      | 'blocked-denied'
      | 'blocked-prompt'
      | 'blocked-frame'
      | 'wrong-version'
      | 'refused'
      | 'suspended-agent'
      | 'suspended-unknown',
      readonly string[]
    >
  >;
  /** By code of `refused`, instead of `steps.refused`. */
  readonly refusedSteps: Readonly<Record<string, readonly string[]>>;
  readonly suspend: string;
  readonly resume: string;
  readonly retry: string;
  readonly details: string;
  readonly elapsed: string;
  readonly code: (code: string) => string;
  readonly channels: Readonly<Record<Channel, string>>;
  readonly contactStates: Readonly<Record<ContactState['state'], string>>;
  readonly contact: (channel: string, state: string) => string;
}

/** Parts of a catalogue: what is missing stays as it is. */
export type TextsPart = {
  readonly [Key in keyof Texts]?: Texts[Key] extends (...words: never[]) => string
    ? Texts[Key]
    : Texts[Key] extends string
      ? string
      : Partial<Texts[Key]>;
};

export const english: Texts = {
  language: 'en',
  labels: {
    connecting: 'Connecting',
    idle: 'Not recording',
    starting: 'Starting to record',
    recording: 'Recording',
    suspended: 'Suspended',
    paused: 'Paused',
    problem: 'Problem',
    'not-running': 'Sightline is not running',
    blocked: 'Blocked by the browser',
    refused: 'Not connected',
    'wrong-version': 'Update needed',
    closed: 'Disconnected',
  },
  meanings: {
    connecting: '',
    'not-running': 'Your screen is not being recorded.',
    'wrong-version': 'Your screen is not being recorded: this page and Sightline have different versions.',
    closed: 'This page no longer controls the recording.',
  },
  blocked: {
    denied: 'Your screen is not being recorded: this page may not connect to Sightline on this computer.',
    prompt: 'The browser asks whether this page may access apps on this device.',
    frame: 'Your screen is not being recorded: this app may not connect to Sightline from inside this page.',
  },
  suspendedBy: {
    page: 'By this page',
    form: 'While you use a protected form',
    flow: 'By the contact’s flow',
    agent: 'By you, in Sightline',
    unknown: 'By another page, or before this page was reloaded',
  },
  suspendedBecause: (by, reason) => `${by}: ${reason}`,
  paused: {
    locked: 'The screen is locked. Recording continues when you unlock it.',
    'switched-away': 'Another user is signed in on this computer.',
    disconnected: 'The remote session is disconnected.',
    asleep: 'The computer is asleep.',
    'display-unavailable': 'The screen cannot be read at the moment.',
    'app-restarted': 'Sightline was restarted. Recording continues shortly.',
    agent: 'You suspended it in Sightline.',
  },
  problems: {
    CAPTURE_FAILED: 'The screen is not being recorded. Sightline retries automatically.',
    CAPTURE_TIMEOUT: 'The screen could not be recorded in time. Sightline retries automatically.',
    NO_DISPLAY: 'The screen cannot be read. Sightline retries automatically.',
    WAYLAND_UNSUPPORTED:
      'The screen cannot be recorded in a Wayland session. Log out, and choose "Xorg" when you log in.',
    ENCODER_UNAVAILABLE: 'The video encoder is missing. Contact support.',
    SPOOL_FULL: 'The disk is full. Free up disk space.',
    SPOOL_UNREADABLE: 'Recordings on this computer cannot be read. Contact support.',
    TOO_MANY_REQUESTS: 'Too many contacts or pages at once. Close what you do not need.',
    TIMEOUT: 'Sightline does not answer. This page retries automatically.',
    CLIENT_APP_NOT_RUNNING: 'Sightline is not running.',
  },
  unknownProblem: 'The screen is not being recorded. Contact support.',
  refused: {
    MULTIPLE_CCP_INTERACTION:
      'Your screen is not being recorded: another agent is signed in on this computer.',
    CLIENT_AUTH_ERROR: 'Your screen is not being recorded: Sightline did not accept this page’s sign-in.',
    PEER_REFUSED: 'Your screen is not being recorded: Sightline runs for another user of this computer.',
    NOT_SIGHTLINE: 'Your screen is not being recorded: another program uses Sightline’s port.',
    TOO_MANY_REQUESTS: 'Your screen is not being recorded: too many pages are connected to Sightline.',
  },
  refusedOtherwise:
    'Your screen is not being recorded: Sightline does not accept connections from this page.',
  blackScreen: 'The recorded screen is black.',
  suspending: 'Suspending…',
  resuming: 'Resuming…',
  suspendFailed: 'Not suspended yet: this page tries again. Do not show anything confidential.',
  steps: {
    'not-running': [
      'Start Sightline from the Start menu or the list of applications.',
      'This page connects automatically. If it does not, contact support.',
    ],
    // Chrome 156: the names of the setting and of the question (its en-US strings).
    'blocked-denied': [
      'Click the icon on the left of the address, then "Site settings".',
      'Set "Apps on device" (in older versions "Local network access") to "Allow".',
      'Reload this page.',
    ],
    'blocked-prompt': [
      'Click "Allow" where the browser asks to "access other apps and services on this device".',
      'If you do not see the question, reload this page.',
    ],
    'blocked-frame': ['Contact support: the frame of this app needs the permission "loopback-network".'],
    'wrong-version': ['Ask IT to update Sightline, or this page.'],
    refused: ['Contact support.'],
    'suspended-agent': ['Open Sightline’s menu and choose "Resume recording".'],
    'suspended-unknown': ['Resume recording when nothing confidential is on the screen.'],
  },
  refusedSteps: {
    MULTIPLE_CCP_INTERACTION: ['Close all pages of the other agent, in all browsers.', 'Reload this page.'],
    TOO_MANY_REQUESTS: ['Close pages that you do not need.'],
    CLIENT_AUTH_ERROR: ['Sign in again.', 'If that does not help, contact support.'],
  },
  suspend: 'Suspend recording',
  resume: 'Resume recording',
  retry: 'Try again',
  details: 'Details',
  elapsed: 'Duration',
  code: (code) => `Code: ${code}`,
  channels: { VOICE: 'Call', CHAT: 'Chat', TASK: 'Task' },
  contactStates: {
    waiting: 'not connected',
    starting: 'starting',
    recording: 'recording',
    suspending: 'suspending',
    suspended: 'suspended',
    resuming: 'resuming',
    paused: 'paused',
    problem: 'not being recorded',
    stopping: 'ending',
    failed: 'not being recorded',
  },
  contact: (channel, state) => `${channel}: ${state}`,
};

/** `base` with the texts of `part` in place of its own. */
export function withTexts(base: Texts, part: TextsPart): Texts {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(part) as [keyof Texts, unknown][]) {
    const own = base[key];
    const isGroup = typeof own === 'object' && typeof value === 'object';
    merged[key] = isGroup ? { ...own, ...value } : value;
  }
  return merged as unknown as Texts;
}
