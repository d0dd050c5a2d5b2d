// A way to Sightline's port for pages of the tests, when Sightline runs under Wine: see wineRelay.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { windowsNodePath } from '../../scripts/windows.mjs';
import { endWithUs } from './process.ts';

/** Connects to a port of 127.0.0.1 as a program of the host's system. */
export type OpenConnection = (port: number) => Promise<Socket>;

const onDriveZ = (path: string): string => `Z:${path.replaceAll('/', '\\')}`;

/** @param environment of the Wine session in which Sightline runs; the relay ends with that */
export async function startWineRelay(
  loader: string,
  environment: NodeJS.ProcessEnv,
): Promise<OpenConnection> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-relay-'));
  const file = join(folder, 'port');
  const program = fileURLToPath(new URL('wineRelay.mjs', import.meta.url));
  const child = spawn(loader, [windowsNodePath(), onDriveZ(program), onDriveZ(file)], {
    env: environment,
    stdio: 'ignore',
  });
  endWithUs(child);
  // Whole once it has its name, which a file watcher may miss under Wine.
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error(`The relay under Wine ended with ${child.exitCode}.`);
    await sleep(50);
  }
  const relayPort = Number(readFileSync(file, 'utf8'));
  await rm(folder, { recursive: true, force: true });
  return async (port) => {
    const socket = connect(relayPort, '127.0.0.1');
    await once(socket, 'connect');
    const head = Buffer.alloc(2);
    head.writeUInt16BE(port);
    socket.write(head);
    return socket;
  };
}
