// Whether a loopback port is free, and who answers there when it is not.

import { request } from 'node:http';
import { createServer } from 'node:net';
import { HEALTH_PATH } from '../shared/protocol.ts';
import { errno } from '../shared/errors.ts';
import { describePortOwner } from './portOwner.ts';

const ANSWER_WITHIN_MS = 2000;
const MAX_ANSWER_BYTES = 4096;

export interface FoundHolder {
  /** The version of the Sightline that answers; null when none does. */
  readonly sightline: string | null;
  /** null when it cannot be told. */
  readonly process: string | null;
  /** Who else has the port: another program than that of 127.0.0.1 on [::1]; null when there is none. */
  readonly beside: string | null;
}

/** @param origin that a Sightline with our policy would allow @returns null when the port is free */
export async function findPortHolder(port: number, origin: string): Promise<FoundHolder | null> {
  const [v4, v6] = [await isFree(port, '127.0.0.1'), await isFree(port, '::1')];
  if (v4 && v6) return null;
  const [sightline, process, beside] = await Promise.all([
    askVersion(port, origin),
    describePortOwner(port, v4 ? '::1' : '127.0.0.1'),
    v4 || v6 ? null : describeOther(port),
  ]);
  return { sightline, process, beside };
}

/** What "localhost" leads to may be [::1], where anybody may listen whom 127.0.0.1 was refused. */
async function describeOther(port: number): Promise<string | null> {
  const [v4, v6] = await Promise.all([describePortOwner(port, '127.0.0.1'), describePortOwner(port, '::1')]);
  // Where neither can be told nothing is known. A process of another user is one that cannot be told.
  return v4 === null || v4 === v6 ? null : (v6 ?? 'a program that this user may not see');
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // A machine without IPv6 cannot have it taken there.
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
        response.on('end', () => resolve(versionIn(text)));
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

function versionIn(text: string): string | null {
  try {
    const { app, version } = JSON.parse(text) as { app?: unknown; version?: unknown };
    return app === 'sightline' && typeof version === 'string' ? version.slice(0, 40) : null;
  } catch {
    return null;
  }
}
