// Every text of the tray, the indicator and the system's dialogs, and the sentences for error codes (the window's other
// texts: renderer/strings.ts). Another language is another object of the same type: a text with a number or a name in it
// is a function, so that each language can place it.

import type { ErrorCode } from './errors.ts';
import type { IndicatorTone } from './indicatorIpc.ts';

export interface Strings {
  /** BCP 47. */
  readonly language: string;
  readonly state: {
    readonly idle: string;
    readonly starting: string;
    readonly recording: (contacts: number) => string;
    /** Capture is on although no contact is being recorded at the moment. */
    readonly recordingForNone: string;
    readonly finishing: string;
    readonly suspendedByPage: string;
    readonly suspendedByAgent: string;
    readonly paused: string;
    readonly problem: string;
    readonly because: (title: string, reason: string) => string;
  };
  /** What a problem means for the agent, by its code; the technical message is for support. */
  readonly problems: Partial<Record<ErrorCode, string>>;
  readonly unknownProblem: string;
  readonly cannotStart: string;
  readonly uploads: {
    readonly sending: (recordings: number) => string;
    readonly retrying: (recordings: number) => string;
    readonly because: (what: string, why: string) => string;
  };
  readonly tray: {
    readonly tooltip: (state: string) => string;
    readonly lessThanAMinute: string;
    readonly minutes: (minutes: number) => string;
    readonly hours: (hours: number, minutes: number) => string;
    readonly suspend: string;
    readonly resume: string;
    readonly showIndicator: string;
    readonly hideIndicator: string;
    readonly largerIndicator: string;
    readonly smallerIndicator: string;
    readonly showWindow: string;
    readonly exportDiagnostics: string;
    readonly about: (version: string) => string;
    readonly quit: string;
    /** In the menu bar that macOS shows. */
    readonly quitInMenuBar: string;
  };
  readonly indicator: {
    readonly labels: Readonly<Record<IndicatorTone, string>>;
    readonly byPage: string;
    readonly byPageBecause: (reason: string) => string;
    readonly byAgent: string;
    /** For screen readers. */
    readonly heading: string;
    readonly elapsed: string;
    readonly details: string;
    readonly suspend: string;
    readonly resume: string;
    readonly hide: string;
    readonly tooltip: (state: string) => string;
  };
  readonly dialogs: {
    readonly cannotStart: { readonly title: string; readonly text: (error: string) => string };
    readonly quit: {
      readonly message: string;
      readonly detail: string;
      readonly keep: string;
      readonly end: string;
    };
    readonly exportDiagnostics: { readonly title: string; readonly zip: string; readonly failed: string };
  };
}

const english: Strings = {
  language: 'en',
  state: {
    idle: 'Not recording',
    starting: 'Starting to record',
    recording: (contacts) => `Recording ${counted(contacts, 'contact')}`,
    recordingForNone: 'Recording',
    finishing: 'Finishing',
    suspendedByPage: 'Suspended by the page',
    suspendedByAgent: 'Suspended by you',
    paused: 'Paused',
    problem: 'Problem',
    because: (title, reason) => `${title}: ${reason}`,
  },
  problems: {
    CAPTURE_FAILED: 'The screen is not being recorded. Sightline retries automatically.',
    CAPTURE_TIMEOUT: 'The screen could not be recorded in time. Sightline retries automatically.',
    NO_DISPLAY: 'The screen cannot be read. Sightline retries automatically.',
    ENCODER_UNAVAILABLE: 'The video encoder is missing. Contact support.',
    SPOOL_FULL: 'The disk is full. Free up disk space.',
    SPOOL_UNREADABLE: 'Recordings on this computer cannot be read. Contact support.',
    UPLOAD_FAILED: 'The upload destination did not accept the recording.',
    SINK_CHANGED: 'The upload destination has changed. Contact support.',
    CLIENT_AUTH_ERROR: 'The upload destination did not accept the credentials. Contact support.',
    CLIENT_CONNECTION_ERROR: 'The upload destination cannot be reached. Check the network.',
    SERVICE_ISSUE: 'The upload destination reported an error.',
    EVENTS_NOT_WRITTEN: 'The status events cannot be written. Contact support.',
  },
  unknownProblem: 'Something went wrong. Contact support.',
  cannotStart: 'Sightline could not start and records nothing. Contact support.',
  uploads: {
    sending: (recordings) => `Uploading ${counted(recordings, 'recording')}`,
    retrying: (recordings) => `${counted(recordings, 'recording')} pending; retrying automatically`,
    because: (what, why) => `${what}. ${why}`,
  },
  tray: {
    tooltip: (state) => `Sightline: ${state}`,
    lessThanAMinute: 'For less than a minute',
    minutes: (minutes) => `For ${minutes} min`,
    hours: (hours, minutes) => `For ${hours} h ${minutes} min`,
    suspend: 'Suspend recording',
    resume: 'Resume recording',
    showIndicator: 'Show indicator',
    hideIndicator: 'Hide indicator',
    largerIndicator: 'Larger indicator',
    smallerIndicator: 'Smaller indicator',
    showWindow: 'Show window',
    exportDiagnostics: 'Export diagnostics…',
    about: (version) => `About Sightline ${version}`,
    quit: 'Quit',
    quitInMenuBar: 'Quit Sightline',
  },
  indicator: {
    labels: {
      starting: 'STARTING',
      recording: 'REC',
      suspended: 'SUSPENDED',
      paused: 'PAUSED',
      problem: 'PROBLEM',
    },
    byPage: 'by the page',
    byPageBecause: (reason) => `by the page: ${reason}`,
    byAgent: 'by you',
    heading: 'What Sightline is capturing',
    elapsed: 'Duration',
    details: 'Details',
    suspend: 'Suspend recording',
    resume: 'Resume recording',
    hide: 'Hide the indicator',
    tooltip: (state) => `${state}\nClick to open Sightline, drag to move.`,
  },
  dialogs: {
    cannotStart: { title: 'Sightline cannot start', text: (error) => `${error}\nInstall Sightline again.` },
    quit: {
      message: 'A contact is being recorded.',
      detail: 'If Sightline quits now, the recording ends here and is uploaded as it is.',
      keep: 'Keep recording',
      end: 'End the recording and quit',
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

export const strings: Strings = english;

/** @param code of a failure, or of another program's error */
export function problemText(code: string): string {
  return (strings.problems as Readonly<Record<string, string>>)[code] ?? strings.unknownProblem;
}
