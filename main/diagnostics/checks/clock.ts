// Whether this computer's clock is right, by the time that servers reported and by the system's time service.

import type { RunTool } from '../../platform/runTool.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext, ServerTime } from '../context.ts';

export interface TimeService {
  readonly name: string;
  readonly isSynchronised: boolean;
  /** This clock minus the right time; null when the service does not report it. */
  readonly offsetMs: number | null;
}

/** S3 rejects requests signed with a clock that is further off. */
const REJECTED_MS = 15 * 60_000;
const LARGE_MS = 5000;
/** A Date header has whole seconds, and some latency. */
const TOLERANCE_MS = 1500;
const SET_IT =
  'Have this computer set its clock from the network ("Set time automatically" in Windows and macOS; timesyncd or chrony on Linux).';

export function clockCheck({ servers, run }: Pick<CheckContext, 'servers' | 'run'>): Check {
  return {
    name: 'clock',
    run: async () => judgeClock(servers.time, await readTimeService(process.platform, run)),
  };
}

export function judgeClock(time: ServerTime | null, service: TimeService | null): Finding {
  if (time === null && service === null)
    return skipped('no server was asked, and no time service is known here');
  const offsetMs = Math.abs(time?.offsetMs ?? service?.offsetMs ?? 0);
  const evidence = [
    ...(time === null ? [] : [describe(time)]),
    ...(service === null
      ? []
      : [`${service.name}: ${service.isSynchronised ? 'synchronised' : 'not synchronised'}`]),
  ].join('; ');
  if (offsetMs > REJECTED_MS)
    return failed(
      evidence,
      `AWS rejects requests from a computer whose clock is more than 15 minutes off. ${SET_IT}`,
    );
  if (offsetMs > LARGE_MS) return warning(evidence, `Recordings and events have wrong times. ${SET_IT}`);
  if (time === null && service?.isSynchronised === false) return warning(evidence, SET_IT);
  return ok(evidence);
}

function describe({ server, offsetMs }: ServerTime): string {
  if (Math.abs(offsetMs) <= TOLERANCE_MS)
    return `right within ${(TOLERANCE_MS / 1000).toFixed(1)} s according to ${server}`;
  return `${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${offsetMs > 0 ? 'fast' : 'slow'} according to ${server}`;
}

/** null where no service is known. */
async function readTimeService(platform: NodeJS.Platform, run: RunTool): Promise<TimeService | null> {
  const output = (command: string, ...args: string[]): Promise<string> => run(command, args).catch(() => '');
  switch (platform) {
    case 'linux':
      return (
        parseChrony(await output('chronyc', '-n', 'tracking')) ??
        parseTimedatectl(await output('timedatectl', 'show'))
      );
    case 'win32':
      return parseW32tm(await output('w32tm', '/query', '/status'));
    default:
      return null;
  }
}

/** `System time : 0.000012 seconds slow of NTP time`, `Leap status : Normal` */
export function parseChrony(output: string): TimeService | null {
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(output)?.[1];
  if (leap === undefined) return null;
  const [, seconds, direction] = /^System time\s*:\s*([\d.]+) seconds (slow|fast)/m.exec(output) ?? [];
  const offsetMs = seconds === undefined ? null : Number(seconds) * (direction === 'fast' ? 1000 : -1000);
  return { name: 'chrony', isSynchronised: leap.trim() !== 'Not synchronised', offsetMs };
}

/** `NTPSynchronized=yes` */
export function parseTimedatectl(output: string): TimeService | null {
  const value = /^NTPSynchronized=(yes|no)$/m.exec(output)?.[1];
  return value === undefined
    ? null
    : { name: 'timedatectl', isSynchronised: value === 'yes', offsetMs: null };
}

/** Text is translated, numbers are not: a leap indicator of 3 means "not synchronised" (RFC 5905). */
export function parseW32tm(output: string): TimeService | null {
  const leap = /^[^:\n]+:\s*([0-3])\(/m.exec(output)?.[1];
  return leap === undefined ? null : { name: 'Windows Time', isSynchronised: leap !== '3', offsetMs: null };
}
