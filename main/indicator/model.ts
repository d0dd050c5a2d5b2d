// The indicator as data: what it shows for a state, on which monitors, and where. Pure. It follows the hub's state, which
// follows the capture: "REC" from the first frame in the spool, "SUSPENDED" once no capture process is left.

import { physicalBounds } from '../platform/electronScreen.ts';
import type { IndicatorTone, IndicatorView } from '../shared/indicatorIpc.ts';
import { INDICATOR_WIDTH } from '../shared/indicatorIpc.ts';
import type { AgentOffer, StateText } from '../shared/ipc.ts';
import type { Monitor, Rect } from '../shared/names.ts';
import type { AppStatePush } from '../shared/protocol.ts';
import { strings } from '../shared/strings.ts';

/** The policy key `indicator`. */
export type IndicatorPolicy = 'required' | 'optional' | 'off';

/** What the agent has chosen, and where the indicator was put on each monitor. */
export interface IndicatorChoices {
  readonly shrunk: boolean;
  readonly hidden: boolean;
  /** By the display's id. */
  readonly places: Readonly<Record<string, Place>>;
}

/** A share of the space that the work area leaves, from 0 (left, top) to 1: it stays valid at another resolution. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface DisplayArea {
  readonly id: number;
  /** In physical pixels, as the grabber counts. */
  readonly physical: Rect;
}

export const DEFAULT_CHOICES: IndicatorChoices = { shrunk: false, hidden: false, places: {} };
/** Bottom right, a little away from the edges, where it covers the least of most pages. */
const DEFAULT_PLACE: Place = { x: 0.99, y: 0.98 };
const HEIGHT = 36;
const DETAIL_LENGTH = 200;

export interface IndicatorInput {
  readonly state: AppStatePush;
  readonly text: StateText;
  readonly elapsedMs: number | null;
  readonly agent: AgentOffer;
  readonly policy: IndicatorPolicy;
  readonly choices: Pick<IndicatorChoices, 'shrunk' | 'hidden'>;
}

/** @returns null where there is nothing to show: at rest, by policy, or by the agent's choice where policy permits it */
export function indicatorView(input: IndicatorInput): IndicatorView | null {
  const { state, text, elapsedMs, agent, policy, choices } = input;
  if (policy === 'off' || (policy === 'optional' && choices.hidden)) return null;
  const tone = state.state;
  if (tone === 'idle') return null;
  const detail = detailOf(tone, state, text);
  return {
    ...{ rev: state.rev, tone, label: strings.indicator.labels[tone], elapsedMs, agent },
    detail:
      detail === null || detail.length <= DETAIL_LENGTH ? detail : `${detail.slice(0, DETAIL_LENGTH - 1)}…`,
    shrunk: choices.shrunk,
    mayHide: policy === 'optional',
  };
}

function detailOf(tone: IndicatorTone, { reason }: AppStatePush, text: StateText): string | null {
  if (tone !== 'suspended') return text.reason;
  const { byAgent, byPage, byPageBecause } = strings.indicator;
  if (reason?.code === 'agent') return byAgent;
  return text.reason === null ? byPage : byPageBecause(text.reason);
}

/**
 * The displays that are recorded, or will be; in doubt one too many.
 * @param recorded by the newest run; empty before the first
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

/** Where the indicator is on a monitor: always whole and within the work area. @param width default: the widest */
export function boundsOn(
  workArea: Rect,
  { places }: Pick<IndicatorChoices, 'places'>,
  displayId: number,
  width = INDICATOR_WIDTH.max,
): Rect {
  const size = { width: Math.min(width, workArea.width || width), height: HEIGHT };
  const place = places[String(displayId)] ?? DEFAULT_PLACE;
  const space = spaceIn(workArea, size);
  return {
    x: Math.round(workArea.x + share(place.x) * space.x),
    y: Math.round(workArea.y + share(place.y) * space.y),
    ...size,
  };
}

/** Up to what a window system rounds at a scale such as 125 %: to move the window again would not end. */
export function isNearly(bounds: Rect, wanted: Rect): boolean {
  return (['x', 'y', 'width', 'height'] as const).every((side) => Math.abs(bounds[side] - wanted[side]) <= 1);
}

/** The place to which it was dragged. */
export function placeOf(workArea: Rect, bounds: Rect): Place {
  const space = spaceIn(workArea, bounds);
  return {
    x: space.x === 0 ? 1 : share((bounds.x - workArea.x) / space.x),
    y: space.y === 0 ? 1 : share((bounds.y - workArea.y) / space.y),
  };
}

function spaceIn(workArea: Rect, size: { width: number; height: number }): Place {
  return { x: Math.max(0, workArea.width - size.width), y: Math.max(0, workArea.height - size.height) };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** Where a display is in pixels, as capture counts them on this platform, so that the two rectangles are the same. */
export function physicalRect(
  screen: Parameters<typeof physicalBounds>[0],
  display: Parameters<typeof physicalBounds>[1],
  platform: NodeJS.Platform,
): Rect {
  if (platform === 'win32') return physicalBounds(screen, display);
  const { x, y, width, height } = display.bounds;
  const { scaleFactor: scale } = display;
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}
