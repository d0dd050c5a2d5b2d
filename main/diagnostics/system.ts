// Facts about the machine, without its user or name.

import { availableParallelism, cpus, freemem, release, totalmem, uptime, version } from 'node:os';
import { statfs } from 'node:fs/promises';
import { errorMessage } from '../shared/errors.ts';

/** Variables that describe the desktop. No other values are read. */
const SHOWN_VARIABLES = [
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_SESSION_TYPE', 'XDG_CURRENT_DESKTOP', 'DESKTOP_SESSION'],
  ...['SESSIONNAME', 'LANG', 'TZ', 'PROCESSOR_ARCHITECTURE'],
];
/** Variables whose names are included, without values. */
const NAMED_VARIABLES = /^(SIGHTLINE_|AWS_|NODE_|ELECTRON_|(HTTPS?|ALL|NO)_PROXY$|SSL_CERT_)/i;

export type Environment = Readonly<Record<string, string | undefined>>;

export async function systemFacts(environment: Environment, folders: readonly string[]): Promise<unknown> {
  const models = cpus();
  const { platform, arch, versions, pid } = process;
  const isSet = (name: string): boolean => environment[name] !== undefined && environment[name] !== '';
  return {
    platform,
    arch,
    release: release(),
    version: version(),
    versions,
    pid,
    processors: {
      count: models.length,
      usable: availableParallelism(),
      model: models[0]?.model.trim() ?? null,
    },
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    uptimeSeconds: Math.round(uptime()),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    locale: Intl.DateTimeFormat().resolvedOptions().locale,
    variables: Object.fromEntries(SHOWN_VARIABLES.filter(isSet).map((name) => [name, environment[name]])),
    variablesSet: Object.keys(environment)
      .filter((name) => isSet(name) && NAMED_VARIABLES.test(name))
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
