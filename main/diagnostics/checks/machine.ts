// The machine against the minimum requirements of docs/doctor.md.

import { availableParallelism, platform, release, totalmem } from 'node:os';
import type { Check, Finding } from '../check.ts';
import { failed, inGiB, ok, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly nodeVersion: string;
  /** null without Electron. */
  readonly electronVersion: string | null;
  readonly platform: NodeJS.Platform;
  /** As os.release() returns it. */
  readonly osRelease: string;
  /** XDG_SESSION_TYPE. */
  readonly sessionType: string | null;
}

const MIN_CORES = 2;
/** A machine with 4 GiB reports less: firmware and graphics reserve some. */
const MIN_MEMORY_BYTES = 3.5 * 1024 ** 3;
const MIN_NODE = [20, 19, 0];
/** Windows 10 1809; macOS 12 (Darwin 21); the oldest kernel that Node.js 20 supports. */
const minOs: Partial<Record<NodeJS.Platform, { release: number[]; words: string }>> = {
  win32: { release: [10, 0, 17763], words: 'Windows 10, version 1809' },
  darwin: { release: [21, 0, 0], words: 'macOS 12' },
  linux: { release: [4, 18, 0], words: 'Linux 4.18' },
};

export function machineCheck({ environment }: Pick<CheckContext, 'environment'>): Check {
  const versions = process.versions as Readonly<Record<string, string | undefined>>;
  return {
    name: 'machine',
    run: () =>
      judgeMachine({
        cores: availableParallelism(),
        memoryBytes: totalmem(),
        nodeVersion: process.versions.node,
        electronVersion: versions['electron'] ?? null,
        platform: platform(),
        osRelease: release(),
        sessionType: environment.XDG_SESSION_TYPE ?? null,
      }),
  };
}

export function judgeMachine(machine: Machine): Finding {
  const { cores, memoryBytes, osRelease, nodeVersion, electronVersion, sessionType } = machine;
  const runtime =
    electronVersion === null ? `Node ${nodeVersion}` : `Electron ${electronVersion} (Node ${nodeVersion})`;
  const evidence = `${cores} ${cores === 1 ? 'core' : 'cores'}, ${inGiB(memoryBytes)} of memory, ${machine.platform} ${osRelease}, ${runtime}`;
  const oldest = minOs[machine.platform];
  if (oldest === undefined)
    return failed(
      evidence,
      'Use a computer with Windows, macOS or Linux: Sightline runs on no other system.',
    );
  if (isOlder(osRelease, oldest.release))
    return failed(evidence, `Update the operating system: Sightline needs ${oldest.words} or newer.`);
  if (isOlder(nodeVersion, MIN_NODE)) return failed(evidence, `Install Node ${MIN_NODE.join('.')} or newer.`);
  if (machine.platform === 'linux' && sessionType === 'wayland') {
    return warning(
      `${evidence}, Wayland`,
      'Under Wayland only X11 programs are visible to Sightline. Log on to an X11 ("Xorg") session.',
    );
  }
  const short = [
    ...(cores < MIN_CORES ? [`${MIN_CORES} cores`] : []),
    ...(memoryBytes < MIN_MEMORY_BYTES ? ['4 GiB of memory'] : []),
  ];
  return short.length === 0
    ? ok(evidence)
    : warning(
        evidence,
        `Sightline needs at least ${short.join(' and ')}: calls and recordings may stutter here. Use a stronger computer, or lower "fps" and "maxMonitors" in its policy.`,
      );
}

function isOlder(version: string, least: readonly number[]): boolean {
  const numbers = version
    .replace(/^v/, '')
    .split(/[.-]/)
    .map((part) => Number.parseInt(part, 10) || 0);
  for (const [index, number] of least.entries()) {
    const have = numbers[index] ?? 0;
    if (have !== number) return have < number;
  }
  return false;
}
