// What crosses between the main process and the status window: one map from channel to signature for requests, one for
// pushes. The main process owns the state; the window gets each change of it. The preload takes only types from here (a
// sandboxed preload is one small file without zod).

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
import type { StateReason } from './protocol.ts';
import type { Moment } from './time.ts';

/** All pages come from `sightline://app/`; nothing else is ever loaded. */
export const PAGE_SCHEME = 'sightline';
export const PAGE_ROOT = 'sightline://app/';
export const STATUS_PAGE = `${PAGE_ROOT}index.html`;

/** Each has a separate shape (resources/icons/tray). */
export type StateIcon = 'idle' | 'starting' | 'recording' | 'suspended' | 'uploading' | 'problem';

/** What the agent may do: a suspension may be ended even where policy no longer allows one. */
export type AgentOffer = 'may-resume' | 'may-suspend' | 'no';

/** The state as text, the same for tray, indicator and window. */
export interface StateText {
  readonly icon: StateIcon;
  /** For example "Recording 2 contacts" or "Problem". */
  readonly title: string;
  /** Why, in plain sentences; of a suspension, the reason that the page gave. null: nothing to add. */
  readonly reason: string | null;
  /** Of a problem, for support. */
  readonly technical: StateReason | null;
  /** null: no uploads are pending. */
  readonly uploads: string | null;
}

/** Everything that the window shows. */
export interface ShownState {
  /** Rises with every change: a window drops a state with a lower one. */
  readonly rev: number;
  /** By the clock of all times below; the window counts on from it. */
  readonly now: Moment;
  readonly state: AppState;
  readonly text: StateText;
  /** Since when it has been so; of a recording, the start of the oldest contact. null: no duration is shown. */
  readonly since: Moment | null;
  readonly agent: AgentOffer;
  readonly contacts: readonly ShownContact[];
  readonly uploads: readonly ShownUpload[];
  /** The newest first. */
  readonly recordings: readonly ShownRecording[];
  readonly checks: ShownChecks;
  readonly screen: ShownScreen;
  readonly about: ShownAbout;
}

export type ExportOutcome =
  | { readonly status: 'saved'; readonly file: string }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly message: string };

/** What the window may request. */
export interface Requests {
  'state.get': () => ShownState;
  /** The agent's own suspension begins or ends. @returns whether that was done: policy may refuse it */
  'capture.suspend': (suspended: boolean) => Promise<boolean>;
  /** @returns whether the recording was pending; the outcome is in the state */
  'recordings.retry': (recordingId: string) => boolean;
  /** null: the folder of all recordings. @returns whether there is such a folder */
  'recordings.openFolder': (recordingId: string | null) => Promise<boolean>;
  /** The results are in the state, too. */
  'checks.run': () => Promise<readonly ShownCheck[]>;
  'diagnostics.export': () => Promise<ExportOutcome>;
}

export interface Pushes {
  'state.changed': (state: ShownState) => void;
}

const recordingId = z.string().min(1).max(128);

/** The arguments of each request: they come from another process and are parsed on arrival. */
export const requestArguments: { readonly [C in keyof Requests]: z.ZodType<Parameters<Requests[C]>> } = {
  'state.get': z.tuple([]),
  'capture.suspend': z.tuple([z.boolean()]),
  'recordings.retry': z.tuple([recordingId]),
  'recordings.openFolder': z.tuple([recordingId.nullable()]),
  'checks.run': z.tuple([]),
  'diagnostics.export': z.tuple([]),
};

/** `window.sightline`: all that the page can reach. */
export interface SightlineBridge {
  getState(): Promise<ShownState>;
  onState(listener: (state: ShownState) => void): void;
  suspend(suspended: boolean): Promise<boolean>;
  retryRecording(recordingId: string): Promise<boolean>;
  openFolder(recordingId: string | null): Promise<boolean>;
  runChecks(): Promise<readonly ShownCheck[]>;
  exportDiagnostics(): Promise<ExportOutcome>;
}
