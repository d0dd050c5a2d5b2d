// Starts the policy of a running Sightline: watches its sources, and publishes its state for `sightline doctor` and
// `sightline policy`.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { removeLeftBehind, writeFileAtomically } from '../platform/atomicFile.ts';
import { lockHolder } from '../platform/instanceLock.ts';
import type { AdjustableLogger } from '../platform/log.ts';
import { windowsHelper } from '../platform/windowsHelper.ts';
import { parseJson } from '../shared/json.ts';
import { policyKeyNames } from './keys.ts';
import { userSettingsFile } from '../platform/paths.ts';
import type { LoadedPolicy } from './load.ts';
import type { PolicyState } from './live.ts';
import { LivePolicy, ignoredCode } from './live.ts';
import { machinePolicyFiles } from './machine.ts';
import type { GivenPolicy } from './read.ts';
import { readPolicy } from './read.ts';
import { watchRegistryPolicy } from './registry.ts';
import { watchPolicy } from './watch.ts';

export interface StartedPolicy {
  readonly live: LivePolicy;
  /** This process has locked the data folder: the policy's state may be written there. */
  publish(): void;
  stop(): Promise<void>;
}

/** @param first the policy with which the program has started */
export function startLivePolicy(
  first: LoadedPolicy,
  given: GivenPolicy,
  log: AdjustableLogger,
): StartedPolicy {
  const file = policyStateFile(first.values.dataDir);
  let written: Promise<void> = Promise.resolve();
  let last = '';
  let isOurs = false;
  const write = (): void => {
    const text = `${JSON.stringify({ pid: process.pid, ...live.state })}\n`;
    if (!isOurs || text === last) return;
    last = text;
    written = written
      .then(() => writeFileAtomically(file, text))
      .catch((error: unknown) =>
        log.warn('the state of the policy could not be written', { reason: String(error) }),
      );
  };
  const live = new LivePolicy({
    first,
    load: () => readPolicy(given),
    onState: write,
    log,
  });
  live.onChange((changed) => {
    if (changed.has('logLevel')) log.setLevel(live.values.logLevel);
  });
  for (const warning of first.warnings) log.warn(warning, ignoredCode);
  const watch = watchPolicy({
    files: [...machinePolicyFiles(), userSettingsFile()],
    look: () => void live.look(),
    ...(process.platform === 'win32' ? { watchOthers: watchRegistryPolicy(windowsHelper, log) } : {}),
    onProblem: (folder, error) =>
      log.warn('changes of policy are found by the clock only', { folder, reason: String(error) }),
  });
  // It may have changed between the first reading and the watch.
  void live.look();
  return {
    live,
    publish: () => {
      isOurs = true;
      void removeLeftBehind(first.values.dataDir);
      write();
    },
    stop: async () => {
      watch.stop();
      isOurs = false;
      await written;
      // A disk that fails must not make an orderly end look like a crash.
      await rm(file, { force: true }).catch((error: unknown) =>
        log.warn('the state of the policy could not be removed', { reason: String(error) }),
      );
    },
  };
}

/** What `sightline doctor` and `sightline policy` show: a rejected policy, and changes that are not in effect yet. */
export function policyStateFile(dataDir: string): string {
  return join(dataDir, 'policy-state.json');
}

const stateSchema = z.object({
  pid: z.number().int().positive(),
  problems: z.array(z.string()),
  ignored: z.array(z.string()).default([]),
  pending: z.array(z.object({ key: z.enum(policyKeyNames), applied: z.enum(['when-idle', 'restart']) })),
});

/** null when no Sightline runs with this data folder. */
export async function readPolicyState(dataDir: string): Promise<PolicyState | null> {
  const text = await readFile(policyStateFile(dataDir), 'utf8').catch(() => '');
  const { data } = stateSchema.safeParse(parseJson(text));
  if (data === undefined) return null;
  const { pid, ...state } = data;
  // A crash leaves the file behind, and its process id may belong to another program by now.
  return lockHolder(dataDir) === pid ? state : null;
}
