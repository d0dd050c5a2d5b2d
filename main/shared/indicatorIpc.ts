// What crosses between the main process and the indicator's page: a small map beside ipc.ts. The page shows what it
// receives and counts only the seconds since then.

import { z } from 'zod';
import type { AgentOffer } from './ipc.ts';
import { PAGE_ROOT } from './ipc.ts';

export const INDICATOR_PAGE = `${PAGE_ROOT}indicator.html`;

export type IndicatorTone = 'starting' | 'recording' | 'suspended' | 'paused' | 'problem';

export interface IndicatorView {
  /** The revision of the status hub: the page drops a view with a lower one. */
  readonly rev: number;
  readonly tone: IndicatorTone;
  /** One word in capitals. */
  readonly label: string;
  /** Why, or what is wrong; null: nothing to add. */
  readonly detail: string | null;
  /** How long it has been so by now; of a recording, since the start of the oldest contact. null: no time is shown. */
  readonly elapsedMs: number | null;
  readonly agent: AgentOffer;
  readonly shrunk: boolean;
  /** Only where policy `indicator` is `optional`. */
  readonly mayHide: boolean;
}

export interface IndicatorRequests {
  'indicator.get': () => IndicatorView | null;
  /** The agent's own suspension begins or ends. @returns whether that was done: policy may refuse it */
  'indicator.suspend': (suspended: boolean) => Promise<boolean>;
  'indicator.shrink': (shrunk: boolean) => void;
  /** Ignored where the indicator may not be hidden. */
  'indicator.hide': () => void;
  /** Opens the status window. */
  'indicator.open': () => void;
  /** How far it has been dragged since the drag began, in the page's pixels; `done`: it was dropped. */
  'indicator.move': (x: number, y: number, done: boolean) => void;
  /** How wide its content is, in the page's pixels. */
  'indicator.fit': (width: number) => void;
}

export interface IndicatorPushes {
  'indicator.changed': (view: IndicatorView) => void;
}

/** A page cannot make the indicator too small to be seen. */
export const INDICATOR_WIDTH = { min: 56, max: 440 };

const distance = z.number().int().min(-100_000).max(100_000);

/** The arguments of each request: they come from another process and are parsed on arrival. */
export const indicatorArguments: {
  readonly [C in keyof IndicatorRequests]: z.ZodType<Parameters<IndicatorRequests[C]>>;
} = {
  'indicator.get': z.tuple([]),
  'indicator.suspend': z.tuple([z.boolean()]),
  'indicator.shrink': z.tuple([z.boolean()]),
  'indicator.hide': z.tuple([]),
  'indicator.open': z.tuple([]),
  'indicator.move': z.tuple([distance, distance, z.boolean()]),
  'indicator.fit': z.tuple([z.number().int().min(INDICATOR_WIDTH.min).max(INDICATOR_WIDTH.max)]),
};

/** `window.sightlineIndicator`: all that the page can reach. */
export interface IndicatorBridge {
  get(): Promise<IndicatorView | null>;
  onView(listener: (view: IndicatorView) => void): void;
  suspend(suspended: boolean): Promise<boolean>;
  shrink(shrunk: boolean): Promise<void>;
  hide(): Promise<void>;
  open(): Promise<void>;
  move(x: number, y: number, done: boolean): Promise<void>;
  fit(width: number): Promise<void>;
}
