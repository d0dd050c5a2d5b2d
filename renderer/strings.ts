// Every text of the window that is not in main/shared/strings.ts. Another language is another object of the same type: a
// text with a number or a name in it is a function, so that each language can place it.

import type { Channel, GapReason, RecordingState } from '../main/shared/names.ts';
import type { ShownCheck, ShownContact, ShownRecording, ShownUpload } from '../main/shared/overview.ts';

const english = {
  /** BCP 47; dates and numbers follow it. */
  language: 'en',
  windowTitle: (state: string) => `Sightline: ${state}`,
  loading: 'Loading…',
  noAnswer: 'Sightline does not answer. Start it again.',
  failedRequest: 'That did not work. Close this window, open it again and try once more.',
  nothingCaptured: 'Nothing is captured.',
  reasonGiven: (reason: string) => `Reason: ${reason}`,
  suspend: 'Suspend recording',
  resume: 'Resume recording',
  refused: 'Sightline refused: nothing can be suspended or resumed now, or your company does not permit it.',
  supportDetails: (code: string) => `Details for support: ${code}`,
  contacts: {
    title: 'Contacts',
    unnamed: 'Contact',
    channels: { VOICE: 'Call', CHAT: 'Chat', TASK: 'Task' } satisfies Record<Channel, string>,
    states: {
      starting: 'Starting',
      recording: 'Recording',
      suspended: 'Suspended',
      paused: 'Paused',
      problem: 'Not captured',
      stopping: 'Finishing',
    } satisfies Record<RecordingState, string>,
    noFrame: 'Waiting for the first frame.',
    suspendedBy: {
      page: 'Suspended by the page',
      agent: 'Suspended by you',
      sightline: 'Suspended by Sightline after a restart',
      'other-contact': 'Another contact is suspended, so nothing is captured',
    } satisfies Record<NonNullable<ShownContact['suspension']>['by'], string>,
    because: (what: string, reason: string) => `${what}: ${reason}`,
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
      disconnected: 'Remote desktop disconnected',
      asleep: 'Computer asleep',
      'spool-full': 'Disk full',
      unreadable: 'Unreadable',
    } satisfies Record<GapReason, string>,
    total: (what: string, duration: string) => `${what} ${duration}`,
    label: (contact: string, totals: string) => `Timeline of ${contact}: ${totals}`,
    asText: 'Timeline as text',
    piece: (what: string, from: string, to: string) => `${what} from ${from} to ${to}`,
    continues: (what: string, from: string) => `${what} since ${from}`,
  },
  uploads: {
    title: 'Uploads',
    states: {
      live: 'Uploading during the contact',
      waiting: 'Queued',
      sending: 'Uploading',
      resting: 'Retrying automatically',
    } satisfies Record<ShownUpload['state'], string>,
    sentOf: (sent: string, total: string) => `${sent} of ${total}`,
    sent: (sent: string) => `${sent} so far`,
    speed: (perSecond: string) => `${perSecond}/s`,
    stalled: 'no progress',
    nextTry: (time: string, attempts: number) => `${counted(attempts, 'attempt')}, next at ${time}.`,
    bar: (contact: string) => `Upload of ${contact}`,
  },
  recordings: {
    title: 'Recent recordings',
    openAll: 'Open recordings folder',
    statuses: {
      INITIATED: 'Started',
      COMPLETED: 'Complete',
      PUBLISHED: 'Uploaded',
      FAILED: 'Failed',
    } satisfies Record<ShownRecording['status'], string>,
    pending: 'Upload pending',
    retry: 'Retry now',
    retryLabel: (contact: string) => `Retry now: upload of ${contact}`,
    retrying: (contact: string) => `Retrying the upload of ${contact}.`,
    nothingToRetry: (contact: string) => `The upload of ${contact} is no longer pending.`,
    openFolder: 'Open folder',
    openFolderLabel: (contact: string) => `Open folder of ${contact}`,
    noFolder: 'This folder no longer exists.',
  },
  checks: {
    title: 'Health checks',
    never: 'Not run yet. They take a few seconds and change nothing.',
    run: 'Run checks',
    running: 'Running the checks.',
    allPassed: (checks: number, time: string) => `All ${checks} checks passed at ${time}.`,
    found: (failed: number, warnings: number, time: string) =>
      `${[...(failed > 0 ? [`${failed} failed`] : []), ...(warnings > 0 ? [counted(warnings, 'warning')] : [])].join(', ')} at ${time}.`,
    others: (passed: number, skipped: number) =>
      `${passed} passed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    verdicts: { ok: 'OK', warning: 'Warning', failed: 'Failed', skipped: 'Skipped' } satisfies Record<
      ShownCheck['verdict'],
      string
    >,
    remedy: (what: string) => `What to do: ${what}`,
    impossible: 'The checks could not be run.',
  },
  screen: {
    title: 'Recorded monitors',
    none: 'No monitor is switched on.',
    monitor: (name: string, width: number, height: number) => `${name}, ${width} × ${height}`,
    primary: 'main monitor',
    leftOut: 'not recorded',
    layout: (count: number) => `Layout of ${count === 1 ? 'the monitor' : `${count} monitors`}`,
  },
  support: {
    title: 'Support',
    technical: 'Technical details',
    encoder: 'Encoder',
    noEncoder: 'None found yet',
    encoderValue: (name: string, ffmpegVersion: string) => `${name} (ffmpeg ${ffmpegVersion})`,
    frameRate: 'Frame rate',
    fps: (fps: number) => `${fps} fps`,
    port: 'Port',
    notListening: 'not listening',
    unknown: 'Not known yet',
    exportDiagnostics: 'Export diagnostics',
    exporting: 'Exporting the diagnostics.',
    exported: (file: string) => `The diagnostics are in ${file}.`,
    exportFailed: (message: string) => `The diagnostics could not be exported: ${message}`,
  },
};

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export type Strings = typeof english;
export const strings: Strings = english;
