// Whether the agent is absent from this screen: it is locked, another user's session is in front, the remote desktop is
// disconnected, or the computer sleeps. Reported by logind.ts on Linux and windowsSession.ts on Windows.

import type { Logger } from './log.ts';

export const absenceReasons = ['locked', 'switched-away', 'disconnected', 'asleep'] as const;
export type AbsenceReason = (typeof absenceReasons)[number];

export interface SessionWatch {
  /** No change is reported once this has been called. */
  stop(): Promise<void>;
}

export interface SessionWatchOptions {
  /**
   * All reasons that apply now, in the order of `absenceReasons`: at once when there are any at the start, then on every
   * change, and never the same set twice in a row.
   */
  readonly onChange: (absences: readonly AbsenceReason[]) => void;
  readonly log: Logger;
}

export type StartSessionWatch = (options: SessionWatchOptions) => Promise<SessionWatch>;

/** The reasons that apply now. Reports changes only, several at once as one. */
export class AbsenceSet {
  private current: ReadonlySet<AbsenceReason> = new Set();

  constructor(private readonly onChange: SessionWatchOptions['onChange']) {}

  /** Reasons that `changes` does not name stay as they are. */
  update(changes: Readonly<Partial<Record<AbsenceReason, boolean>>>): void {
    const next = absenceReasons.filter((reason) => changes[reason] ?? this.current.has(reason));
    if (next.length === this.current.size && next.every((reason) => this.current.has(reason))) return;
    this.current = new Set(next);
    this.onChange(next);
  }
}
