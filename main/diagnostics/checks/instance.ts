// Whether a Sightline runs on this data folder, and whether the command line can reach it.

import type { Check, Finding } from '../check.ts';
import { ok, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { runningInstance } from '../context.ts';

export function instanceCheck({ policy: { dataDir } }: Pick<CheckContext, 'policy'>): Check {
  return {
    name: 'single instance',
    run: async () => judgeInstance(dataDir, await runningInstance(dataDir)),
  };
}

export function judgeInstance(
  dataDir: string,
  running: { readonly pid: number; readonly port: number | null } | null,
): Finding {
  if (running === null) return ok(`no Sightline runs on ${dataDir}; the lock is free`);
  const { pid, port } = running;
  if (port !== null) return ok(`one Sightline runs on ${dataDir}: process ${pid}, port ${port}`);
  return warning(
    `process ${pid} has locked ${dataDir} but has not published its port`,
    'Wait a minute and run this again: a Sightline that is starting looks like this. If it stays so, end that process in the task manager and start Sightline again.',
  );
}
