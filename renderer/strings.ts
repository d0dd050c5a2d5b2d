// Every word of the window, in one catalogue. Another language is another object of the same type: what has a figure or
// a name in it is a function, so that each language can put it where it belongs.

import type { Channel, GapReason, RecordingState } from '../main/shared/names.ts';
import type { ShownCheck, ShownRecording, ShownUpload } from '../main/shared/overview.ts';

export interface Strings {
  /** BCP 47; dates and figures follow it. */
  readonly language: string;
  readonly windowTitle: (state: string) => string;
  readonly asking: string;
  readonly noAnswer: string;
  readonly failedRequest: string;
  readonly contacts: {
    readonly title: string;
    readonly none: string;
    readonly channels: Readonly<Record<Channel, string>>;
    readonly states: Readonly<Record<RecordingState, string>>;
    readonly elapsed: (duration: string) => string;
    readonly notBegun: string;
  };
  readonly timeline: {
    readonly recorded: string;
    readonly gaps: Readonly<Record<GapReason, string>>;
    readonly total: (what: string, duration: string) => string;
    readonly label: (contactId: string, totals: string) => string;
    readonly inWords: string;
    readonly piece: (what: string, from: string, to: string) => string;
    readonly goesOn: (what: string, from: string) => string;
  };
  readonly uploads: {
    readonly title: string;
    readonly none: string;
    readonly states: Readonly<Record<ShownUpload['state'], string>>;
    readonly sentOf: (sent: string, total: string) => string;
    readonly sent: (sent: string) => string;
    readonly speed: (perSecond: string) => string;
    readonly standsStill: string;
    readonly nextTry: (time: string, attempts: number) => string;
    readonly bar: (contactId: string) => string;
  };
  readonly recordings: {
    readonly title: string;
    readonly none: string;
    readonly openAll: string;
    readonly statuses: Readonly<Record<ShownRecording['status'], string>>;
    readonly waiting: string;
    readonly retry: string;
    readonly retryLabel: (contactId: string) => string;
    readonly retrying: (contactId: string) => string;
    readonly nothingToRetry: (contactId: string) => string;
    readonly openFolder: string;
    readonly openFolderLabel: (contactId: string) => string;
    readonly noFolder: string;
  };
  readonly checks: {
    readonly title: string;
    readonly never: string;
    readonly run: string;
    readonly running: string;
    readonly done: (ok: number, all: number, time: string) => string;
    readonly verdicts: Readonly<Record<ShownCheck['verdict'], string>>;
    readonly remedy: (what: string) => string;
    readonly impossible: (message: string) => string;
  };
  readonly screen: {
    readonly title: string;
    readonly monitors: string;
    readonly unknown: string;
    readonly whole: string;
    readonly none: string;
    readonly monitor: (name: string, width: number, height: number) => string;
    readonly primary: string;
    readonly leftOut: string;
    readonly layout: (count: number) => string;
    readonly encoder: string;
    readonly noEncoder: string;
    readonly encoderValue: (name: string, ffmpegVersion: string) => string;
    readonly rate: string;
    readonly perSecond: (fps: number) => string;
  };
  readonly about: {
    readonly title: string;
    readonly port: string;
    readonly notListening: string;
    readonly exportDiagnostics: string;
    readonly exporting: string;
    readonly exported: (file: string) => string;
    readonly exportFailed: (message: string) => string;
  };
}

