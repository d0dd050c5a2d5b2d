// Whether the machine suits: the minimum requirements of docs/doctor.md, its clock, and the proxy that it is configured to use.

import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { proxyName, type ProxyRoute } from '../../platform/network/proxy.ts';
import type { RunTool } from '../../platform/runTool.ts';
import { counted, failed, inGiB, ok, skipped, warning, type Environment, type Finding } from '../check.ts';
import type { Policy } from '../../policy/keys.ts';
import type { CheckContext, ServerTime } from '../context.ts';
import { awsMinimum } from '../network/hosts.ts';
import { outsideHosts } from './aws.ts';

/** A machine with 4 GiB reports less: firmware and graphics reserve some. */
const MIN_MEMORY_BYTES = (awsMinimum.memoryGB - 0.5) * 1024 ** 3;
/** A processor of 2.0 GHz can report 1,995 MHz. */
const MIN_MHZ = awsMinimum.cpuGHz * 1000 * 0.97;
const MIN_NODE = '20.19.0';
/** Windows 10 1809; the oldest kernel that Node.js 20 supports. */
const minOs: Partial<Record<NodeJS.Platform, { release: string; name: string }>> = {
  win32: { release: '10.0.17763', name: 'Windows 10, version 1809' },
  linux: { release: '4.18.0', name: 'Linux 4.18' },
};

/** In kHz: what the processor can do, unlike os.cpus(), which has what it does now. https://docs.kernel.org/admin-guide/pm/cpufreq.html */
const LINUX_MAX_KHZ = '/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq';

async function thisMachine(environment: Environment) {
  const versions: Readonly<Record<string, string | undefined>> = process.versions;
  return {
    cores: availableParallelism(),
    mhz: await readMhz(),
    arch: process.arch,
    memoryBytes: totalmem(),
    nodeVersion: process.versions.node,
    /** null without Electron. */
    electronVersion: versions.electron ?? null,
    platform: platform(),
    osRelease: release(),
    sessionType: environment.XDG_SESSION_TYPE ?? null,
  };
}
export type Machine = Readonly<Awaited<ReturnType<typeof thisMachine>>>;

export async function machineCheck({ environment }: Pick<CheckContext, 'environment'>): Promise<Finding> {
  return judgeMachine(await thisMachine(environment));
}

async function readMhz(): Promise<number | null> {
  const processors = cpus();
  if (process.platform !== 'linux') return processorMhz(processors);
  const khz = await readFile(LINUX_MAX_KHZ, 'utf8').catch(() => '');
  return processorMhz(processors.map(({ model }) => ({ model, speed: Number(khz) / 1000 })));
}

/**
 * The nominal speed: of the processor's name (`... CPU @ 2.10GHz`), else the highest that is reported.
 * @param processors `speed` in MHz @returns null where the system reports none, or one that no processor has (virtual machines)
 */
export function processorMhz(
  processors: readonly { readonly model: string; readonly speed: number }[],
): number | null {
  const named = processors.map(({ model }) => Number(/@\s*(\d+(?:\.\d+)?)\s*GHz/i.exec(model)?.[1]) * 1000);
  const isLikely = (mhz: number): boolean => mhz >= 300 && mhz <= 10_000;
  const likely = named.some(isLikely) ? named.filter(isLikely) : processors.map(({ speed }) => speed);
  const found = Math.max(0, ...likely.filter(isLikely));
  return found === 0 ? null : found;
}

export function judgeMachine(machine: Machine): Finding {
  const { cores, mhz, arch, memoryBytes, osRelease, nodeVersion, electronVersion, sessionType } = machine;
  const runtime =
    electronVersion === null ? `Node ${nodeVersion}` : `Electron ${electronVersion} (Node ${nodeVersion})`;
  const speed = mhz === null ? 'speed not reported' : `${(mhz / 1000).toFixed(1)} GHz`;
  const evidence = `${counted(cores, 'core')} (${arch}, ${speed}), ${inGiB(memoryBytes)} of memory, ${machine.platform} ${osRelease}, ${runtime}`;
  const oldest = minOs[machine.platform];
  if (oldest === undefined)
    return failed(
      evidence,
      'Use a computer with Windows or Linux: Sightline records on no other system (CLIENT_UNSUPPORTED_OS).',
    );
  if (isOlder(osRelease, oldest.release))
    return failed(evidence, `Update the operating system: Sightline needs ${oldest.name} or newer.`);
  if (isOlder(nodeVersion, MIN_NODE)) return failed(evidence, `Install Node ${MIN_NODE} or newer.`);
  if (machine.platform === 'linux' && sessionType === 'wayland')
    return warning(
      `${evidence}, Wayland`,
      'Sightline cannot record a Wayland session (WAYLAND_UNSUPPORTED). Log out, and choose the "Xorg" (X11) session at the log-in screen.',
    );
  const { cpuGHz, memoryGB } = awsMinimum;
  const short = [
    ...(cores < awsMinimum.cores ? [`${awsMinimum.cores} cores`] : []),
    ...(mhz !== null && mhz < MIN_MHZ ? [`a processor of ${cpuGHz.toFixed(1)} GHz`] : []),
    ...(arch !== 'x64' ? ['an x64 processor'] : []),
    ...(memoryBytes < MIN_MEMORY_BYTES ? [`${memoryGB} GiB of memory`] : []),
  ];
  if (short.length === 0) return ok(evidence);
  return warning(
    evidence,
    `Screen recording needs ${short.join(', ')} by AWS's system requirements: calls and recordings may stutter here. Use a stronger computer, or lower "fps" and "maxMonitors" in Sightline's policy.`,
  );
}

