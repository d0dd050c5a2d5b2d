// The error classes and their stable codes. A code never changes its meaning; the message says what happened and what to
// do next, and never contains a secret (it is sent to the page, logged, and put into diagnostics).

/** AWS's failure codes (the set-up guide of Amazon Connect's screen recording) and ours, with the source of the fault. */
export const errorSources = {
  CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED: 'CLIENT',
  CLIENT_APP_NOT_RUNNING: 'CLIENT',
  CLIENT_UNSUPPORTED_OS: 'CLIENT',
  CLIENT_AUTH_ERROR: 'CLIENT',
  CLIENT_CONNECTION_ERROR: 'CLIENT',
  MULTIPLE_CCP_INTERACTION: 'CLIENT',
  USER_ERROR: 'CLIENT',
  SERVICE_ISSUE: 'SERVICE',
  UNKNOWN: 'UNKNOWN',
  INVALID_MESSAGE: 'CLIENT',
  NOT_READY: 'CLIENT',
  UNKNOWN_CONTACT: 'CLIENT',
  TOO_MANY_REQUESTS: 'CLIENT',
  CAPTURE_FAILED: 'CLIENT',
  CAPTURE_TIMEOUT: 'CLIENT',
  ENCODER_UNAVAILABLE: 'CLIENT',
  NO_DISPLAY: 'CLIENT',
  WAYLAND_UNSUPPORTED: 'CLIENT',
  SPOOL_FULL: 'CLIENT',
  SPOOL_UNREADABLE: 'CLIENT',
  SUSPEND_FAILED: 'CLIENT',
  UPLOAD_FAILED: 'CLIENT',
  ENCRYPTION_NOT_CONFIRMED: 'CLIENT',
  /** Of the port only: the body of a 403. */
  PEER_REFUSED: 'CLIENT',
  EVENTS_NOT_WRITTEN: 'CLIENT',
  SINK_CHANGED: 'CLIENT',
  /** Of the diagnostics bundle only. */
  DISK_FULL: 'CLIENT',
  BUNDLE_NOT_WRITTEN: 'CLIENT',
  /** Of the start only: the app's window and log; the command line has exit code 64 instead. */
  POLICY_INVALID: 'CLIENT',
  /** Of the log only: a warning. */
  POLICY_VALUE_IGNORED: 'CLIENT',
  /** Of `sightline browser-policy` only. */
  NEEDS_ADMINISTRATOR: 'CLIENT',
  BROWSER_POLICY_NOT_WRITTEN: 'CLIENT',
  /** Of `sightline review` only; its page has codes of its own (review/contract.ts). */
  REVIEW_NOT_STARTED: 'CLIENT',
} as const;

export type ErrorCode = keyof typeof errorSources;
export type ErrorSource = 'CLIENT' | 'SERVICE' | 'UNKNOWN';

/** What leaves the process: an error reply, a FAILED event, a line of diagnostics. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly source: ErrorSource;
}

export class SightlineError extends Error {
  override readonly name = 'SightlineError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What is wrong with the settings: names every wrong key, where its value came from, and why: one line each. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly code = 'POLICY_INVALID' satisfies ErrorCode;
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[]) {
    const all = typeof problems === 'string' ? [problems] : problems;
    super(all.join('\n'));
    this.problems = all;
  }
}

export function failure(code: ErrorCode, message: string): Failure {
  return { code, message, source: errorSources[code] };
}

/** The message of any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Any thrown value as a failure. Foreign errors become `fallback` with their own message. */
export function toFailure(error: unknown, fallback: ErrorCode = 'UNKNOWN'): Failure {
  if (error instanceof SightlineError || error instanceof PolicyError)
    return failure(error.code, error.message);
  return failure(fallback, errorMessage(error));
}

/** The errno name of a Node system error (`ENOSPC`, `EACCES`, ...), or undefined. */
export function errno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** For the end of an exhaustive switch: the compiler refuses to reach it. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
