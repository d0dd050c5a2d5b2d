// What crosses between the main process and a window: one map from channel to signature for requests, one for pushes.
// The main process owns the state; a window asks for it once and is told of each change. The preload takes only types
// from here (a sandboxed preload is one small file without zod).

import { z } from 'zod';
import type { AppState } from './names.ts';
import type {
  ShownAbout,
  ShownCheck,
  ShownChecks,
  ShownContact,
  ShownRecording,
  ShownScreen,
  ShownUpload,
} from './overview.ts';
import type { Moment } from './time.ts';

/** Our pages come from `sightline://app/` and nowhere else; nothing else is ever loaded. */
export const PAGE_SCHEME = 'sightline';
export const PAGE_ROOT = 'sightline://app/';

/** Which of the icons says it; each has a shape of its own (resources/icons/tray). */
export type StateIcon = 'idle' | 'starting' | 'recording' | 'suspended' | 'uploading' | 'problem';

/** The state in words, as tray and window show it. */
export interface StateInWords {
  readonly icon: StateIcon;
  readonly words: string;
  /** Of the words, why it is paused or a problem, for whoever has a label of its own; null otherwise. */
  readonly why: string | null;
  /** What to do about a problem, or more about it; null when the words say it all. */
  readonly detail: string | null;
  /** null when nothing waits for delivery. */
  readonly uploads: string | null;
}

/** Everything that a window is told. */
export interface ShownState {
  /** Rises with every change of anything below: a lower one than that on show is old news. */
  readonly rev: number;
  /** By the clock of all times below; a window counts on from it by itself. */
  readonly now: Moment;
  readonly state: AppState;
  readonly inWords: StateInWords;
  readonly contacts: readonly ShownContact[];
  readonly uploads: readonly ShownUpload[];
  /** The newest first. */
  readonly recordings: readonly ShownRecording[];
  readonly checks: ShownChecks;
  readonly screen: ShownScreen;
  readonly about: ShownAbout;
}

/** What came of an export of diagnostics. */
export type ExportOutcome =
  | { readonly status: 'saved'; readonly file: string }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly message: string };

/** What a window may ask of the main process. */
export interface Requests {
  'state.get': () => ShownState;
  /** @returns whether there was anything to try; what comes of it is in the state */
  'recordings.retry': (recordingId: string) => boolean;
  /** null: the folder of all of them. @returns whether there is such a folder */
  'recordings.openFolder': (recordingId: string | null) => Promise<boolean>;
  /** Is in the state as well, for every window. */
  'checks.run': () => Promise<readonly ShownCheck[]>;
  'diagnostics.export': () => Promise<ExportOutcome>;
}

/** What the main process tells a window. */
export interface Pushes {
  'state.changed': (state: ShownState) => void;
}

const recordingId = z.string().min(1).max(128);

/** The arguments of each request: they come from another process and are parsed on arrival. */
export const requestArguments: { readonly [C in keyof Requests]: z.ZodType<Parameters<Requests[C]>> } = {
  'state.get': z.tuple([]),
  'recordings.retry': z.tuple([recordingId]),
  'recordings.openFolder': z.tuple([recordingId.nullable()]),
  'checks.run': z.tuple([]),
  'diagnostics.export': z.tuple([]),
};

/** `window.sightline`: all that a page can reach. */
export interface SightlineBridge {
  getState(): Promise<ShownState>;
  /** @returns the way to end it */
  onState(listener: (state: ShownState) => void): () => void;
  retryRecording(recordingId: string): Promise<boolean>;
  openFolder(recordingId: string | null): Promise<boolean>;
  runChecks(): Promise<readonly ShownCheck[]>;
  exportDiagnostics(): Promise<ExportOutcome>;
}
