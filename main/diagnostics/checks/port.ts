// Whether the port that pages connect to is free, and otherwise which program uses it: this Sightline, another Sightline, the
// Amazon Connect Client Application or any other program.

import { request } from 'node:http';
import { createServer } from 'node:net';
import { errno } from '../../shared/errors.ts';
import { parseJsonObject } from '../../shared/json.ts';
import { HEALTH_PATH } from '../../shared/protocol.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { runningInstance } from '../context.ts';
import { describePortOwner } from '../portOwner.ts';

export interface PortHolder {
  /** The version of the Sightline that answers there; null when none does. */
  readonly sightline: string | null;
  /** Such as `process 1234 (chromium)`; null when this user cannot see it. */
  readonly process: string | null;
  /** Another program on the same port of [::1], described in the same way; null when there is none. */
  readonly beside: string | null;
}

const ANSWER_WITHIN_MS = 2000;
const MAX_ANSWER_BYTES = 4096;
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

export function portCheck({ policy }: Pick<CheckContext, 'policy'>): Check {
  const { port, dataDir, allowedDomains } = policy;
  const origin = allowedDomains[0] === undefined ? 'http://localhost' : `https://${allowedDomains[0]}`;
  return {
    name: 'port',
    run: async () => {
      if (port === 0) return ok('any free port is used; the page must know which');
      const holder = await findPortHolder(port, origin);
      if (holder === null) return ok(`port ${port} is free`);
      return judgeHolder(port, holder, (await runningInstance(dataDir))?.port === port);
    },
  };
}

/** @param isOurs whether the Sightline of this data folder uses the port */
export function judgeHolder(port: number, holder: PortHolder, isOurs: boolean): Finding {
  const { sightline, process, beside } = holder;
  const by = process ?? UNKNOWN_PROGRAM;
  if (isOurs && beside !== null) {
    return failed(
      `port ${port} of 127.0.0.1 is in use by this Sightline (${by}), but port ${port} of [::1] by ${beside}`,
      'End that program and start Sightline again: a page that connects to "localhost" may reach it instead of Sightline. Until then the page must connect to 127.0.0.1.',
    );
  }
  if (isOurs) return ok(`port ${port} is in use by this Sightline (${by})`);
  if (sightline !== null) {
    return failed(
      `port ${port} is in use by another Sightline, version ${sightline} (${by})`,
      'Quit the other Sightline. If another user of this computer runs it, IT gives each user a "port" and a "dataDir" of their own in Sightline\'s policy.',
    );
  }
  const vendor = vendors.find(([name]) => process !== null && name.test(process))?.[1];
  if (vendor !== undefined) {
    return failed(
      `port ${port} is in use by ${vendor} (${by})`,
      'Remove that program: it may record this screen, too. To keep both, IT sets another "port" in Sightline\'s policy and in the page.',
    );
  }
  return failed(
    `port ${port} is in use by ${by}`,
    `End that program${port === 5431 ? ' (the Amazon Connect Client Application uses 5431, too)' : ''} and start Sightline again, or IT sets another "port" in Sightline's policy and in the page.`,
  );
}

/** @param origin one that a Sightline with our policy allows @returns null when the port is free */
export async function findPortHolder(port: number, origin: string): Promise<PortHolder | null> {
  const [v4, v6] = [await isFree(port, '127.0.0.1'), await isFree(port, '::1')];
  if (v4 && v6) return null;
  const [sightline, process, beside] = await Promise.all([
    askVersion(port, origin),
    describePortOwner(port, v4 ? '::1' : '127.0.0.1'),
    v4 || v6 ? null : describeOther(port),
  ]);
  return { sightline, process, beside };
}

/** "localhost" can resolve to [::1], where another program may listen. */
async function describeOther(port: number): Promise<string | null> {
  const [v4, v6] = await Promise.all([describePortOwner(port, '127.0.0.1'), describePortOwner(port, '::1')]);
  // Without the owner of 127.0.0.1 there is nothing to compare with. Processes of other users are not visible.
  return v4 === null || v4 === v6 ? null : (v6 ?? UNKNOWN_PROGRAM);
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

function askVersion(port: number, origin: string): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port, path: HEALTH_PATH, headers: { Origin: origin }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_ANSWER_BYTES) asked.destroy();
        });
        response.on('end', () => {
          const { app, version } = parseJsonObject(text) ?? {};
          resolve(app === 'sightline' && typeof version === 'string' ? version.slice(0, 40) : null);
        });
      },
    );
    const timer = setTimeout(() => asked.destroy(), ANSWER_WITHIN_MS);
    asked.on('error', () => undefined);
    asked.on('close', () => {
      clearTimeout(timer);
      resolve(null);
    });
    asked.end();
  });
}
