// Time limits for work that cannot be aborted, and a timer that a test can replace.

/**
 * @param onLate makes the error for the caller; the work itself continues
 * @throws what `work` throws, or what `onLate` returns when it takes longer than `limitMs`
 */
export function withDeadline<T>(work: Promise<T>, limitMs: number, onLate: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onLate()), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** @returns the outcome of `work`, or `late` after `ms` milliseconds; the work itself continues. Keeps no process alive. */
export function within<T, L>(work: Promise<T>, ms: number, late: L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late), ms).unref();
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

/** Calls back once after so long; @returns cancels it. */
export type SetTimer = (callback: () => void, delayMs: number) => () => void;

/** setTimeout that does not keep the process alive. */
export const plainTimer: SetTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
};
