// The result of the latest health checks on this data folder, for the heartbeat: verdicts and names, no evidence.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import { appVersion } from '../platform/version.ts';
import type { LastChecks } from '../shared/deskEvent.ts';
import { lastChecksSchema } from '../shared/deskEvent.ts';
import { parseJson } from '../shared/json.ts';
import { toTimestamp } from '../shared/time.ts';

type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

const MAX_BYTES = 16 * 1024;

const fileIn = (dataDir: string): string => join(dataDir, 'last-checks.json');

/** Only where Sightline has a data folder. Never rejects: the checks do not depend on it. */
export async function writeLastChecks(
  dataDir: string,
  results: readonly { readonly name: string; readonly verdict: Verdict }[],
): Promise<void> {
  const named = (verdict: Verdict): string[] =>
    results.filter((one) => one.verdict === verdict).map(({ name }) => name);
  const count = (verdict: Verdict): number => named(verdict).length;
  const checks: LastChecks = {
    ...{ time: toTimestamp(Date.now()), appVersion, ok: count('ok'), warnings: count('warning') },
    ...{ failed: count('failed'), skipped: count('skipped'), failing: named('failed') },
  };
  await stat(dataDir)
    .then(() => writeFileAtomically(fileIn(dataDir), `${JSON.stringify(checks)}\n`))
    .catch(() => undefined);
}

/** undefined: there are none, or the file is not ours. */
export async function readLastChecks(dataDir: string): Promise<LastChecks | undefined> {
  const path = fileIn(dataDir);
  const isSmall = await stat(path).then(
    (found) => found.isFile() && found.size <= MAX_BYTES,
    () => false,
  );
  const text = isSmall ? await readFile(path, 'utf8').catch(() => '') : '';
  return lastChecksSchema.safeParse(parseJson(text)).data;
}
