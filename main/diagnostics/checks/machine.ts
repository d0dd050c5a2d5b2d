// The machine against the minimum requirements of docs/doctor.md.

import type { Check } from '../check.ts';
import { failed, inGiB, ok, warning } from '../check.ts';

export interface MachineSubject {
  readonly cores: number;
  readonly memoryBytes: number;
  /** Of Node.js, with a leading v or without. */
  readonly nodeVersion: string;
  /** null: no Electron. */
  readonly electronVersion: string | null;
  readonly platform: NodeJS.Platform;
  /** As os.release() says it. */
  readonly osRelease: string;
  /** XDG_SESSION_TYPE, where there is one. */
  readonly sessionType: string | null;
}

const MIN_CORES = 2;
/** A machine of 4 GiB has less when firmware and graphics have taken theirs. */
const MIN_MEMORY_BYTES = 3.5 * 1024 ** 3;
const MIN_NODE = [20, 19, 0];
/** Windows 10 1809; macOS 12 (Darwin 21); the oldest kernel that Node.js 20 supports. */
const minOs: Partial<Record<NodeJS.Platform, { release: number[]; words: string }>> = {
  win32: { release: [10, 0, 17763], words: 'Windows 10, version 1809' },
  darwin: { release: [21, 0, 0], words: 'macOS 12' },
  linux: { release: [4, 18, 0], words: 'Linux 4.18' },
};

export function machineCheck(machine: MachineSubject): Check {
  return {
    name: 'machine',
    run: () => {
      const { cores, memoryBytes, platform, osRelease, nodeVersion, electronVersion, sessionType } = machine;
      const runtime =
        electronVersion === null
          ? `Node ${nodeVersion}`
          : `Electron ${electronVersion} (Node ${nodeVersion})`;
      const evidence = `${cores} ${cores === 1 ? 'core' : 'cores'}, ${inGiB(memoryBytes)} of memory, ${platform} ${osRelease}, ${runtime}`;
      const oldest = minOs[platform];
      if (oldest === undefined)
        return failed(
          evidence,
          'Use a computer with Windows, macOS or Linux: Sightline runs on no other system.',
        );
      if (isOlder(osRelease, oldest.release))
        return failed(evidence, `Update the operating system: Sightline needs ${oldest.words} or newer.`);
      if (isOlder(nodeVersion, MIN_NODE))
        return failed(evidence, `Install Node ${MIN_NODE.join('.')} or newer.`);
      if (platform === 'linux' && sessionType === 'wayland') {
        return warning(
          `${evidence}, Wayland`,
          'Under Wayland only X11 programs can be seen. Log on to an X11 ("Xorg") session.',
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
    },
  };
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
