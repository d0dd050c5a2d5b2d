// What crosses between the main process and the indicator's page: its own small map beside ipc.ts. The page writes down
// what it is told; the only thing that it counts by itself is the seconds since it was told.

import { z } from 'zod';
import { PAGE_ROOT } from './ipc.ts';

export const INDICATOR_PAGE = `${PAGE_ROOT}indicator.html`;

export type IndicatorTone = 'starting' | 'recording' | 'suspended' | 'paused' | 'problem';

export interface IndicatorView {
  /** The revision of the status hub: a lower one than that on show is old news. */
  readonly rev: number;
  readonly tone: IndicatorTone;
  /** One word in capitals. */
  readonly label: string;
  /** Why, or what is wrong; null when the word says it all. */
  readonly detail: string | null;
  /** How long the oldest contact has been recorded, as of now; null: no time is shown. */
  readonly elapsedMs: number | null;
  readonly shrunk: boolean;
  /** Only where policy `indicator` is `optional`. */
  readonly mayHide: boolean;
}

export interface IndicatorRequests {
  'indicator.get': () => IndicatorView | null;
  'indicator.shrink': (shrunk: boolean) => void;
  /** Refused without an answer where it may not be hidden. */
  'indicator.hide': () => void;
  /** How far it has been dragged since the drag began, in the page's own pixels; `done` when it was let go. */
  'indicator.move': (x: number, y: number, done: boolean) => void;
}

export interface IndicatorPushes {
  'indicator.changed': (view: IndicatorView) => void;
}

const distance = z.number().int().min(-100_000).max(100_000);

/** The arguments of each request: they come from another process and are parsed on arrival. */
export const indicatorArguments: {
  readonly [C in keyof IndicatorRequests]: z.ZodType<Parameters<IndicatorRequests[C]>>;
} = {
  'indicator.get': z.tuple([]),
  'indicator.shrink': z.tuple([z.boolean()]),
  'indicator.hide': z.tuple([]),
  'indicator.move': z.tuple([distance, distance, z.boolean()]),
};

/** `window.sightlineIndicator`: all that the page can reach. */
export interface IndicatorBridge {
  get(): Promise<IndicatorView | null>;
  onView(listener: (view: IndicatorView) => void): void;
  shrink(shrunk: boolean): Promise<void>;
  hide(): Promise<void>;
  move(x: number, y: number, done: boolean): Promise<void>;
}
