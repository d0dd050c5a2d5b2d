// Whether the agent is absent from this screen: it is locked, another user's session is in front, the remote desktop is
// disconnected, or the computer sleeps. Reported by logind.ts on Linux, windowsSession.ts on Windows, and here by Electron's
// powerMonitor on macOS.

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

/** What is used of Electron's PowerMonitor. */
export interface PowerMonitorSource {
  on(event: PowerEvent, listener: () => void): unknown;
  removeListener(event: PowerEvent, listener: () => void): unknown;
  /** `locked` at any threshold, which is in seconds. */
  getSystemIdleState(idleThreshold: number): string;
}

type PowerEvent =
  | 'lock-screen'
  | 'unlock-screen'
  | 'suspend'
  | 'resume'
  | 'user-did-resign-active'
  | 'user-did-become-active';

/**
 * An unlocked screen, or a user who has come back to it, is a machine that is awake: a `resume` that got lost costs the
 * time until the next unlock, not the rest of the day.
 */
const meanings: Readonly<Record<PowerEvent, Readonly<Partial<Record<AbsenceReason, boolean>>>>> = {
  'lock-screen': { locked: true },
  'unlock-screen': { locked: false, asleep: false },
  suspend: { asleep: true },
  resume: { asleep: false },
  'user-did-resign-active': { 'switched-away': true },
  'user-did-become-active': { 'switched-away': false, asleep: false },
};

/** Any value: only `locked` is of interest. */
const IDLE_THRESHOLD_SECONDS = 60;

export function powerMonitorWatch(source: PowerMonitorSource): StartSessionWatch {
  return ({ onChange, log }) => {
    const absences = new AbsenceSet(onChange);
    const listeners = (Object.keys(meanings) as PowerEvent[]).map((event) => ({
      event,
      listener: () => {
        log.debug('The system reported a change of the session', { event });
        absences.update(meanings[event]);
      },
    }));
    for (const { event, listener } of listeners) source.on(event, listener);
    if (source.getSystemIdleState(IDLE_THRESHOLD_SECONDS) === 'locked') absences.update({ locked: true });
    return Promise.resolve({
      stop: () => {
        for (const { event, listener } of listeners) source.removeListener(event, listener);
        return Promise.resolve();
      },
    });
  };
}
