// Facts for the bundle about the machine, without its user or name, and about what Sightline uses on it.

import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, hostname, release, totalmem, uptime, version } from 'node:os';
import { promisify } from 'node:util';
import { displaysOf } from '../capture/displays.ts';
import { FfmpegFinder } from '../capture/ffmpegBinary.ts';
import { hashedHost } from '../platform/redact.ts';
import { appVersion, osName } from '../platform/version.ts';
import type { Policy } from '../policy/keys.ts';
import { errorMessage } from '../shared/errors.ts';
import type { Environment } from './check.ts';

/** Variables that describe the desktop. No other values are read. */
const SHOWN_VARIABLES = [
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_SESSION_TYPE', 'XDG_CURRENT_DESKTOP', 'DESKTOP_SESSION'],
  ...['SESSIONNAME', 'LANG', 'TZ', 'PROCESSOR_ARCHITECTURE'],
];
/** Variables whose names are included, without values. */
const NAMED_VARIABLES = /^(SIGHTLINE_|AWS_|NODE_|ELECTRON_|(HTTPS?|ALL|NO)_PROXY$|SSL_CERT_)/i;

export async function systemFacts(environment: Environment, folders: readonly string[]): Promise<unknown> {
  const models = cpus();
  const { platform, arch, versions, pid } = process;
  const { timeZone, locale } = Intl.DateTimeFormat().resolvedOptions();
  const set = Object.entries(environment).filter(([, value]) => (value ?? '') !== '');
  return {
    ...{ platform, arch, release: release(), version: version(), versions, pid },
    processors: {
      count: models.length,
      usable: availableParallelism(),
      model: models[0]?.model.trim() ?? null,
    },
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    ...{ uptimeSeconds: Math.round(uptime()), timeZone, locale },
    variables: Object.fromEntries(set.filter(([name]) => SHOWN_VARIABLES.includes(name))),
    variablesSet: set
      .map(([name]) => name)
      .filter((name) => NAMED_VARIABLES.test(name))
      .sort(),
    disks: await Promise.all(folders.map(diskOf)),
  };
}

async function diskOf(folder: string): Promise<unknown> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    return { folder, problem: errorMessage(error) };
  }
}

export function versionsNow(): unknown {
  const { node, electron, chrome, v8 } = process.versions;
  return { sightline: appVersion, node, electron, chrome, v8, os: osName(), host: hashedHost(hostname()) };
}

export async function displayFacts(policy: Policy): Promise<unknown> {
  const displays = displaysOf({ platform: process.platform, policy });
  try {
    return await displays.current(null);
  } finally {
    displays.close();
  }
}

const run = promisify(execFile);

export async function ffmpegFacts(policy: Policy, resourcesFolder: string): Promise<unknown> {
  const found = await new FfmpegFinder(policy, resourcesFolder).find();
  const ask = async (what: string): Promise<string[]> => {
    const options = { timeout: 10_000, windowsHide: true, maxBuffer: 1024 * 1024 };
    return (await run(found.binary.path, ['-hide_banner', what], options)).stdout.split(/\r?\n/);
  };
  const [build, encoders, devices] = await Promise.all([ask('-version'), ask('-encoders'), ask('-devices')]);
  return { ...found, build, encoders, devices };
}
