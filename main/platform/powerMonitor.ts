// Absences on Windows and macOS, from Electron's powerMonitor, which is a parameter: index.ts passes the real one, after
// app.whenReady(). Not for Linux, where it knows of sleep only and logind.ts knows the rest.
// https://www.electronjs.org/docs/latest/api/power-monitor

import { AbsenceSet } from './sessionWatch.ts';
import type { AbsenceReason, StartSessionWatch } from './sessionWatch.ts';

/** What is used of Electron's PowerMonitor. */
export interface PowerMonitorSource {
  on(event: PowerEvent, listener: () => void): unknown;
  removeListener(event: PowerEvent, listener: () => void): unknown;
  /** `locked` whatever the threshold; in seconds. */
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
 * An unlocked screen, or a user who has come back to it, is a machine that is awake: a `resume` that got lost (Windows
 * has more than one kind of sleep) costs the time until the next unlock, not the rest of the day.
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
        log.debug('The system told of the session', { event });
        absences.update(meanings[event]);
      },
    }));
    for (const { event, listener } of listeners) source.on(event, listener);
    if (source.getSystemIdleState(IDLE_THRESHOLD_SECONDS) === 'locked') absences.add('locked');
    return Promise.resolve({
      stop: () => {
        for (const { event, listener } of listeners) source.removeListener(event, listener);
        return Promise.resolve();
      },
    });
  };
}
