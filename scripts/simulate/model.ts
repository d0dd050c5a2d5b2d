// What simulated desks do, and when: pure and seeded. Sizes are measured (docs/performance.md, docs/deploy.md "Bandwidth"); how long
// contacts last and how many there are depends on the contact center and is an assumption here, which docs/capacity.md repeats.

/** kB a recorded minute of each scene (`npm run bench:desk`), and its share of a day: together a mixed day's 690 kB a minute. */
export const SCENES = [
  { name: 'typing', kBAMinute: 34, share: 0.44 },
  { name: 'chats', kBAMinute: 108, share: 0.2 },
  { name: 'video', kBAMinute: 480, share: 0.1 },
  { name: 'paging', kBAMinute: 2300, share: 0.26 },
] as const;
/** Of each contact, one monitor; measured. */
export const FIRST_FRAME_KB = 280;
/** Assumed: the median and the spread of a log-normal distribution with a mean of 5.5 minutes, and its longest contact. */
export const CONTACT = { medianS: 240, sigma: 0.8, longestS: 3600 } as const;
/** Assumed: the share of an agent's time in contacts. */
export const OCCUPANCY = 0.8;
/** Assumed: sign-ins, reloads and reconnections of a page. Each asks the authorizer once at most (docs/auth.md). */
export const HELLOS_AN_HOUR = 4;
/** With policy `heartbeat`: every hour; changes add some (docs/status-events.md). */
export const HEARTBEATS_AN_HOUR = 1;

export const MEAN_CONTACT_S = CONTACT.medianS * Math.exp(CONTACT.sigma ** 2 / 2);

export interface Contact {
  readonly desk: number;
  /** In the order of starts on its desk. */
  readonly number: number;
  readonly sizeBytes: number;
  readonly lengthS: number;
}

export type Action =
  | { readonly atS: number; readonly kind: 'hello'; readonly desk: number }
  | { readonly atS: number; readonly kind: 'heartbeat'; readonly desk: number }
  | {
      readonly atS: number;
      readonly kind: 'start' | 'stop';
      readonly desk: number;
      readonly contact: Contact;
    };

export interface ScheduleOptions {
  readonly agents: number;
  readonly seconds: number;
  readonly seed: number;
  /** All desks sign in, at random, within `seconds`, and begin a contact. Otherwise they have worked for hours. */
  readonly shiftStart?: boolean;
}

/** mulberry32: numbers from 0 to below 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In the order of time, from 0 to below `seconds`. */
export function schedule({ agents, seconds, seed, shiftStart = false }: ScheduleOptions): Action[] {
  const actions: Action[] = [];
  for (let desk = 0; desk < agents; desk += 1) {
    // Each desk has its own numbers: more desks do not change the others.
    const random = seeded(seed * 1_000_003 + desk);
    const signedInS = shiftStart ? random() * seconds : 0;
    if (shiftStart)
      actions.push(
        { atS: signedInS, kind: 'hello', desk },
        { atS: signedInS, kind: 'heartbeat', desk }, // within 10 s of the start
      );
    else
      for (const [kind, anHour] of [
        ['hello', HELLOS_AN_HOUR],
        ['heartbeat', HEARTBEATS_AN_HOUR],
      ] as const)
        for (
          let atS = exponential(random, 3600 / anHour);
          atS < seconds;
          atS += exponential(random, 3600 / anHour)
        )
          actions.push({ atS, kind, desk });
    contactsOf(desk, random, shiftStart ? signedInS : -WARM_UP_S * (1 + random()), seconds, actions);
  }
  return actions.filter(({ atS }) => atS >= 0 && atS < seconds).sort((one, other) => one.atS - other.atS);
}

/** So long before the first second desks began, so that any moment of a contact is as likely as another. */
const WARM_UP_S = 3600;

function contactsOf(
  desk: number,
  random: () => number,
  beginS: number,
  endS: number,
  actions: Action[],
): void {
  const pauseS = (MEAN_CONTACT_S * (1 - OCCUPANCY)) / OCCUPANCY;
  for (let atS = beginS, number = 0; atS < endS; number += 1) {
    const contact = drawContact(random, desk, number);
    actions.push({ atS, kind: 'start', desk, contact });
    atS += contact.lengthS;
    actions.push({ atS, kind: 'stop', desk, contact });
    atS += exponential(random, pauseS);
  }
}

/** Every minute of a contact is one of the scenes. */
export function drawContact(random: () => number, desk: number, number: number): Contact {
  const lengthS = Math.min(CONTACT.longestS, CONTACT.medianS * Math.exp(CONTACT.sigma * normal(random)));
  let kB = FIRST_FRAME_KB;
  for (let leftS = lengthS; leftS > 0; leftS -= 60) kB += drawScene(random) * Math.min(1, leftS / 60);
  return { desk, number, lengthS, sizeBytes: Math.round(kB * 1000) };
}

function drawScene(random: () => number): number {
  let left = random();
  for (const { kBAMinute, share } of SCENES) {
    left -= share;
    if (left < 0) return kBAMinute;
  }
  return 0; // the shares are 1 together
}

export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Box and Muller's method. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
