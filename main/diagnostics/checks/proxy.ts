// Proxies that this machine is told to use. Sightline connects directly: whoever relies on a proxy must know.

import type { Check } from '../check.ts';
import { ok, warning } from '../check.ts';

export interface ProxySubject {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the system's settings say, in words; null: no proxy, or not known. */
  readonly system: () => Promise<string | null>;
  /** Hosts outside this machine that Sightline connects to. */
  readonly hosts: readonly string[];
}

const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

export function proxyCheck({ environment, system, hosts }: ProxySubject): Check {
  return {
    name: 'proxy',
    run: async () => {
      const found = [...fromEnvironment(environment), await system()].filter((words) => words !== null);
      if (found.length === 0) return ok('none is set');
      const evidence = found.map(withoutSecrets).join('; ');
      if (hosts.length === 0) return ok(`${evidence}; Sightline connects to nothing outside this machine`);
      return warning(
        `${evidence}; Sightline connects directly to ${hosts.join(', ')}`,
        'Sightline uses no proxy. Have the firewall let this computer reach these hosts, TCP 443, without one; or name hosts within your network ("s3Endpoint" and "eventBridgeEndpoint" in its policy, for example AWS VPC endpoints).',
      );
    },
  };
}

function fromEnvironment(environment: ProxySubject['environment']): string[] {
  return VARIABLES.flatMap((name) => {
    const spelling = [name, name.toLowerCase()].find((one) => (environment[one] ?? '') !== '');
    return spelling === undefined ? [] : [`${spelling}=${environment[spelling] ?? ''}`];
  });
}

/**
 * Of `http://user:password@proxy:3128` neither user nor password is shown: nothing before the last @, whatever a
 * password has in it. A script's query goes, too.
 */
function withoutSecrets(words: string): string {
  return words.replace(/^([A-Za-z_]+=|.*? is )?([a-z]+:\/\/)?.*@/s, '$1$2…@').replace(/\?.*$/s, '?…');
}
