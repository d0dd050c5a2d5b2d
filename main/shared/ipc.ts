// What crosses between the main process and a window: one map from channel to signature for requests, one for pushes.
// The main process owns the state; a window asks for it once and is told of each change. The preload takes only types
// from here (a sandboxed preload is one small file without zod).

import { z } from 'zod';
import type { AppState, EncoderName } from './names.ts';
import type { OpenRecording } from './protocol.ts';

/** Our pages come from `sightline://app/` and nowhere else; nothing else is ever loaded. */
export const PAGE_SCHEME = 'sightline';
export const PAGE_ROOT = 'sightline://app/';

/** Which of the icons says it; each has a shape of its own (resources/icons/tray). */
export type StateIcon = 'idle' | 'starting' | 'recording' | 'suspended' | 'uploading' | 'problem';

/** The state in words, as tray and window show it. */
export interface StateInWords {
  readonly icon: StateIcon;
  readonly words: string;
  /** What to do about a problem, or more about it; null when the words say it all. */
  readonly detail: string | null;
  /** null when nothing waits for delivery. */
  readonly uploads: string | null;
}

/** Everything that a window is told. */
export interface ShownState {
  /** The revision of the status hub, 0 before there is one: a lower one than that on show is old news. */
  readonly rev: number;
  readonly state: AppState;
  readonly inWords: StateInWords;
  readonly contacts: readonly OpenRecording[];
  readonly about: AboutApp;
}

export interface AboutApp {
  readonly version: string;
  /** null while nothing listens. */
  readonly port: number | null;
  /** null while it is not known. */
  readonly encoder: EncoderName | null;
}

/** What a window may ask of the main process. */
export interface Requests {
  'state.get': () => ShownState;
}

/** What the main process tells a window. */
export interface Pushes {
  'state.changed': (state: ShownState) => void;
}

/** The arguments of each request: they come from another process and are parsed on arrival. */
export const requestArguments: { readonly [C in keyof Requests]: z.ZodType<Parameters<Requests[C]>> } = {
  'state.get': z.tuple([]),
};

/** `window.sightline`: all that a page can reach. */
export interface SightlineBridge {
  getState(): Promise<ShownState>;
  /** @returns the way to end it */
  onState(listener: (state: ShownState) => void): () => void;
}
