// Layers of machine policy for tests.
import type { PolicyLayer } from '../../../main/policy/load.ts';

/** As from Linux's policy file. */
export function fileLayer(values: Readonly<Record<string, unknown>>): PolicyLayer[] {
  return [{ source: 'file', place: '/the/policy.json', loose: false, values }];
}
