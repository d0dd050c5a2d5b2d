import { describe, expect, it } from 'vitest';
import { flagOf, policyKeyNames, policyKeys, variableOf } from '../../../main/policy/keys.ts';

describe('the name of a key', () => {
  it.each([
    ['port', '--port', 'SIGHTLINE_PORT'],
    ['allowedDomains', '--allowed-domains', 'SIGHTLINE_ALLOWED_DOMAINS'],
    ['allowLoopbackOrigins', '--allow-loopback-origins', 'SIGHTLINE_ALLOW_LOOPBACK_ORIGINS'],
    ['spoolMinFreeMiB', '--spool-min-free-mib', 'SIGHTLINE_SPOOL_MIN_FREE_MIB'],
    ['statusEventsFile', '--status-events-file', 'SIGHTLINE_STATUS_EVENTS_FILE'],
  ] as const)('%s is %s on the command line and %s in the environment', (name, flag, variable) => {
    expect(flagOf(name)).toBe(flag);
    expect(variableOf(name)).toBe(variable);
  });

  it('is nobody else’s, on the command line and in the environment', () => {
    expect(new Set(policyKeyNames.map(flagOf)).size).toBe(policyKeyNames.length);
    expect(new Set(policyKeyNames.map(variableOf)).size).toBe(policyKeyNames.length);
  });
});

describe('each key', () => {
  it('is described, and says how its default comes about where it has none of its own', () => {
    for (const name of policyKeyNames) {
      const info: { description: string; default: unknown; defaultText?: string } = policyKeys[name];
      expect(info.description, name).toMatch(/\.$/);
      if (info.default === null) expect(info.defaultText, name).toBeTruthy();
    }
  });
});
