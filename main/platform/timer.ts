// A timer that a test can replace.

/** Calls back once after so long; @returns the way to cancel it. */
export type SetTimer = (callback: () => void, delayMs: number) => () => void;

/** setTimeout that does not keep the process alive. */
export const plainTimer: SetTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
};
