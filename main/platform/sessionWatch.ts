// The port through which the platform tells that nobody can be at this screen: it is locked, another user's session is
// in front, or the machine sleeps. Adapters: logind.ts (Linux), powerMonitor.ts (Windows, macOS).

import type { Logger } from './log.ts';

export const absenceReasons = ['locked', 'switched-away', 'asleep'] as const;
export type AbsenceReason = (typeof absenceReasons)[number];

export interface SessionWatch {
  /** Nothing is told any more once this has been called. */
  stop(): Promise<void>;
}

export interface SessionWatchOptions {
  /**
   * The whole set that holds now, in the order of `absenceReasons`: at once when it is not empty at the start, then
   * on every change, and never the same set twice in a row.
   */
  readonly onChange: (absences: readonly AbsenceReason[]) => void;
  readonly log: Logger;
}

export type StartSessionWatch = (options: SessionWatchOptions) => Promise<SessionWatch>;

/** What holds now. Tells changes only, several that come together as one. */
export class AbsenceSet {
  private held: ReadonlySet<AbsenceReason> = new Set();

  constructor(private readonly onChange: SessionWatchOptions['onChange']) {}

  /** Reasons that `changes` does not name stay as they are. */
  update(changes: Readonly<Partial<Record<AbsenceReason, boolean>>>): void {
    const next = absenceReasons.filter((reason) => changes[reason] ?? this.held.has(reason));
    if (next.length === this.held.size && next.every((reason) => this.held.has(reason))) return;
    this.held = new Set(next);
    this.onChange(next);
  }

  add(reason: AbsenceReason): void {
    this.update({ [reason]: true });
  }

  remove(reason: AbsenceReason): void {
    this.update({ [reason]: false });
  }
}
