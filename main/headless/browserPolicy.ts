// `sightline browser-policy`: the browsers' machine policies that let pages of `allowedDomains` reach this machine
// without asking the agent: shown, written, looked at, taken away.

import type { Command } from 'commander';
import { Option } from 'commander';
import type { Coverage } from '../diagnostics/checks/browserPolicy.ts';
import { coverageOf } from '../diagnostics/checks/browserPolicy.ts';
import { browsersOf, readBrowserPolicies } from '../platform/browserPolicies.ts';
import { writePolicyFiles } from '../platform/browserPolicyFiles.ts';
import type { Change, WantedList } from '../platform/browserPolicyLists.ts';
import { wantedLists } from '../platform/browserPolicyLists.ts';
import { writePolicyRegistry } from '../platform/browserPolicyRegistry.ts';
import { policyText } from '../platform/browserPolicyText.ts';
import { runTool } from '../platform/runTool.ts';
import { PolicyError } from '../policy/load.ts';
import { SightlineError } from '../shared/errors.ts';
import type { CommandOptions } from './options.ts';
import { policyWithWarnings } from './options.ts';

const modes = ['print', 'apply', 'check', 'remove'] as const;
type Mode = (typeof modes)[number];
const platforms: Readonly<Record<string, NodeJS.Platform>> = {
  linux: 'linux',
  windows: 'win32',
  macos: 'darwin',
};
const EXIT_USAGE = 64;

export function addBrowserPolicyOptions(command: Command): Command {
  return command
    .option('--print', 'show what --apply would set, in the form of the platform')
    .option('--apply', 'set it for all users of this computer; needs an administrator')
    .option(
      '--check',
      'tell whether it is set; exit code 0 when every browser lets every domain in, 1 if not',
    )
    .option('--remove', 'take away what --apply has set, and nothing else; needs an administrator')
    .option('--older', 'serve browsers before 146 as well; opens the local network to these pages, too')
    .addOption(
      new Option('--for <platform>', 'with --print: for which platform (default: this one)').choices(
        Object.keys(platforms),
      ),
    )
    .option('--json', 'with --apply, --check and --remove: print one JSON object');
}

export async function browserPolicyCommand(options: CommandOptions, command: Command): Promise<void> {
  const given = modes.filter((mode) => options[mode] === true);
  const [mode] = given;
  if (mode === undefined || given.length > 1) {
    return command.error('error: one of --print, --apply, --check and --remove is needed', {
      exitCode: EXIT_USAGE,
    });
  }
  const { values } = await policyWithWarnings(options);
  const domains = [...new Set(values.allowedDomains)];
  if (domains.length === 0 && mode !== 'remove') {
    throw new PolicyError('Policy "allowedDomains" is empty. Name the domains whose pages may connect.');
  }
  const { platform } = process;
  if (mode === 'print') {
    const asked = typeof options.for === 'string' ? platforms[options.for] : undefined;
    const to = asked ?? platform;
    process.stdout.write(policyText(to, wantedLists(to, domains, options.older === true)));
    return;
  }
  const wanted = wantedLists(platform, mode === 'remove' ? [] : domains, options.older === true);
  const changes = mode === 'check' ? [] : await write(platform, mode, wanted);
  const coverage = mode === 'remove' ? [] : await look(platform, domains);
  const isCovered = coverage.every(({ by }) => by.every(([, say]) => say === 'allowed'));
  if (options.json === true) {
    const browsers = coverage.map(({ browser, sources, by }) => ({
      ...{ browser, sources },
      domains: by.map(([domain, say]) => ({ domain, say })),
    }));
    process.stdout.write(
      `${JSON.stringify({ ...(mode === 'remove' ? {} : { covered: isCovered, browsers }), ...(mode === 'check' ? {} : { changes }) })}\n`,
    );
  } else {
    const lines = [...changes.flatMap(changeLines), ...coverage.flatMap(coverageLines)];
    process.stdout.write(`${lines.length === 0 ? 'nothing of Sightline was there' : lines.join('\n')}\n`);
  }
  if (!isCovered) process.exitCode = 1;
}

async function write(
  platform: NodeJS.Platform,
  mode: Mode,
  wanted: readonly WantedList[],
): Promise<Change[]> {
  if (platform === 'win32') return writePolicyRegistry(wanted, runTool);
  if (platform !== 'darwin') return writePolicyFiles(wanted);
  throw new SightlineError(
    'BROWSER_POLICY_NOT_WRITTEN',
    mode === 'apply'
      ? 'On a Mac no program may set this. Save what --print shows as sightline.mobileconfig, and have it installed by your device management (or by hand, in System Settings).'
      : 'On a Mac the configuration profile is taken away where it was installed: in your device management or in System Settings.',
  );
}

/** Of a browser without any policy nothing is found: it asks the agent. */
async function look(platform: NodeJS.Platform, domains: readonly string[]): Promise<Coverage[]> {
  const found = coverageOf(domains, await readBrowserPolicies({ platform, run: runTool }));
  return browsersOf(platform).map(
    (browser) =>
      found.find((one) => one.browser === browser) ?? {
        browser,
        sources: '',
        by: domains.map((domain) => [domain, 'asked'] as const),
      },
  );
}

function changeLines({ browser, place, added, removed }: Change): string[] {
  return [
    ...added.map((entry) => `${browser}: added ${entry} to ${place}`),
    ...removed.map((entry) => `${browser}: removed ${entry} from ${place}`),
  ];
}

const words = {
  allowed: 'lets it in',
  asked: 'asks the agent',
  blocked: 'blocks it',
} as const;

function coverageLines({ browser, sources, by }: Coverage): string[] {
  const where = sources === '' ? 'no policy' : sources;
  return by.map(([domain, say]) => `${browser.padEnd(8)}  ${domain}  ${words[say]}  (${where})`);
}
