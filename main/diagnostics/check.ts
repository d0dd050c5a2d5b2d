// What a check is: a name, and one look at the machine that ends in a verdict, what was seen, and what to do. A check
// reads through the interface that it declares; what it makes it takes away again, and no secret or picture is evidence.

/** `skipped`: it does not apply here, or may not be done now; the evidence says why. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly verdict: Verdict;
  readonly evidence: string;
  /** What to do; empty when there is nothing to do. */
  readonly remedy: string;
}

export interface Check {
  readonly name: string;
  /** What it throws is told as its failure. */
  readonly run: () => Promise<Finding> | Finding;
}

export interface CheckResult extends Finding {
  /** From 1 on. */
  readonly step: number;
  readonly name: string;
}

export function ok(evidence: string, remedy = ''): Finding {
  return { verdict: 'ok', evidence, remedy };
}

export function warning(evidence: string, remedy: string): Finding {
  return { verdict: 'warning', evidence, remedy };
}

export function failed(evidence: string, remedy: string): Finding {
  return { verdict: 'failed', evidence, remedy };
}

export function skipped(evidence: string, remedy = ''): Finding {
  return { verdict: 'skipped', evidence, remedy };
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function inGiB(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
