// `sightline browser-policy`: shows, sets, checks and removes the browsers' machine policies that let pages of
// `allowedDomains` connect to this machine without asking the agent.

import type { Command } from 'commander';
import { Option } from 'commander';
import { applyBrowserPolicy, browserCoverage } from '../browserPolicy/apply.ts';
import type { Coverage } from '../browserPolicy/coverage.ts';
import type { Change } from '../browserPolicy/lists.ts';
import { wantedLists } from '../browserPolicy/lists.ts';
import { policyText } from '../browserPolicy/text.ts';
import { runTool } from '../platform/runTool.ts';
import { PolicyError } from '../policy/load.ts';
import type { CommandOptions } from './options.ts';
import { policyWithWarnings } from './options.ts';

const modes = ['print', 'apply', 'check', 'remove'] as const;
const platforms: Readonly<Record<string, NodeJS.Platform>> = {
  linux: 'linux',
  windows: 'win32',
  macos: 'darwin',
};
const EXIT_USAGE = 64;

export function addBrowserPolicyOptions(command: Command): Command {
  return command
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
  const allowed = [...new Set(values.allowedDomains)];
  if (allowed.length === 0 && mode !== 'remove') {
    throw new PolicyError('Policy "allowedDomains" is empty. Name the domains whose pages may connect.');
  }
  const older = options.older === true;
  if (mode === 'print') {
    const platform =
      (typeof options.for === 'string' ? platforms[options.for] : undefined) ?? process.platform;
    process.stdout.write(policyText(platform, wantedLists(platform, allowed, older)));
    return;
  }
  const domains = mode === 'remove' ? [] : allowed;
  const order = { platform: process.platform, run: runTool, domains, older };
  const changes = mode === 'check' ? [] : await applyBrowserPolicy(order);
  const browsers = mode === 'remove' ? [] : await browserCoverage(order);
  const covered = browsers.every((one) => one.domains.every(({ access }) => access === 'allowed'));
  process.stdout.write(options.json === true ? asJson() : asText(changes, browsers));
  if (!covered) process.exitCode = 1;

  function asJson(): string {
    // The field `say` is part of the command's output format.
    const shown = browsers.map(({ browser, sources, domains: found }) => ({
      ...{ browser, sources },
      domains: found.map(({ domain, access }) => ({ domain, say: access })),
    }));
    const found = mode === 'remove' ? {} : { covered, browsers: shown };
    return `${JSON.stringify({ ...found, ...(mode === 'check' ? {} : { changes }) })}\n`;
  }
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
          `${browser.padEnd(8)}  ${domain}  ${accessTexts[access]}  (${sources === '' ? 'no policy' : sources})`,
      ),
    ),
  ];
  return `${lines.length === 0 ? 'nothing to remove' : lines.join('\n')}\n`;
}
