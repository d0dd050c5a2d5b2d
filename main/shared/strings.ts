// Every text of the tray, the indicator and the system's dialogs, and the sentences for error codes (the window's other
// texts: renderer/strings.ts). Another language is another object of the same type: a text with a number or a name in it
// is a function, so that each language can place it.

import type { ErrorCode } from './errors.ts';
import type { IndicatorTone } from './indicatorIpc.ts';

const english = {
  /** BCP 47. */
  language: 'en',
  /** Windows shows it beside Sightline's name while Sightline delays a sign-out or shutdown. */
  shutdownDelay: 'Sightline is saving the recording of the last contact.',
  state: {
    idle: 'Not recording',
    starting: 'Starting to record',
    recording: (contacts: number) => `Recording ${counted(contacts, 'contact')}`,
    /** Capture is on although no contact is being recorded at the moment. */
    recordingForNone: 'Recording',
    finishing: 'Finishing',
    suspendedByPage: 'Suspended by the page',
    suspendedByAgent: 'Suspended by you',
    paused: 'Paused',
    problem: 'Problem',
    because: (title: string, reason: string) => `${title}: ${reason}`,
  },
  /** What a problem means for the agent; the technical message is for support. */
  problems: {
    CAPTURE_FAILED: 'The screen is not being recorded. Sightline retries automatically.',
    CAPTURE_TIMEOUT: 'The screen could not be recorded in time. Sightline retries automatically.',
    NO_DISPLAY: 'The screen cannot be read. Sightline retries automatically.',
    WAYLAND_UNSUPPORTED:
      'The screen cannot be recorded in a Wayland session. Log out, and choose "Xorg" when you log in.',
    CLIENT_UNSUPPORTED_OS: 'Sightline does not support this operating system and records nothing.',
    ENCODER_UNAVAILABLE: 'The video encoder is missing. Contact support.',
    SPOOL_FULL: 'The disk is full. Free up disk space.',
    SPOOL_UNREADABLE: 'Recordings on this computer cannot be read. Contact support.',
    UPLOAD_FAILED: 'The upload destination did not accept the recording.',
    ENCRYPTION_NOT_CONFIRMED: 'The upload destination does not encrypt as required. Contact support.',
    SINK_CHANGED: 'The upload destination has changed. Contact support.',
    CLIENT_AUTH_ERROR: 'The upload destination did not accept the credentials. Contact support.',
    CLIENT_CONNECTION_ERROR: 'The upload destination cannot be reached. Check the network.',
    SERVICE_ISSUE: 'The upload destination reported an error.',
    EVENTS_NOT_WRITTEN: 'The status events cannot be written. Contact support.',
  } satisfies Partial<Record<ErrorCode, string>>,
  unknownProblem: 'Something went wrong. Contact support.',
  cannotStart: 'Sightline could not start and records nothing. Contact support.',
  uploads: {
    sending: (recordings: number) => `Uploading ${counted(recordings, 'recording')}`,
    retrying: (recordings: number) => `${counted(recordings, 'recording')} pending; retrying automatically`,
    because: (what: string, why: string) => `${what}. ${why}`,
  },
  tray: {
    tooltip: (state: string) => `Sightline: ${state}`,
    lessThanAMinute: 'For less than a minute',
    minutes: (minutes: number) => `For ${minutes} min`,
    hours: (hours: number, minutes: number) => `For ${hours} h ${minutes} min`,
    suspend: 'Suspend recording',
    resume: 'Resume recording',
    showIndicator: 'Show indicator',
    hideIndicator: 'Hide indicator',
    largerIndicator: 'Larger indicator',
    smallerIndicator: 'Smaller indicator',
    showWindow: 'Show window',
    exportDiagnostics: 'Export diagnostics…',
    about: (version: string) => `About Sightline ${version}`,
    quit: 'Quit',
  },
  indicator: {
    labels: {
      starting: 'STARTING',
      recording: 'REC',
      suspended: 'SUSPENDED',
      paused: 'PAUSED',
      problem: 'PROBLEM',
    } satisfies Record<IndicatorTone, string>,
    byPage: 'by the page',
    byPageBecause: (reason: string) => `by the page: ${reason}`,
    byAgent: 'by you',
    /** For screen readers. */
    heading: 'What Sightline is capturing',
    elapsed: 'Duration',
    details: 'Details',
    suspend: 'Suspend recording',
    resume: 'Resume recording',
    hide: 'Hide the indicator',
    tooltip: (state: string) => `${state}\nClick to open Sightline, drag to move.`,
  },
  dialogs: {
    cannotStart: {
      title: 'Sightline cannot start',
      text: (error: string) => `${error}\nInstall Sightline again.`,
    },
    quit: {
      message: 'A contact is being recorded.',
      detail: 'If Sightline quits now, the recording ends here and is uploaded as it is.',
      keep: 'Keep recording',
      end: 'End the recording and quit',
    },
    crashDumps: {
      message: 'Sightline has crashed before. Include the crash dumps?',
      detail:
        'They help support to find the cause. They contain memory of Sightline, in which keys, tokens and parts of the screen can be. Include them only if support has asked for them.',
      leaveOut: 'Leave them out',
      include: 'Include them',
    },
    exportDiagnostics: {
      title: 'Export diagnostics',
      zip: 'Zip',
      failed: 'The diagnostics could not be exported',
    },
  },
};

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export type Strings = typeof english;
export const strings: Strings = english;

/** @param code of a failure, or of another program's error */
export function problemText(code: string): string {
  return (strings.problems as Readonly<Record<string, string>>)[code] ?? strings.unknownProblem;
}
