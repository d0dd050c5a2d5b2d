// What `sightline browser-policy` does: writes, removes and checks the browsers' policies for the allowed domains.

import type { RunTool } from '../platform/runTool.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Coverage } from './coverage.ts';
import { coverageOf } from './coverage.ts';
import { writePolicyFiles } from './files.ts';
import type { Change } from './lists.ts';
import { browsersOf, wantedLists } from './lists.ts';
import { readBrowserPolicies } from './read.ts';
import { writePolicyRegistry } from './registry.ts';

export interface PolicyOrder {
  readonly platform: NodeJS.Platform;
  readonly run: RunTool;
  /** Empty to remove what Sightline added. */
  readonly domains: readonly string[];
  /** See wantedLists. */
  readonly older: boolean;
}

/** @throws SightlineError NEEDS_ADMINISTRATOR, BROWSER_POLICY_NOT_WRITTEN */
export async function applyBrowserPolicy({ platform, run, domains, older }: PolicyOrder): Promise<Change[]> {
  const wanted = wantedLists(platform, domains, older);
  if (platform === 'win32') return writePolicyRegistry(wanted, run);
  if (platform !== 'darwin') return writePolicyFiles(wanted);
  throw new SightlineError(
    'BROWSER_POLICY_NOT_WRITTEN',
    domains.length > 0
      ? 'On a Mac no program may set this. Save what --print shows as sightline.mobileconfig, and have it installed by your device management (or by hand, in System Settings).'
      : 'On a Mac the configuration profile is removed where it was installed: in your device management or in System Settings.',
  );
}

/** For every browser of the platform. One without any policy asks the agent. */
export async function browserCoverage({
  platform,
  run,
  domains,
}: Pick<PolicyOrder, 'platform' | 'run' | 'domains'>): Promise<Coverage[]> {
  const found = coverageOf(domains, await readBrowserPolicies({ platform, run }));
  return browsersOf(platform).map(
    (browser) =>
      found.find((one) => one.browser === browser) ?? {
        ...{ browser, sources: '' },
        domains: domains.map((domain) => ({ domain, access: 'asked' })),
      },
  );
}
