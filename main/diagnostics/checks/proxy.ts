// Proxies that this machine is configured to use. Sightline connects directly, which matters where only a proxy leads outside.

import { parseRegQuery } from '../../platform/regQuery.ts';
import type { RunTool } from '../../platform/runTool.ts';
import { outsideHosts } from '../aws.ts';
import type { Check, Finding } from '../check.ts';
import { ok, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { proxyFromAnswer } from '../network/proxy.ts';
import type { Environment } from '../system.ts';

const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];
const INTERNET_SETTINGS = 'HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings';

type ProxyContext = Pick<CheckContext, 'policy' | 'environment' | 'resolveProxy' | 'run'>;

export function proxyCheck(context: ProxyContext): Check {
  return {
    name: 'proxy',
    run: async () => judgeProxy(context.environment, await configuredProxy(context), outsideHosts(context)),
  };
}

/** @param system what the system's settings name; null when nothing @param hosts that Sightline connects to */
export function judgeProxy(
  environment: Environment,
  system: string | null,
  hosts: readonly string[],
): Finding {
  const found = [...fromEnvironment(environment), ...(system === null ? [] : [system])];
  if (found.length === 0) return ok('none is set');
  const evidence = found.map(withoutSecrets).join('; ');
  if (hosts.length === 0) return ok(`${evidence}; Sightline connects to nothing outside this machine`);
  return warning(
    `${evidence}; Sightline connects directly to ${hosts.join(', ')}`,
    'Sightline does not use a proxy. Have the firewall let this computer reach these hosts directly, TCP 443; or configure hosts within your network ("s3Endpoint" and "eventBridgeEndpoint" in its policy, for example AWS VPC endpoints).',
  );
}

function fromEnvironment(environment: Environment): string[] {
  return VARIABLES.flatMap((name) => {
    const spelling = [name, name.toLowerCase()].find((one) => (environment[one] ?? '') !== '');
    return spelling === undefined ? [] : [`${spelling}=${environment[spelling] ?? ''}`];
  });
}

/** Removes user and password (everything before the last @, because a password may contain one) and the query of a script. */
function withoutSecrets(text: string): string {
  return text.replace(/^([A-Za-z_]+=|.*? is )?([a-z]+:\/\/)?.*@/s, '$1$2…@').replace(/\?.*$/s, '?…');
}

/** What the desktop answers for the hosts; without a desktop, the system's settings. */
async function configuredProxy(context: ProxyContext): Promise<string | null> {
  const { resolveProxy, policy, run } = context;
  if (resolveProxy === null) return readSystemProxy(process.platform, run);
  const outside = outsideHosts(context);
  const hosts = outside.length > 0 ? outside : policy.allowedDomains.slice(0, 1);
  try {
    const answers = await Promise.all(
      hosts.map(async (host) => ({ host, answer: await resolveProxy(`https://${host}/`) })),
    );
    const proxies = answers
      .filter(({ answer }) => proxyFromAnswer(answer).kind !== 'direct')
      .map(({ host, answer }) => `the desktop's proxy for ${host} is ${answer.slice(0, 200)}`);
    return proxies.length === 0 ? null : proxies.join('; ');
  } catch {
    return readSystemProxy(process.platform, run);
  }
}

async function readSystemProxy(platform: NodeJS.Platform, run: RunTool): Promise<string | null> {
  const output = (command: string, ...args: string[]): Promise<string> => run(command, args).catch(() => '');
  switch (platform) {
    case 'win32':
      return parseInternetSettings(await output('reg', 'query', INTERNET_SETTINGS));
    case 'darwin':
      return parseScutil(await output('scutil', '--proxy'));
    default: {
      const mode = (await output('gsettings', 'get', 'org.gnome.system.proxy', 'mode')).trim();
      return /^'(manual|auto)'$/.test(mode) ? `GNOME's proxy setting is ${mode.slice(1, -1)}` : null;
    }
  }
}

export function parseInternetSettings(output: string): string | null {
  const values = new Map(
    parseRegQuery(output, INTERNET_SETTINGS).map(({ name, data }) => [name, data.trim()]),
  );
  const [server = '', script = ''] = [values.get('ProxyServer'), values.get('AutoConfigURL')];
  if (values.get('ProxyEnable') === '0x1' && server !== '') return `Windows' proxy is ${server}`;
  return script === '' ? null : `Windows' proxy script is ${script}`;
}

export function parseScutil(output: string): string | null {
  const value = (name: string): string | undefined =>
    new RegExp(`^\\s*${name} : (.+)$`, 'm').exec(output)?.[1];
  if (value('HTTPSEnable') === '1')
    return `macOS' proxy is ${value('HTTPSProxy') ?? '?'}:${value('HTTPSPort') ?? '?'}`;
  if (value('ProxyAutoConfigEnable') === '1')
    return `macOS' proxy script is ${value('ProxyAutoConfigURLString') ?? '?'}`;
  return null;
}