const english: Strings = {
  language: 'en',
  windowTitle: (state) => `Sightline: ${state}`,
  asking: 'Asking for the state',
  noAnswer: 'Sightline does not answer. Start it again.',
  failedRequest: 'That did not work. Close this window, open it again and try once more.',
  contacts: {
    title: 'Contacts',
    none: 'No contact is open.',
    channels: { VOICE: 'Call', CHAT: 'Chat', TASK: 'Task' },
    states: {
      starting: 'Starting',
      recording: 'Recording',
      suspended: 'Suspended',
      paused: 'Paused',
      problem: 'Not captured',
      stopping: 'Coming to its end',
    },
    elapsed: (duration) => `for ${duration}`,
    notBegun: 'The first picture is not in yet.',
  },
  timeline: {
    recorded: 'Recorded',
    gaps: {
      suspended: 'Suspended',
      interrupted: 'Interrupted',
      'display-changed': 'Display changed',
      'display-unavailable': 'No display',
      'app-restarted': 'Sightline restarted',
      locked: 'Screen locked',
      'switched-away': 'Another user at the screen',
      asleep: 'Computer asleep',
      'spool-full': 'Disk full',
      unreadable: 'Unreadable',
    },
    total: (what, duration) => `${what} ${duration}`,
    label: (contactId, totals) => `Timeline of contact ${contactId}: ${totals}`,
    inWords: 'Timeline in words',
    piece: (what, from, to) => `${what} from ${from} to ${to}`,
    goesOn: (what, from) => `${what} since ${from}`,
  },
  uploads: {
    title: 'Deliveries',
    none: 'Nothing waits to be delivered.',
    states: {
      live: 'On its way during the contact',
      waiting: 'Waits for its turn',
      sending: 'On its way',
      resting: 'Waits for its next try',
    },
    sentOf: (sent, total) => `${sent} of ${total}`,
    sent: (sent) => `${sent} so far`,
    speed: (perSecond) => `${perSecond}/s`,
    standsStill: 'nothing is moving',
    nextTry: (time, attempts) => `Tried ${attempts === 1 ? 'once' : `${attempts} times`}, next at ${time}.`,
    bar: (contactId) => `Delivery of contact ${contactId}`,
  },
  recordings: {
    title: 'Recent recordings',
    none: 'No recordings yet.',
    openAll: 'Open recordings folder',
    statuses: {
      INITIATED: 'Begun',
      COMPLETED: 'Complete',
      PUBLISHED: 'Delivered',
      FAILED: 'Failed',
    },
    waiting: 'Not delivered yet',
    retry: 'Try now',
    retryLabel: (contactId) => `Try now to deliver contact ${contactId}`,
    retrying: (contactId) => `The recording of contact ${contactId} is being tried now.`,
    nothingToRetry: (contactId) => `Nothing of contact ${contactId} waits any more.`,
    openFolder: 'Open folder',
    openFolderLabel: (contactId) => `Open folder of contact ${contactId}`,
    noFolder: 'That folder is not there any more.',
  },
  checks: {
    title: 'Health checks',
    never: 'Not run yet. They take a few seconds and change nothing.',
    run: 'Run checks',
    running: 'The checks are running.',
    done: (ok, all, time) => `${ok} of ${all} are fine, as of ${time}.`,
    verdicts: { ok: 'Fine', warning: 'Warning', failed: 'Failed', skipped: 'Not run' },
    remedy: (what) => `What to do: ${what}`,
    impossible: (message) => `The checks could not be run: ${message}`,
  },
  screen: {
    title: 'What is recorded',
    monitors: 'Monitors',
    unknown: 'Not known yet.',
    whole: 'The whole desktop.',
    none: 'No monitor is switched on.',
    monitor: (name, width, height) => `${name}, ${width} × ${height}`,
    primary: 'main monitor',
    leftOut: 'not recorded',
    layout: (count) => `Layout of ${count === 1 ? 'the monitor' : `${count} monitors`}`,
    encoder: 'Encoder',
    noEncoder: 'None found yet.',
    encoderValue: (name, ffmpegVersion) => `${name} (ffmpeg ${ffmpegVersion})`,
    rate: 'Pictures',
    perSecond: (fps) => `${fps} a second`,
  },
  about: {
    title: 'About',
    port: 'Port',
    notListening: 'not listening',
    exportDiagnostics: 'Export diagnostics',
    exporting: 'The diagnostics are being put together.',
    exported: (file) => `The diagnostics are in ${file}.`,
    exportFailed: (message) => `The diagnostics could not be exported: ${message}`,
  },
};

export const strings: Strings = english;
