// Whether a Sightline runs on this data folder, and whether the command line can reach it.

import type { Check } from '../check.ts';
import { ok, warning } from '../check.ts';

export interface InstanceSubject {
  readonly dataDir: string;
  /** Of the process that holds the data folder's lock; null when none does. `port` null: it has told none. */
  readonly running: () => Promise<{ readonly pid: number; readonly port: number | null } | null>;
}

export function instanceCheck({ dataDir, running }: InstanceSubject): Check {
  return {
    name: 'single instance',
    run: async () => {
      const found = await running();
      if (found === null) return ok(`no Sightline runs on ${dataDir}; the lock is free`);
      const { pid, port } = found;
      if (port !== null) return ok(`one Sightline runs on ${dataDir}: process ${pid}, port ${port}`);
      return warning(
        `process ${pid} holds the lock of ${dataDir} and has told no port`,
        'Wait a minute and run this again: a Sightline that is starting looks like this. If it stays so, end that process in the task manager and start Sightline again.',
      );
    },
  };
}
