// A seeded agent's day in fast motion, as a list of actions with their times since the start of a scene. The same seed
// gives the same list; page.html plays it. Plain data: no browser, no clock.
import { Dice } from '../../soak/common.ts';

export const sceneNames = ['nothing', 'typing', 'browsing', 'chat', 'video', 'mixed'] as const;
export type DeskScene = (typeof sceneNames)[number];

/** Text sizes in pixels whose legibility is measured. */
export type TextSize = 9 | 11;

export type Action = { readonly atMs: number } & (
  | { readonly do: 'page'; readonly customer: number }
  | { readonly do: 'scroll'; readonly top: number }
  | { readonly do: 'type'; readonly into: TextSize; readonly text: string }
  | { readonly do: 'message'; readonly from: 'customer' | 'agent'; readonly text: string }
  | { readonly do: 'dots'; readonly on: boolean }
  | { readonly do: 'video'; readonly on: boolean }
);

/** No text changes from `fromMs` to `toMs`, at least a second. A video may go on. */
export interface Rest {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Customer {
  readonly name: string;
  readonly hue: number;
  readonly rows: readonly (readonly string[])[];
  /** Lines of known text, each shown once at 9 and once at 11 pixels. */
  readonly lines: readonly string[];
}

export interface Day {
  readonly scene: DeskScene;
  readonly actions: readonly Action[];
  readonly rests: readonly Rest[];
  readonly customers: readonly Customer[];
}

/** The screen is settled for this long from time to time: the player shows text after a second of rest. */
export const REST_MS = 1_500;
const CUSTOMERS = 24;
const SCROLL_PIXELS = 60;
const SCROLL_TICK_MS = 100;
const LINE_LENGTH = 46;

/** mixed: typing, nothing, paging and scrolling, nothing, in the proportions 15 : 10 : 20 : 15. */
const mixedParts: readonly (readonly [DeskScene, number])[] = [
  ['typing', 15 / 60],
  ['nothing', 10 / 60],
  ['browsing', 20 / 60],
  ['nothing', 15 / 60],
];

export function dayOf(scene: DeskScene, seed: number, seconds: number): Day {
  const dice = new Dice(seed);
  const customers = Array.from({ length: CUSTOMERS }, () => customerOf(dice));
  const { actions, rests } = play(scene, dice, 0, seconds * 1000);
  return { scene, actions, rests, customers };
}

interface Played {
  readonly actions: Action[];
  readonly rests: Rest[];
}

function play(scene: DeskScene, dice: Dice, fromMs: number, toMs: number): Played {
  switch (scene) {
    case 'nothing':
      return { actions: [], rests: [{ fromMs, toMs }] };
    case 'typing':
      return cycles(fromMs, toMs, (atMs, untilMs) => typing(dice, atMs, untilMs));
    case 'browsing':
      return cycles(fromMs, toMs, (atMs, untilMs) => browsing(dice, atMs, untilMs));
    case 'chat':
      return cycles(fromMs, toMs, (atMs, untilMs) => chat(dice, atMs, untilMs));
    case 'video':
      return { actions: [{ atMs: fromMs, do: 'video', on: true }], rests: [{ fromMs, toMs }] };
    case 'mixed':
      return mixed(dice, fromMs, toMs);
  }
}

function mixed(dice: Dice, fromMs: number, toMs: number): Played {
  const all: Played = { actions: [], rests: [] };
  let atMs = fromMs;
  for (const [scene, share] of mixedParts) {
    const untilMs = atMs + share * (toMs - fromMs);
    const part = play(scene, dice, atMs, untilMs);
    all.actions.push(...part.actions);
    all.rests.push(...part.rests);
    atMs = untilMs;
  }
  return all;
}

/** Activity of 5 to 8 s, then a rest, again and again; the last one ends early. */
function cycles(fromMs: number, toMs: number, activity: (atMs: number, untilMs: number) => Action[]): Played {
  const all: Played = { actions: [], rests: [] };
  const lengthMs = 6_500 + REST_MS;
  const count = Math.max(1, Math.floor((toMs - fromMs) / lengthMs));
  const stepMs = (toMs - fromMs) / count;
  for (let index = 0; index < count; index += 1) {
    const atMs = fromMs + index * stepMs;
    const restMs = atMs + stepMs - REST_MS;
    all.actions.push(...activity(atMs, restMs).filter((one) => one.atMs < restMs));
    all.rests.push({ fromMs: restMs, toMs: atMs + stepMs });
  }
  return all;
}

/** Whole lines, five keys a second, alternately into the notes of 11 and of 9 pixels. */
function typing(dice: Dice, fromMs: number, untilMs: number): Action[] {
  const actions: Action[] = [];
  let atMs = fromMs;
  for (let line = 0; atMs < untilMs; line += 1) {
    const into: TextSize = line % 2 === 0 ? 11 : 9;
    for (const text of `${words(dice, 22)}\n`) {
      atMs += dice.between(100, 260);
      actions.push({ atMs, do: 'type', into, text });
    }
  }
  return actions;
}

/** A page, two or three bursts of the wheel, the next page. */
function browsing(dice: Dice, fromMs: number, untilMs: number): Action[] {
  const actions: Action[] = [];
  for (let atMs = fromMs; atMs < untilMs;) {
    actions.push({ atMs, do: 'page', customer: Math.floor(dice.between(0, CUSTOMERS)) });
    let top = 0;
    for (let burst = Math.floor(dice.between(2, 4)); burst > 0; burst -= 1) {
      atMs += dice.between(300, 700);
      for (let tick = Math.floor(dice.between(5, 10)); tick > 0; tick -= 1) {
        atMs += SCROLL_TICK_MS;
        top += SCROLL_PIXELS;
        actions.push({ atMs, do: 'scroll', top });
      }
    }
    atMs += dice.between(400, 800);
  }
  return actions;
}

/** The customer writes (three dots move), then the agent answers key by key. */
function chat(dice: Dice, fromMs: number, untilMs: number): Action[] {
  const actions: Action[] = [];
  let atMs = fromMs;
  while (atMs < untilMs) {
    actions.push({ atMs, do: 'dots', on: true });
    atMs += dice.between(1_200, 2_000);
    actions.push({ atMs, do: 'dots', on: false });
    actions.push({ atMs, do: 'message', from: 'customer', text: words(dice, LINE_LENGTH) });
    const answer = words(dice, 16);
    for (const text of answer) {
      atMs += dice.between(80, 200);
      actions.push({ atMs, do: 'type', into: 11, text });
    }
    atMs += 200;
    actions.push({ atMs, do: 'message', from: 'agent', text: answer });
  }
  // The dots do not move during the rest.
  actions.push({ atMs: untilMs - 1, do: 'dots', on: false });
  return actions;
}

const vocabulary =
  'account address agent amount arrived billing branch called cancel change charged claim closed contract customer delayed ' +
  'delivery deposit details document email estimate expired factory follow friday invoice letter limit market meeting monday ' +
  'monthly number office opened order package paid payment pending phone please policy premium printed product promised ' +
  'quarter receipt record refund region renewed repair reply report request return review sent service shipped signed status ' +
  'street support ticket transfer tuesday updated urgent vendor version visit waiting warranty website weekly without written';
const list = vocabulary.split(' ');

/** At most `length` characters; numbers among the words. */
export function words(dice: Dice, length: number): string {
  let text = '';
  for (;;) {
    const next =
      dice.next() < 0.15
        ? String(Math.floor(dice.between(1000, 99_999)))
        : list[Math.floor(dice.between(0, list.length))];
    const longer = text === '' ? (next ?? '') : `${text} ${next ?? ''}`;
    if (longer.length > length) return text;
    text = longer;
  }
}

function customerOf(dice: Dice): Customer {
  return {
    name: words(dice, 18),
    hue: Math.floor(dice.between(0, 360)),
    rows: Array.from({ length: 60 }, () => [
      String(Math.floor(dice.between(100_000, 999_999))),
      ...[words(dice, 14), words(dice, 30), words(dice, 22)],
      `${dice.between(1, 900).toFixed(2)} EUR`,
      ['open', 'closed', 'pending'][Math.floor(dice.between(0, 3))] ?? '',
    ]),
    lines: Array.from({ length: 30 }, () => words(dice, LINE_LENGTH)),
  };
}
