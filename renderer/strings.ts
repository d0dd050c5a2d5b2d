// Every text of the window that is not in main/shared/strings.ts. Another language is another object of the same type: a
// text with a number or a name in it is a function, so that each language can place it.

import type { Channel, GapReason, RecordingState } from '../main/shared/names.ts';
import type { ShownCheck, ShownContact, ShownRecording, ShownUpload } from '../main/shared/overview.ts';

type SuspendedBy = NonNullable<ShownContact['suspension']>['by'];

export interface Strings {
  /** BCP 47; dates and numbers follow it. */
  readonly language: string;
  readonly windowTitle: (state: string) => string;
  readonly loading: string;
  readonly noAnswer: string;
  readonly failedRequest: string;
  readonly nothingCaptured: string;
  readonly reasonGiven: (reason: string) => string;
  readonly suspend: string;
  readonly resume: string;
  readonly refused: string;
  readonly supportDetails: (code: string) => string;
  readonly contacts: {
    readonly title: string;
    readonly unnamed: string;
    readonly channels: Readonly<Record<Channel, string>>;
    readonly states: Readonly<Record<RecordingState, string>>;
    readonly noFrame: string;
    readonly suspendedBy: Readonly<Record<SuspendedBy, string>>;
    readonly because: (what: string, reason: string) => string;
  };
  readonly timeline: {
    readonly recorded: string;
    readonly gaps: Readonly<Record<GapReason, string>>;
    readonly total: (what: string, duration: string) => string;
    readonly label: (contact: string, totals: string) => string;
    readonly asText: string;
    readonly piece: (what: string, from: string, to: string) => string;
    readonly continues: (what: string, from: string) => string;
  };
  readonly uploads: {
    readonly title: string;
    readonly states: Readonly<Record<ShownUpload['state'], string>>;
    readonly sentOf: (sent: string, total: string) => string;
    readonly sent: (sent: string) => string;
    readonly speed: (perSecond: string) => string;
    readonly stalled: string;
    readonly nextTry: (time: string, attempts: number) => string;
    readonly bar: (contact: string) => string;
  };
  readonly recordings: {
    readonly title: string;
    readonly openAll: string;
    readonly statuses: Readonly<Record<ShownRecording['status'], string>>;
    readonly pending: string;
    readonly retry: string;
    readonly retryLabel: (contact: string) => string;
    readonly retrying: (contact: string) => string;
    readonly nothingToRetry: (contact: string) => string;
    readonly openFolder: string;
    readonly openFolderLabel: (contact: string) => string;
    readonly noFolder: string;
  };
  readonly checks: {
    readonly title: string;
    readonly never: string;
    readonly run: string;
    readonly running: string;
    readonly allPassed: (checks: number, time: string) => string;
    readonly found: (failed: number, warnings: number, time: string) => string;
    readonly others: (passed: number, skipped: number) => string;
    readonly verdicts: Readonly<Record<ShownCheck['verdict'], string>>;
    readonly remedy: (what: string) => string;
    readonly impossible: string;
  };
  readonly screen: {
    readonly title: string;
    readonly whole: string;
    readonly none: string;
    readonly monitor: (name: string, width: number, height: number) => string;
    readonly primary: string;
    readonly leftOut: string;
    readonly layout: (count: number) => string;
  };
  readonly support: {
    readonly title: string;
    readonly technical: string;
    readonly encoder: string;
    readonly noEncoder: string;
    readonly encoderValue: (name: string, ffmpegVersion: string) => string;
    readonly frameRate: string;
    readonly fps: (fps: number) => string;
    readonly port: string;
    readonly notListening: string;
    readonly unknown: string;
    readonly exportDiagnostics: string;
    readonly exporting: string;
    readonly exported: (file: string) => string;
    readonly exportFailed: (message: string) => string;
  };
}

