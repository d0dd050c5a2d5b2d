// `sightline doctor`: runs the checks and says what to do. Exits with 1 when one of them failed.

import { createServer } from 'node:net';
import { FfmpegFinder } from '../capture/ffmpegBinary.ts';
import { displaysOf } from '../capture/displays.ts';
import type { CheckResult } from '../diagnostics/checks.ts';
import { runChecks } from '../diagnostics/checks.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { describePortOwner } from '../platform/portOwner.ts';
import { appVersion } from '../platform/version.ts';
import type { Policy } from '../policy/keys.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Monitor } from '../shared/names.ts';
import type { CommandOptions } from './options.ts';
import { policyFrom } from './options.ts';

export async function doctorCommand(options: CommandOptions): Promise<void> {
  const { values: policy, warnings } = policyFrom(options);
  const results = await checkMachine(policy);
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ app: 'sightline', version: appVersion, checks: results, warnings })}\n`,
    );
  } else {
    process.stdout.write(`Sightline ${appVersion}\n${results.map(lineOf).join('')}`);
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  }
  if (results.some((result) => result.verdict === 'failed')) process.exitCode = 1;
}

export async function checkMachine(policy: Policy): Promise<CheckResult[]> {
  const finder = new FfmpegFinder({
    ffmpegPath: policy.ffmpegPath,
    resourcesFolder: findResourcesFolder(),
    encoder: policy.encoder,
  });
  return runChecks({
    ...policy,
    findEncoder: async () => {
      const { encoder, binary, warning } = await finder.find();
      return { encoder, path: binary.path, version: binary.version, warning };
    },
    readMonitors: () => readMonitors(policy),
    portHolder: () => portHolder(policy.port),
  });
}

async function readMonitors({ display, maxMonitors }: Policy): Promise<readonly Monitor[]> {
  const displays = displaysOf({ platform: process.platform, display, maxMonitors, source: null });
  try {
    const layout = await displays.current(null);
    if (layout === null) throw new SightlineError('NO_DISPLAY', 'No monitor is switched on.');
    return layout.monitors;
  } finally {
    displays.close();
  }
}

function lineOf({ step, name, verdict, evidence, remedy }: CheckResult): string {
  const advice = remedy === '' ? '' : `     -> ${remedy}\n`;
  return `${String(step).padStart(2)}. ${verdict.padEnd(7)}  ${name}: ${evidence}\n${advice}`;
}

async function portHolder(port: number): Promise<string | null> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
  return free ? null : ((await describePortOwner(port)) ?? 'another program');
}
