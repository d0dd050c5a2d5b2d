// The session on Windows, from the helper (resources/windowsHelper/session.c): the agent's absences, and its end.

import { strings } from '../shared/strings.ts';
import { AbsenceSet, type StartSessionWatch } from './sessionWatch.ts';
import { helperEventSchema, type HelperEvent, type WindowsHelper } from './windowsHelper.ts';

type Helper = Pick<WindowsHelper, 'watch'>;

/** With the text that Windows shows when Sightline delays its shutdown. */
const REQUEST = `watch-session ${strings.shutdownDelay}`;

export function windowsSessionWatch(helper: Helper): StartSessionWatch {
  return ({ onChange, log }) => {
    const absences = new AbsenceSet(onChange);
    const take = (event: HelperEvent): void => {
      if (event.event === 'power') absences.update({ asleep: event.asleep });
      if (event.event !== 'session') return;
      const { locked, away } = event;
      // Windows has more than one kind of sleep: a resume that got lost costs the time until the next unlock.
      const isBack = !locked && away === 'no';
      absences.update({
        ...{ locked, 'switched-away': away === 'console', disconnected: away === 'remote' },
        ...(isBack ? { asleep: false } : {}),
      });
    };
    const end = helper.watch(REQUEST, take, (answer) => {
      const now = helperEventSchema.safeParse(answer).data;
      if (now !== undefined) take(now);
      else log.warn('a locked screen will not be noticed', { reason: String(answer) });
    });
    return Promise.resolve({
      stop: () => {
        end();
        return Promise.resolve();
      },
    });
  };
}

/** Calls back at sign-out and shutdown. Windows waits, for as long as it or its user permits, until this process has ended. */
export function onWindowsSessionEnd(helper: Helper, listener: (why: 'sign-out' | 'shutdown') => void): void {
  helper.watch(REQUEST, (event) => {
    if (event.event === 'ending') listener(event.why);
  });
}
