// A health check: a name, and one look at the machine that ends in a verdict, what was found, and what to do. A check removes
// what it creates, and its evidence contains no secret and no frame.

import { errorMessage } from '../shared/errors.ts';

/** As process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `skipped`: not applicable, or not possible now; the evidence says why. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly verdict: Verdict;
  readonly evidence: string;
  /** What to do; empty when there is nothing to do. */
  readonly remedy: string;
}

export interface Check {
  readonly name: string;
  /** An exception is reported as a failed check. */
  readonly run: () => Promise<Finding> | Finding;
}

export interface CheckResult extends Finding {
  /** From 1. */
  readonly step: number;
  readonly name: string;
}

type WithRemedy = (evidence: string, remedy: string) => Finding;
const finding =
  (verdict: Verdict) =>
  (evidence: string, remedy = '') => ({ verdict, evidence, remedy });

export const ok = finding('ok');
export const skipped = finding('skipped');
export const warning: WithRemedy = finding('warning');
export const failed: WithRemedy = finding('failed');

/** What `look` finds. When it throws, the check has failed. @param prefix of the error's message in the evidence */
export async function orFailed(
  prefix: string,
  remedy: string,
  look: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    return failed(`${prefix}${errorMessage(error)}`, remedy);
  }
}

/** `1 event`, `2 events` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function inGiB(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** `a, b and 3 more` */
export function shortList(texts: readonly string[], max: number): string {
  const more = texts.length - max;
  return `${texts.slice(0, max).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
