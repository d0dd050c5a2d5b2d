// What the status window shows of the services, as plain data. Of a contact it has ids, queue, channel and times; never
// its attributes, which are about the customer.

import type { Channel, EncoderName, GapReason, Monitor, PlacedMonitor, RecordingState } from './names.ts';
import type { StateReason } from './protocol.ts';
import type { Moment } from './time.ts';

/** A part of a contact's capture timeline; `to` is null for the one that goes on. */
export type ShownPiece =
  | { readonly kind: 'run'; readonly from: Moment; readonly to: Moment | null }
  | { readonly kind: 'gap'; readonly reason: GapReason; readonly from: Moment; readonly to: Moment | null };

/** By what an agent recognizes a contact. */
export interface ContactName {
  readonly contactId: string;
  /** null where it is not known. */
  readonly channel: Channel | null;
  readonly queue: string | null;
  /** Of the first frame, or of the request or event before it; null where it is not known. */
  readonly startTime: Moment | null;
}

export interface ShownContact {
  readonly name: ContactName;
  readonly recordingId: string;
  readonly state: RecordingState;
  readonly stateSince: Moment;
  /** What suspends it; `other-contact`: a suspension of another contact, which blocks capture for all. */
  readonly suspension: {
    readonly by: 'page' | 'agent' | 'sightline' | 'other-contact';
    /** That the page gave. */
    readonly reason: string | null;
  } | null;
  /** In order and without a hole, from the start on; runs that follow each other at once are one piece. */
  readonly pieces: readonly ShownPiece[];
}

export interface ShownUpload {
  readonly name: ContactName;
  readonly recordingId: string;
  /** `live`: its contact continues. `resting`: an attempt failed, and the next one is scheduled. */
  readonly state: 'live' | 'waiting' | 'sending' | 'resting';
  /** Announced as FAILED; still retried. */
  readonly failed: boolean;
  readonly attempts: number;
  readonly reason: StateReason | null;
  readonly nextTryAt: Moment | null;
  /** null before anything was sent. */
  readonly progress: {
    readonly sentBytes: number;
    /** null while it is not known. */
    readonly totalBytes: number | null;
    readonly bytesPerSecond: number;
  } | null;
}

export interface ShownRecording {
  readonly name: ContactName;
  readonly recordingId: string;
  readonly status: 'INITIATED' | 'COMPLETED' | 'PUBLISHED' | 'FAILED';
  /** Of its newest event. */
  readonly at: Moment;
  /** null until it has ended. */
  readonly durationMs: number | null;
  /** Complete, in the spool, and not uploaded yet. */
  readonly waiting: boolean;
  /** Its next attempt is scheduled and can be made now. */
  readonly canRetry: boolean;
  readonly reason: StateReason | null;
  /** Where it was uploaded to; null before. */
  readonly location: string | null;
  /** Whether that is a folder that can be opened here. */
  readonly hasFolder: boolean;
}

/** As main/diagnostics/checks.ts has it. */
export interface ShownCheck {
  readonly step: number;
  readonly name: string;
  readonly verdict: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly evidence: string;
  /** What to do; empty when there is nothing to do. */
  readonly remedy: string;
}

export type ShownChecks =
  | { readonly status: 'never' }
  | { readonly status: 'running' }
  | { readonly status: 'done'; readonly at: Moment; readonly results: readonly ShownCheck[] }
  | { readonly status: 'impossible'; readonly message: string };

export type ShownMonitors =
  | { readonly status: 'unknown' }
  /** No monitor is on. */
  | { readonly status: 'none' }
  | {
      readonly status: 'known';
      readonly recorded: readonly PlacedMonitor[];
      /** More than policy allows. */
      readonly leftOut: readonly Monitor[];
    }
  | { readonly status: 'unreachable'; readonly message: string };

export interface ShownScreen {
  readonly monitors: ShownMonitors;
  readonly encoder: {
    readonly name: EncoderName;
    readonly ffmpegVersion: string;
    readonly ffmpegPath: string;
    /** Of an encoder other than the preferred one. */
    readonly warning: string | null;
  } | null;
  readonly fps: number | null;
}

export interface ShownAbout {
  /** The app's own first. */
  readonly versions: readonly { readonly name: string; readonly version: string }[];
  /** null while nothing listens. */
  readonly port: number | null;
  readonly sinkIsFolder: boolean;
}
