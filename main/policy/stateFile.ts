// What a running Sightline says of its policy: whether it has refused a new one, and what waits. In the data folder, for
// `sightline doctor` and `sightline policy`, which look from outside.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PolicyState } from './live.ts';
import { policyKeyNames } from './keys.ts';

export function policyStateFile(dataDir: string): string {
  return join(dataDir, 'policy-state.json');
}

const stateSchema = z.object({
  pid: z.number().int().positive(),
  problems: z.array(z.string()),
  ignored: z.array(z.string()).default([]),
  pending: z.array(z.object({ key: z.enum(policyKeyNames), applied: z.enum(['when-idle', 'restart']) })),
});

/** null: none runs with this data folder, as far as can be seen. */
export async function readPolicyState(dataDir: string): Promise<PolicyState | null> {
  const text = await readFile(policyStateFile(dataDir), 'utf8').catch(() => '');
  try {
    const { pid, ...state } = stateSchema.parse(JSON.parse(text));
    // A crash leaves the file behind.
    process.kill(pid, 0);
    return state;
  } catch {
    return null;
  }
}
