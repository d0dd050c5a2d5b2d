// What the system's own time service says of the clock: chrony or timedatectl on Linux, Windows Time, macOS' settings.

import type { RunTool } from './runTool.ts';

export interface FoundTimeService {
  readonly name: string;
  readonly isSynchronised: boolean;
  /** This clock less the right time; null where it is not said. */
  readonly offsetMs: number | null;
}

/** null where nothing is known. */
export async function readTimeService(
  platform: NodeJS.Platform,
  run: RunTool,
): Promise<FoundTimeService | null> {
  switch (platform) {
    case 'linux': {
      const chrony = parseChrony(await run('chronyc', ['-n', 'tracking']).catch(() => ''));
      if (chrony !== null) return chrony;
      return parseTimedatectl(await run('timedatectl', ['show']).catch(() => ''));
    }
    case 'win32':
      return parseW32tm(await run('w32tm', ['/query', '/status']).catch(() => ''));
    default:
      return null;
  }
}

/** `System time : 0.000012 seconds slow of NTP time`, `Leap status : Normal` */
export function parseChrony(output: string): FoundTimeService | null {
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(output)?.[1];
  if (leap === undefined) return null;
  const [, seconds, way] = /^System time\s*:\s*([\d.]+) seconds (slow|fast)/m.exec(output) ?? [];
  const offsetMs = seconds === undefined ? null : Number(seconds) * (way === 'fast' ? 1000 : -1000);
  return { name: 'chrony', isSynchronised: leap.trim() !== 'Not synchronised', offsetMs };
}

/** `NTPSynchronized=yes` */
export function parseTimedatectl(output: string): FoundTimeService | null {
  const said = /^NTPSynchronized=(yes|no)$/m.exec(output)?.[1];
  return said === undefined ? null : { name: 'timedatectl', isSynchronised: said === 'yes', offsetMs: null };
}

/** The words are translated, the numbers are not: a leap indicator of 3 is "not synchronised" (RFC 5905). */
export function parseW32tm(output: string): FoundTimeService | null {
  const leap = /^[^:\n]+:\s*([0-3])\(/m.exec(output)?.[1];
  return leap === undefined ? null : { name: 'Windows Time', isSynchronised: leap !== '3', offsetMs: null };
}
