// Whether Sightline can run here: the port that pages connect to, the data folder's lock, and the policy in effect.

import { createServer } from 'node:net';
import { ask } from '../../platform/ask.ts';
import { NodeNetwork } from '../../platform/network/nodeNetwork.ts';
import { readControlFile } from '../../server/controlFile.ts';
import { DOOR_PATH, UPGRADE_REQUIRED } from '../../server/port/doorProtocol.ts';
import { lockHolder } from '../../platform/instanceLock.ts';
import { readPolicyState } from '../../policy/start.ts';
import { errno } from '../../shared/errors.ts';
import { parseJsonObject } from '../../shared/json.ts';
import { HEALTH_PATH } from '../../shared/protocol.ts';
import { failed, ok, skipped, warning, type Finding } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { describePortOwner } from '../portOwner.ts';

export interface PortHolder {
  /** The version of the Sightline that answers there; null when none does. */
  readonly sightline: string | null;
  /** Whether it hands over connections of other users to their Sightlines (server/port/). */
  readonly isDoor: boolean;
  /** Such as `process 1234 (chromium)`; null when this user cannot see it. */
  readonly process: string | null;
  /** Another program on the same port of [::1], described in the same way; null when there is none. */
  readonly beside: string | null;
}

const UNKNOWN_PROGRAM = 'a program that this user cannot see';
/** Other vendors' recorders, by the names of their programs. */
const vendors: readonly (readonly [RegExp, string])[] = [
  [/amazon|awsconnect/i, 'the Amazon Connect Client Application'],
  [/\bnice|incontact/i, 'a NICE client'],
  [/verint/i, 'a Verint client'],
  [/genesys/i, 'a Genesys client'],
  [/talkdesk/i, 'a Talkdesk client'],
  [/calabrio/i, 'a Calabrio client'],
];

/** Whether the port is free, and otherwise which program uses it. */
export async function portCheck({ policy }: Pick<CheckContext, 'policy'>): Promise<Finding> {
  const { port, dataDir, allowedDomains } = policy;
  if (port === 0) return ok('any free port is used; the page must know which');
  const origin = allowedDomains[0] === undefined ? 'http://localhost' : `https://${allowedDomains[0]}`;
  const holder = await findPortHolder(port, origin);
  if (holder === null) return ok(`port ${port} is free`);
  return judgeHolder(port, holder, (await runningInstance(dataDir))?.port === port);
}

/** @param isOurs whether the Sightline of this data folder uses the port */
export function judgeHolder(port: number, holder: PortHolder, isOurs: boolean): Finding {
  const { sightline, isDoor, process, beside } = holder;
  const by = process ?? UNKNOWN_PROGRAM;
  if (isOurs && beside !== null)
    return failed(
      `port ${port} of 127.0.0.1 is in use by this Sightline (${by}), but port ${port} of [::1] by ${beside}`,
      'End that program and start Sightline again: a page that connects to "localhost" may reach it instead of Sightline. Until then the page must connect to 127.0.0.1.',
    );
  if (isOurs && process === null && sightline === null)
    return failed(
      `port ${port} is in use by ${by}, which hands over no connections to the Sightline of this user`,
      `Find that program with the rights of an administrator, and end it: this user's Sightline then opens the port.`,
    );
  if (isOurs && process === null)
    return ok(`port ${port} is in use by another user's Sightline, which hands over this user's connections`);
  if (isOurs) return ok(`port ${port} is in use by this Sightline (${by})`);
  if (isDoor && process === null)
    return ok(
      `port ${port} is in use by another user's Sightline, which hands over this user's connections once this user's Sightline runs`,
    );
  if (sightline !== null)
    return failed(
      `port ${port} is in use by another Sightline, version ${sightline} (${by})`,
      'Quit the other Sightline.',
    );
  const vendor = vendors.find(([name]) => process !== null && name.test(process))?.[1];
  if (vendor !== undefined)
    return failed(
      `port ${port} is in use by ${vendor} (${by})`,
      'Remove that program: it may record this screen, too. To keep both, IT sets another "port" in Sightline\'s policy and in the page.',
    );
  return failed(
    `port ${port} is in use by ${by}`,
    `End that program${port === 5431 ? ' (the Amazon Connect Client Application uses 5431, too)' : ''} and start Sightline again, or IT sets another "port" in Sightline's policy and in the page.`,
  );
}