function isOlder(version: string, least: string): boolean {
  const numbersOf = (text: string): number[] =>
    text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  const numbers = numbersOf(version);
  const minimum = numbersOf(least);
  const index = minimum.findIndex((number, at) => (numbers[at] ?? 0) !== number);
  return index >= 0 && (numbers[index] ?? 0) < (minimum[index] ?? 0);
}

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
  'Have this computer set its clock from the network ("Set time automatically" in Windows; timesyncd or chrony on Linux).';

/** Whether this computer's clock is right, by the time that servers reported and by the system's time service. */
export async function clockCheck({ servers, run }: Pick<CheckContext, 'servers' | 'run'>): Promise<Finding> {
  return judgeClock(servers.time, await readTimeService(process.platform, quiet(run)));
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
  const seconds = (ms: number): string => `${(Math.abs(ms) / 1000).toFixed(1)} s`;
  if (Math.abs(offsetMs) <= TOLERANCE_MS)
    return `right within ${seconds(TOLERANCE_MS)} according to ${server}`;
  return `${seconds(offsetMs)} ${offsetMs > 0 ? 'fast' : 'slow'} according to ${server}`;
}

/** What a tool prints; empty when it is missing or fails. */
type Output = (command: string, ...args: readonly string[]) => Promise<string>;
const quiet =
  (run: RunTool): Output =>
  (command, ...args) =>
    run(command, args).catch(() => '');

/** null where no service is known. */
async function readTimeService(system: NodeJS.Platform, output: Output): Promise<TimeService | null> {
  if (system === 'win32') return parseW32tm(await output('w32tm', '/query', '/status'));
  if (system !== 'linux') return null;
  return (
    parseChrony(await output('chronyc', '-n', 'tracking')) ??
    parseTimedatectl(await output('timedatectl', 'show'))
  );
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
  if (value === undefined) return null;
  return { name: 'timedatectl', isSynchronised: value === 'yes', offsetMs: null };
}

/** Text is translated, numbers are not: a leap indicator of 3 means "not synchronised" (RFC 5905). */
export function parseW32tm(output: string): TimeService | null {
  const leap = /^[^:\n]+:\s*([0-3])\(/m.exec(output)?.[1];
  return leap === undefined ? null : { name: 'Windows Time', isSynchronised: leap !== '3', offsetMs: null };
}

/** How Sightline reaches each host that it connects to. Whether it does, the checks of those hosts show. */
export async function proxyCheck(
  context: Pick<CheckContext, 'policy' | 'environment' | 'network'>,
): Promise<Finding> {
  const { policy, network } = context;
  const hosts = outsideHosts(context);
  const routes = await Promise.all(
    hosts.map(async (host) => ({ host, route: await network.routeTo(new URL(`https://${host}/`)) })),
  );
  return judgeProxy(network.stack, policy, routes);
}

export function judgeProxy(
  stack: string,
  { proxyUrl, caFile }: Pick<Policy, 'proxyUrl' | 'caFile'>,
  routes: readonly { readonly host: string; readonly route: ProxyRoute }[],
): Finding {
  const from = proxyUrl === null ? '' : ' (policy "proxyUrl")';
  if (routes.length === 0) return ok('Sightline connects to nothing outside this machine');
  const unusable = routes.flatMap(({ host, route }) =>
    route.kind === 'unusable' ? [`${host}: ${route.why}`] : [],
  );
  if (unusable.length > 0)
    return failed(unusable.join('; '), 'Set "proxyUrl" in Sightline\'s policy to an HTTP proxy.');
  const texts = routes.map(
    ({ host, route }) => `${host} ${route.kind === 'proxy' ? `through ${proxyName(route.url)}` : 'directly'}`,
  );
  const evidence = `${stack} connects to ${texts.join(', ')}${from}`;
  if (caFile === null || stack !== 'Chromium') return ok(evidence);
  return warning(
    `${evidence}; "caFile" has no effect in the app, which trusts the system's store only`,
    "Add your root certificate to the system's store (Windows: Trusted Root Certification Authorities of the computer).",
  );
}
