// A health check: a name, and one look at the machine that ends in a verdict, what was found, and what to do. A check removes
// what it creates, and its evidence contains no secret and no frame.

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

export const ok = (evidence: string, remedy = ''): Finding => ({ verdict: 'ok', evidence, remedy });
export const warning = (evidence: string, remedy: string): Finding => ({
  verdict: 'warning',
  evidence,
  remedy,
});
export const failed = (evidence: string, remedy: string): Finding => ({
  verdict: 'failed',
  evidence,
  remedy,
});
export const skipped = (evidence: string, remedy = ''): Finding => ({
  verdict: 'skipped',
  evidence,
  remedy,
});

export function inGiB(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
