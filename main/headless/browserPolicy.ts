// `sightline browser-policy`: shows, sets, checks and removes the browsers' machine policies that let pages of
// `allowedDomains` connect to this machine without asking the agent.

import { Option, type Command } from 'commander';
import { coverageOf, type Coverage } from '../browserPolicy/coverage.ts';
import { writePolicyFiles } from '../browserPolicy/files.ts';
import { browsersOf, wantedLists, type Change, type WantedList } from '../browserPolicy/lists.ts';
import { readBrowserPolicies } from '../browserPolicy/read.ts';
import { writePolicyRegistry } from '../browserPolicy/registry.ts';
import { policyText } from '../browserPolicy/text.ts';
import { runTool } from '../platform/runTool.ts';
import { readRegistry } from '../platform/windowsHelper.ts';
import { PolicyError } from '../policy/load.ts';
import { addPolicyOptions, policyWithWarnings, print, type CommandOptions } from './options.ts';

const modes = ['print', 'apply', 'check', 'remove'] as const;
const platforms: Readonly<Record<string, NodeJS.Platform>> = {
  ...{ linux: 'linux', windows: 'win32' },
};

export function addBrowserPolicyCommand(program: Command): void {
  const command = program
    .command('browser-policy')
    .description('let pages of the allowed domains reach this machine without a prompt')
    .option('--print', 'show what --apply would set, in the format of the platform')
    .option('--apply', 'set it for all users of this computer; needs an administrator')
    .option('--check', 'check whether it is set; exit code 0 when every browser allows every domain, else 1')
    .option('--remove', 'remove what --apply has set, and nothing else; needs an administrator')
    .option('--older', 'include browsers before 146; this opens the local network to these pages')
    .addOption(
      new Option('--for <platform>', 'with --print: the platform (default: this one)').choices(
        Object.keys(platforms),
      ),
    )
    .option('--json', 'with --apply, --check and --remove: print one JSON object');
  addPolicyOptions(command).action(browserPolicyCommand);
}

async function browserPolicyCommand(options: CommandOptions, command: Command): Promise<void> {
  const [mode, ...others] = modes.filter((one) => options[one] === true);
  if (mode === undefined || others.length > 0)
    return command.error('error: one of --print, --apply, --check and --remove is needed');
  const { values } = await policyWithWarnings(options);
  const allowed = [...new Set(values.allowedDomains)];
  if (allowed.length === 0 && mode !== 'remove')
    throw new PolicyError('Policy "allowedDomains" is empty. Name the domains whose pages may connect.');
  const older = options.older === true;
  const { platform } = process;
  if (mode === 'print') {
    const wanted = platforms[String(options.for)] ?? platform;
    process.stdout.write(policyText(wanted, wantedLists(wanted, allowed, older)));
    return;
  }
  // Empty lists remove what Sightline added.
  const lists = wantedLists(platform, mode === 'remove' ? [] : allowed, older);
  const changes = mode === 'check' ? [] : await write(platform, lists);
  const browsers = mode === 'remove' ? [] : await coverage(platform, allowed);
  const covered = browsers.every((one) => one.domains.every(({ access }) => access === 'allowed'));
  if (!covered) process.exitCode = 1;
  if (options.json !== true) {
    print(asText(changes, browsers));
    return;
  }
  // The field `say` is part of the command's output format.
  const shown = browsers.map(({ browser, sources, domains: found }) => ({
    ...{ browser, sources },
    domains: found.map(({ domain, access }) => ({ domain, say: access })),
  }));
  const found = mode === 'remove' ? {} : { covered, browsers: shown };
  print(JSON.stringify({ ...found, ...(mode === 'check' ? {} : { changes }) }));
}

/** @throws SightlineError NEEDS_ADMINISTRATOR, BROWSER_POLICY_NOT_WRITTEN */
function write(platform: NodeJS.Platform, lists: readonly WantedList[]): Promise<Change[]> {
  return platform === 'win32' ? writePolicyRegistry(lists, runTool, readRegistry) : writePolicyFiles(lists);
}

/** For every browser of the platform. One without any policy asks the agent. */
async function coverage(platform: NodeJS.Platform, domains: readonly string[]): Promise<Coverage[]> {
  const found = coverageOf(domains, await readBrowserPolicies({ platform }));
  const none = { sources: '', domains: domains.map((domain) => ({ domain, access: 'asked' as const })) };
  return browsersOf(platform).map(
    (browser) => found.find((one) => one.browser === browser) ?? { browser, ...none },
  );
}

const accessTexts = { allowed: 'allowed', asked: 'asks the agent', blocked: 'blocked' } as const;

function asText(changes: readonly Change[], browsers: readonly Coverage[]): string {
  const lines = [
    ...changes.flatMap(({ browser, place, added, removed }) => [
      ...added.map((entry) => `${browser}: added ${entry} to ${place}`),
      ...removed.map((entry) => `${browser}: removed ${entry} from ${place}`),
    ]),
    ...browsers.flatMap(({ browser, sources, domains }) =>
      domains.map(
        ({ domain, access }) =>
          `${browser.padEnd(8)}  ${domain}  ${accessTexts[access]}  (${sources || 'no policy'})`,
      ),
    ),
  ];
  return lines.join('\n') || 'nothing to remove';
}
