// Whether this computer's clock is right: by the time that a server told, or by the service that sets it.

import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning, wordsOf } from '../check.ts';

export interface ToldTime {
  /** Who told it. */
  readonly by: string;
  /** This computer's clock less theirs; positive: it is fast. */
  readonly offsetMs: number;
  /** How far that may be off: a Date header has whole seconds. */
  readonly toleranceMs: number;
}

export interface TimeService {
  readonly name: string;
  readonly isSynchronised: boolean;
  /** null: it does not say. */
  readonly offsetMs: number | null;
}

export interface ClockSubject {
  /** null: no server was asked. */
  readonly told: () => Promise<ToldTime | null>;
  /** null: no such service is known here. */
  readonly service: () => Promise<TimeService | null>;
}

/** S3 refuses what is signed with a clock that is further off. */
const REFUSED_MS = 15 * 60_000;
const MUCH_MS = 5000;
const SET_IT =
  'Have this computer set its clock from the network ("Set time automatically" in Windows and macOS; timesyncd or chrony on Linux).';

export function clockCheck({ told, service }: ClockSubject): Check {
  return {
    name: 'clock',
    run: async () => {
      const [time, keeper] = await Promise.all([told(), service().catch((error: unknown) => wordsOf(error))]);
      const known = typeof keeper === 'string' ? null : keeper;
      return judge(time, known);
    },
  };
}

function judge(time: ToldTime | null, keeper: TimeService | null): Finding {
  const kept =
    keeper === null ? '' : `${keeper.name}: ${keeper.isSynchronised ? 'synchronised' : 'not synchronised'}`;
  const off = time?.offsetMs ?? keeper?.offsetMs ?? null;
  const evidence = [time === null ? '' : describe(time), kept].filter((words) => words !== '').join('; ');
  if (time === null && keeper === null) {
    return skipped('no server was asked, and no time service is known here');
  }
  if (off !== null && Math.abs(off) > REFUSED_MS)
    return failed(
      evidence,
      `AWS takes nothing from a computer whose clock is more than 15 minutes off. ${SET_IT}`,
    );
  if (off !== null && Math.abs(off) > MUCH_MS) {
    return warning(evidence, `Recordings and events carry wrong times. ${SET_IT}`);
  }
  if (time === null && keeper?.isSynchronised === false) return warning(evidence, SET_IT);
  return ok(evidence);
}

function describe({ by, offsetMs, toleranceMs }: ToldTime): string {
  if (Math.abs(offsetMs) <= toleranceMs) return `right to ${(toleranceMs / 1000).toFixed(1)} s by ${by}`;
  const off = Math.abs(offsetMs) / 1000;
  return `${off.toFixed(1)} s ${offsetMs > 0 ? 'fast' : 'slow'} by ${by}`;
}
