// The monitors of a Windows desktop, from the helper (platform/windowsHelper.ts), which also reports changes.

import { z } from 'zod';
import type { WindowsHelper } from '../platform/windowsHelper.ts';
import { SightlineError, errorMessage } from '../shared/errors.ts';
import { monitorSchema } from '../shared/names.ts';
import type { MonitorSource } from './layout.ts';

const answerSchema = z.array(monitorSchema);

export function windowsMonitors(helper: Pick<WindowsHelper, 'ask' | 'watch'>): MonitorSource {
  const ends: (() => void)[] = [];
  return {
    monitors: () =>
      helper.ask('monitors', answerSchema).catch((error: unknown) => {
        throw new SightlineError(
          'NO_DISPLAY',
          `The Windows helper does not report the monitors (${errorMessage(error)}). Check that a session is signed in; if it ` +
            'is, reinstall Sightline.',
          { cause: error },
        );
      }),
    onChange(listener) {
      // A new helper may have missed a change.
      ends.push(
        helper.watch(
          'monitors',
          (event) => {
            if (event.event === 'monitors') listener();
          },
          listener,
        ),
      );
    },
    close: () => ends.splice(0).forEach((end) => end()),
  };
}
