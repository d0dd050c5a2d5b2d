// What the status window shows of the services, as plain data. Of a contact it has the ids, the channel and the times,
// nothing else: no attribute, no queue, no customer.

import type { Channel, EncoderName, GapReason, Monitor, PlacedMonitor, RecordingState } from './names.ts';
import type { Moment } from './time.ts';

/** A part of a contact's capture timeline; `to` is null for the one that goes on. */
export type ShownPiece =
  | { readonly kind: 'run'; readonly from: Moment; readonly to: Moment | null }
  | { readonly kind: 'gap'; readonly reason: GapReason; readonly from: Moment; readonly to: Moment | null };

export interface ShownContact {
  readonly contactId: string;
  readonly recordingId: string;
  readonly state: RecordingState;
  /** null where nobody knows it. */
  readonly channel: Channel | null;
  /** null until its first frame is in. */
  readonly startTime: Moment | null;
  /** In order and without a hole, from the start on; runs that follow each other at once are one piece. */
  readonly pieces: readonly ShownPiece[];
}

export interface ShownUpload {
  readonly recordingId: string;
  readonly contactId: string;
  /** `live`: its contact goes on. `resting`: has failed and waits for its next try. */
  readonly state: 'live' | 'waiting' | 'sending' | 'resting';
  /** Announced as FAILED; tried on all the same. */
  readonly failed: boolean;
  readonly attempts: number;
  readonly reason: { readonly code: string; readonly message: string } | null;
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
  readonly recordingId: string;
  readonly contactId: string;
  readonly status: 'INITIATED' | 'COMPLETED' | 'PUBLISHED' | 'FAILED';
  /** Of its newest event. */
  readonly at: Moment;
  /** Complete, in the spool, and not delivered yet. */
  readonly waiting: boolean;
  /** It waits for its next try, which can be had now. */
  readonly canRetry: boolean;
  readonly reason: { readonly code: string; readonly message: string } | null;
  /** Where it was delivered to; null before. */
  readonly location: string | null;
  /** Whether that is a folder which can be opened here. */
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

/** The desk as it is recorded. */
export type ShownMonitors =
  | { readonly status: 'unknown' }
  /** The platform tells no layout: the whole desktop is recorded. */
  | { readonly status: 'whole' }
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
    /** Where it is not the one that Sightline is made for. */
    readonly warning: string | null;
  } | null;
  readonly fps: number | null;
}

export interface ShownAbout {
  /** The app's own first. */
  readonly versions: readonly { readonly name: string; readonly version: string }[];
  /** null while nothing listens. */
  readonly port: number | null;
  readonly canExportDiagnostics: boolean;
  readonly sinkIsFolder: boolean;
}
