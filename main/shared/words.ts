// Every word of the tray, the indicator and the system's dialogs, in one catalogue (the window has one of its own in
// renderer/strings.ts). Another language is another object of the same type: what has a figure or a name in it is a
// function, so that each language can put it where it belongs.

import type { IndicatorTone } from './indicatorIpc.ts';

export interface Words {
  /** BCP 47. */
  readonly language: string;
  readonly state: {
    readonly idle: string;
    readonly starting: string;
    readonly recording: (contacts: number) => string;
    /** While none of the contacts is being recorded itself, but capture is on for them. */
    readonly recordingForNone: string;
    readonly ending: string;
    readonly suspended: string;
    readonly suspendedByAgent: string;
    readonly paused: (why: string) => string;
    readonly pausedUnknown: string;
    readonly problem: (why: string) => string;
    readonly notCaptured: string;
    readonly noEncoder: string;
  };
  readonly deliveries: {
    readonly waiting: (recordings: number) => string;
    readonly failed: (recordings: number) => string;
    readonly together: (parts: readonly string[]) => string;
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
    /** Of the menu bar that macOS shows. */
    readonly quitInMenuBar: string;
  };
  readonly indicator: {
    readonly labels: Readonly<Record<IndicatorTone, string>>;
    readonly askedByPage: string;
    /** For those who hear it and do not see it. */
    readonly heading: string;
    readonly elapsed: string;
    readonly details: string;
    readonly hide: string;
  };
  readonly dialogs: {
    readonly cannotStart: { readonly title: string; readonly text: (error: string) => string };
    readonly quit: {
      readonly message: string;
      readonly detail: string;
      readonly keep: string;
      readonly end: string;
    };
    readonly exportDiagnostics: {
      readonly title: string;
      readonly zip: string;
      readonly failed: string;
    };
  };
}

const english: Words = {
  language: 'en',
  state: {
    idle: 'Not recording',
    starting: 'Starting to record',
    recording: (contacts) => `Recording ${counted(contacts, 'contact')}`,
    recordingForNone: 'Recording',
    ending: 'Recording is coming to its end',
    suspended: 'Suspended: nothing is captured',
    suspendedByAgent: 'Suspended by you: nothing is captured',
    paused: (why) => `Paused: ${why}`,
    pausedUnknown: 'nothing is captured',
    problem: (why) => `Problem: ${why}`,
    notCaptured: 'The screen is not being captured. It is tried again until it works.',
    noEncoder: 'There is no video encoder. Contacts cannot be recorded until Sightline is installed again.',
  },
  deliveries: {
    waiting: (recordings) => `Delivering ${counted(recordings, 'recording')}`,
    failed: (recordings) => `${counted(recordings, 'recording')} not delivered yet, tried again`,
    together: (parts) => parts.join('; '),
    because: (what, why) => `${what}: ${why}`,
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
    askedByPage: 'The page asked for it.',
    heading: 'What Sightline is capturing',
    elapsed: 'Recorded for',
    details: 'Details',
    hide: 'Hide the indicator',
  },
  dialogs: {
    cannotStart: {
      title: 'Sightline cannot start',
      text: (error) => `${error}\nInstall Sightline again.`,
    },
    quit: {
      message: 'A contact is being recorded.',
      detail: 'If Sightline quits now, the recording ends here and is delivered as it is.',
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

export const words: Words = english;
