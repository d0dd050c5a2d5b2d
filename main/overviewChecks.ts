// The checks as the running app makes them, with its own encoder, monitors and port.

import type { CheckResult } from './diagnostics/checks.ts';
import { runChecks } from './diagnostics/checks.ts';
import type { OverviewParts } from './overviewParts.ts';
import { describePortOwner } from './platform/portOwner.ts';
import { SightlineError } from './shared/errors.ts';

export function checksOfApp({ policy, finder, displays }: OverviewParts): Promise<CheckResult[]> {
  return runChecks({
    ...policy,
    findEncoder: async () => {
      const { encoder, binary, warning } = await finder.find();
      return { encoder, path: binary.path, version: binary.version, warning };
    },
    readMonitors: async () => {
      const layout = await displays.current(null);
      if (layout === null) throw new SightlineError('NO_DISPLAY', 'No monitor is switched on.');
      return layout.monitors;
    },
    portHolder: async () => (await describePortOwner(policy.port)) ?? 'this Sightline',
  });
}