/** @param origin one that a Sightline with our policy allows @returns null when the port is free */
export async function findPortHolder(port: number, origin: string): Promise<PortHolder | null> {
  const [isFree4, isFree6] = [await isFree(port, '127.0.0.1'), await isFree(port, '::1')];
  if (isFree4 && isFree6) return null;
  const [sightline, isDoor, owner4, owner6] = await Promise.all([
    askVersion(port, origin),
    askDoor(port),
    isFree4 ? null : describePortOwner(port, '127.0.0.1'),
    isFree6 ? null : describePortOwner(port, '::1'),
  ]);
  // "localhost" can resolve to [::1]. Processes of other users are not visible: without the owner of 127.0.0.1 there is
  // nothing to compare with.
  const hasOther = !isFree4 && !isFree6 && owner4 !== null && owner4 !== owner6;
  return {
    sightline,
    isDoor,
    process: isFree4 ? owner6 : owner4,
    beside: hasOther ? (owner6 ?? UNKNOWN_PROGRAM) : null,
  };
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Without IPv6 its port cannot be in use.
    server.once('error', (error) => resolve(['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(errno(error) ?? '')));
    server.listen({ port, host, ipv6Only: host === '::1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

const limits = { timeoutMs: 2000, maxAnswerBytes: 4096 };

async function askDoor(port: number): Promise<boolean> {
  const answer = await ask(new NodeNetwork(), `http://127.0.0.1:${port}${DOOR_PATH}`, {
    method: 'GET',
    ...limits,
  }).catch(() => null);
  return answer?.status === UPGRADE_REQUIRED;
}

async function askVersion(port: number, origin: string): Promise<string | null> {
  const url = `http://127.0.0.1:${port}${HEALTH_PATH}`;
  const answer = await ask(new NodeNetwork(), url, {
    method: 'GET',
    headers: { Origin: origin },
    ...limits,
  }).catch(() => null);
  const { app, version } = parseJsonObject(answer?.body ?? '') ?? {};
  return app === 'sightline' && typeof version === 'string' ? version.slice(0, 40) : null;
}

interface RunningInstance {
  readonly pid: number;
  /** null when it has not published one. */
  readonly port: number | null;
}

/** The process that has locked the data folder. */
async function runningInstance(dataDir: string): Promise<RunningInstance | null> {
  const pid = lockHolder(dataDir);
  if (pid === null) return null;
  const control = await readControlFile(dataDir).catch(() => null);
  return { pid, port: control?.pid === pid ? control.port : null };
}

/** Whether a Sightline runs on this data folder, and whether the command line can reach it. */
export async function instanceCheck({ policy: { dataDir } }: Pick<CheckContext, 'policy'>): Promise<Finding> {
  return judgeInstance(dataDir, await runningInstance(dataDir));
}

export function judgeInstance(dataDir: string, running: RunningInstance | null): Finding {
  if (running === null) return ok(`no Sightline runs on ${dataDir}; the lock is free`);
  const { pid, port } = running;
  if (port !== null) return ok(`one Sightline runs on ${dataDir}: process ${pid}, port ${port}`);
  return warning(
    `process ${pid} has locked ${dataDir} but has not published its port`,
    'Wait a minute and run this again: a Sightline that is starting looks like this. If it stays so, end that process in the task manager and start Sightline again.',
  );
}

/** Whether the configured policy is in effect: a running Sightline may have rejected it, or be waiting to apply a part of it. */
export async function policyCheck({
  policy: { dataDir },
  policyProblems,
  policyWarnings,
}: Pick<CheckContext, 'policy' | 'policyProblems' | 'policyWarnings'>): Promise<Finding> {
  const running = await readPolicyState(dataDir);
  const problems = running?.problems.length ? running.problems : policyProblems;
  if (problems.length > 0 && running === null)
    return failed(
      `the policy is not valid: ${problems.join('; ')}`,
      'Sightline does not start with it. Have IT fix it, and start Sightline.',
    );
  if (problems.length > 0)
    return failed(
      `the new policy was rejected, the previous one is in effect: ${problems.join('; ')}`,
      'Have IT fix the policy. It is applied without a restart.',
    );
  const changed = (when: 'when-idle' | 'restart'): string =>
    (running?.pending ?? []).flatMap(({ key, applied }) => (applied === when ? [`"${key}"`] : [])).join(', ');
  if (changed('restart') !== '')
    return warning(
      `changed, and not in effect until Sightline is next started: ${changed('restart')}`,
      'Quit Sightline when no contact is active, and start it again.',
    );
  const ignored = new Set([...(running?.ignored ?? []), ...policyWarnings]);
  if (ignored.size > 0)
    return warning(
      `ignored: ${[...ignored].join(' ')}`,
      'Remove these where they were set, or have IT set them in the machine policy.',
    );
  if (running === null) return skipped('no Sightline is running');
  if (changed('when-idle') === '') return ok('the configured policy is in effect');
  return ok(`changed, and in effect as soon as no contact is active: ${changed('when-idle')}`);
}
