// The checks as the running app makes them, with its own encoder, monitors and port.

import type { CheckResult } from './diagnostics/checks.ts';
import { runChecks } from './diagnostics/checks.ts';
import type { OverviewParts } from './overviewParts.ts';
import { SightlineError } from './shared/errors.ts';

export async function checksOfApp(
  { policy, finder, displays }: OverviewParts,
  port: number,
): Promise<CheckResult[]> {
  const results = await runChecks({
    ...policy,
    port,
    findEncoder: async () => {
      const { encoder, binary, warning } = await finder.find();
      return { encoder, path: binary.path, version: binary.version, warning };
    },
    readMonitors: async () => {
      const layout = await displays.current(null);
      if (layout === null) throw new SightlineError('NO_DISPLAY', 'No monitor is switched on.');
      return layout.monitors;
    },
    portHolder: () => Promise.resolve('this Sightline'),
  });
  // A port that is held is worth a warning, unless whoever asks holds it.
  return results.map((one) => (one.name === 'port' ? { ...one, verdict: 'ok', remedy: '' } : one));
}
