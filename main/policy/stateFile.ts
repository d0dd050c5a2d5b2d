// `<dataDir>/policy-state.json`: what `sightline doctor` and `sightline policy` show of the policy of a running Sightline:
// a rejected one, and changes that are not in effect yet.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { lockHolder } from '../platform/instanceLock.ts';
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

/** null when no Sightline runs with this data folder. */
export async function readPolicyState(dataDir: string): Promise<PolicyState | null> {
  try {
    const { pid, ...state } = stateSchema.parse(JSON.parse(await readFile(policyStateFile(dataDir), 'utf8')));
    // A crash leaves the file behind, and its process id may belong to another program by now.
    return lockHolder(dataDir) === pid ? state : null;
  } catch {
    return null;
  }
}
