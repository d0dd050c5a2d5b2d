// The indicator as data: what it says for a state, on which monitors, and where. Pure. What it says follows the hub's
// state, which follows the capture: "REC" from the first frame in the spool, "SUSPENDED" once no capture process is left.

import { physicalBounds } from '../platform/electronScreen.ts';
import type { IndicatorTone, IndicatorView } from '../shared/indicatorIpc.ts';
import type { StateInWords } from '../shared/ipc.ts';
import type { Monitor, Rect } from '../shared/names.ts';
import type { AppStatePush } from '../shared/protocol.ts';
import { words } from '../shared/words.ts';

/** The policy key `indicator`. */
export type IndicatorPolicy = 'required' | 'optional' | 'off';

/** What the agent has chosen, and where the pill was put on each monitor. */
export interface IndicatorChoices {
  readonly shrunk: boolean;
  readonly hidden: boolean;
  /** By the display's id. */
  readonly places: Readonly<Record<string, Place>>;
}

/** Of the room that the work area leaves, from 0 (left, top) to 1: it holds for another resolution as well. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface DisplayArea {
  readonly id: number;
  /** In physical pixels, as the grabber counts. */
  readonly physical: Rect;
  readonly primary: boolean;
}

export const DEFAULT_CHOICES: IndicatorChoices = { shrunk: false, hidden: false, places: {} };
/** Bottom right, a little away from the edges: over the least of most pages. */
const DEFAULT_PLACE: Place = { x: 0.99, y: 0.98 };
const FULL = { width: 340, height: 36 };
const SHRUNK = { width: 116, height: 36 };
const DETAIL_LENGTH = 200;

export interface IndicatorInput {
  readonly state: AppStatePush;
  readonly inWords: StateInWords;
  readonly elapsedMs: number | null;
  readonly policy: IndicatorPolicy;
  readonly choices: Pick<IndicatorChoices, 'shrunk' | 'hidden'>;
}

/** @returns null where there is nothing to show: at rest, by policy, or by the agent's choice where policy leaves it */
export function indicatorView(input: IndicatorInput): IndicatorView | null {
  const { state, inWords, policy, choices } = input;
  if (policy === 'off' || (policy === 'optional' && choices.hidden)) return null;
  const { rev } = state;
  const rest = { rev, elapsedMs: null, shrunk: choices.shrunk, mayHide: policy === 'optional' };
  const { labels, askedByPage } = words.indicator;
  const say = (tone: IndicatorTone, detail: string | null): IndicatorView => {
    const cut = detail === null || detail.length <= DETAIL_LENGTH;
    return {
      ...rest,
      tone,
      label: labels[tone],
      detail: cut ? detail : `${detail.slice(0, DETAIL_LENGTH - 1)}…`,
    };
  };
  switch (state.state) {
    case 'idle':
      // A service that did not start is shown; a delivery that waits is the tray's and the window's business.
      return inWords.why === null ? null : say('problem', inWords.why);
    case 'starting':
      return say('starting', null);
    case 'recording':
      return { ...say('recording', null), elapsedMs: input.elapsedMs };
    case 'suspended':
      return say('suspended', state.reason?.message ?? askedByPage);
    case 'paused':
      return say('paused', inWords.why);
    case 'problem':
      return say('problem', inWords.why);
  }
}

/**
 * The displays that are recorded, or will be: rather one too many than one too few.
 * @param recorded as capture told of them; empty before the first run
 */
export function displaysToMark(recorded: readonly Monitor[], displays: readonly DisplayArea[]): number[] {
  const marked = displays.filter(({ physical }) => recorded.some((monitor) => isOn(monitor, physical)));
  const enough = marked.length === recorded.length && marked.length > 0;
  return (enough ? marked : displays).map(({ id }) => id);
}

/** Whether the monitor's middle is on the display. */
function isOn(monitor: Rect, display: Rect): boolean {
  const x = monitor.x + monitor.width / 2;
  const y = monitor.y + monitor.height / 2;
  return x >= display.x && x < display.x + display.width && y >= display.y && y < display.y + display.height;
}

/** Where the pill is on a monitor: whole, within the work area, whatever was remembered. */
export function boundsOn(workArea: Rect, choices: IndicatorChoices, displayId: number): Rect {
  const size = choices.shrunk ? SHRUNK : FULL;
  const place = choices.places[String(displayId)] ?? DEFAULT_PLACE;
  const room = roomIn(workArea, size);
  return {
    x: Math.round(workArea.x + share(place.x) * room.x),
    y: Math.round(workArea.y + share(place.y) * room.y),
    ...size,
  };
}

/** What to remember of a place to which it was dragged. */
export function placeOf(workArea: Rect, bounds: Rect): Place {
  const room = roomIn(workArea, bounds);
  return {
    x: room.x === 0 ? 1 : share((bounds.x - workArea.x) / room.x),
    y: room.y === 0 ? 1 : share((bounds.y - workArea.y) / room.y),
  };
}

function roomIn(workArea: Rect, size: { width: number; height: number }): Place {
  return { x: Math.max(0, workArea.width - size.width), y: Math.max(0, workArea.height - size.height) };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** Where a display is in pixels, as the capture counts them on this platform, so that the two rectangles are the same. */
export function physicalRect(
  screen: Parameters<typeof physicalBounds>[0],
  display: Parameters<typeof physicalBounds>[1],
  platform: NodeJS.Platform,
): Rect {
  if (platform === 'win32') return physicalBounds(screen, display);
  const { x, y, width, height } = display.bounds;
  const scale = platform === 'darwin' ? 1 : display.scaleFactor;
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}