const english: Strings = {
  language: 'en',
  windowTitle: (state) => `Sightline: ${state}`,
  loading: 'Loading…',
  noAnswer: 'Sightline does not answer. Start it again.',
  failedRequest: 'That did not work. Close this window, open it again and try once more.',
  nothingCaptured: 'Nothing is captured.',
  reasonGiven: (reason) => `Reason: ${reason}`,
  suspend: 'Suspend recording',
  resume: 'Resume recording',
  refused: 'Sightline refused: nothing can be suspended or resumed now, or your company does not permit it.',
  supportDetails: (code) => `Details for support: ${code}`,
  contacts: {
    title: 'Contacts',
    unnamed: 'Contact',
    channels: { VOICE: 'Call', CHAT: 'Chat', TASK: 'Task' },
    states: {
      starting: 'Starting',
      recording: 'Recording',
      suspended: 'Suspended',
      paused: 'Paused',
      problem: 'Not captured',
      stopping: 'Finishing',
    },
    noFrame: 'Waiting for the first frame.',
    suspendedBy: {
      page: 'Suspended by the page',
      agent: 'Suspended by you',
      sightline: 'Suspended by Sightline after a restart',
      'other-contact': 'Another contact is suspended, so nothing is captured',
    },
    because: (what, reason) => `${what}: ${reason}`,
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
    label: (contact, totals) => `Timeline of ${contact}: ${totals}`,
    asText: 'Timeline as text',
    piece: (what, from, to) => `${what} from ${from} to ${to}`,
    continues: (what, from) => `${what} since ${from}`,
  },
  uploads: {
    title: 'Uploads',
    states: {
      live: 'Uploading during the contact',
      waiting: 'Queued',
      sending: 'Uploading',
      resting: 'Retrying automatically',
    },
    sentOf: (sent, total) => `${sent} of ${total}`,
    sent: (sent) => `${sent} so far`,
    speed: (perSecond) => `${perSecond}/s`,
    stalled: 'no progress',
    nextTry: (time, attempts) => `${counted(attempts, 'attempt')}, next at ${time}.`,
    bar: (contact) => `Upload of ${contact}`,
  },
  recordings: {
    title: 'Recent recordings',
    openAll: 'Open recordings folder',
    statuses: { INITIATED: 'Started', COMPLETED: 'Complete', PUBLISHED: 'Uploaded', FAILED: 'Failed' },
    pending: 'Upload pending',
    retry: 'Retry now',
    retryLabel: (contact) => `Retry now: upload of ${contact}`,
    retrying: (contact) => `Retrying the upload of ${contact}.`,
    nothingToRetry: (contact) => `The upload of ${contact} is no longer pending.`,
    openFolder: 'Open folder',
    openFolderLabel: (contact) => `Open folder of ${contact}`,
    noFolder: 'This folder no longer exists.',
  },
  checks: {
    title: 'Health checks',
    never: 'Not run yet. They take a few seconds and change nothing.',
    run: 'Run checks',
    running: 'Running the checks.',
    allPassed: (checks, time) => `All ${checks} checks passed at ${time}.`,
    found: (failed, warnings, time) =>
      `${[...(failed > 0 ? [`${failed} failed`] : []), ...(warnings > 0 ? [counted(warnings, 'warning')] : [])].join(', ')} at ${time}.`,
    others: (passed, skipped) => `${passed} passed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    verdicts: { ok: 'OK', warning: 'Warning', failed: 'Failed', skipped: 'Skipped' },
    remedy: (what) => `What to do: ${what}`,
    impossible: 'The checks could not be run.',
  },
  screen: {
    title: 'Recorded monitors',
    whole: 'The whole desktop.',
    none: 'No monitor is switched on.',
    monitor: (name, width, height) => `${name}, ${width} × ${height}`,
    primary: 'main monitor',
    leftOut: 'not recorded',
    layout: (count) => `Layout of ${count === 1 ? 'the monitor' : `${count} monitors`}`,
  },
  support: {
    title: 'Support',
    technical: 'Technical details',
    encoder: 'Encoder',
    noEncoder: 'None found yet',
    encoderValue: (name, ffmpegVersion) => `${name} (ffmpeg ${ffmpegVersion})`,
    frameRate: 'Frame rate',
    fps: (fps) => `${fps} fps`,
    port: 'Port',
    notListening: 'not listening',
    unknown: 'Not known yet',
    exportDiagnostics: 'Export diagnostics',
    exporting: 'Exporting the diagnostics.',
    exported: (file) => `The diagnostics are in ${file}.`,
    exportFailed: (message) => `The diagnostics could not be exported: ${message}`,
  },
};

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export const strings: Strings = english;
