// Which process listens on a TCP port of this machine, as far as this user can see. Read only when binding has failed.

import { readFile, readdir, readlink } from 'node:fs/promises';
import { runTool } from '../platform/runTool.ts';

/** Different programs can listen on the same port of each. */
export type LoopbackAddress = '127.0.0.1' | '::1';

/** Such as `process 1234 (chromium)`; null when unknown. @param address default: any */
export async function describePortOwner(port: number, address?: LoopbackAddress): Promise<string | null> {
  try {
    const pid =
      process.platform === 'linux' ? await linuxOwner(port, address) : await listedOwner(port, address);
    if (pid === null) return null;
    const name = await processName(pid);
    return name === null ? `process ${pid}` : `process ${pid} (${name})`;
  } catch {
    return null;
  }
}

/** proc(5): /proc/net/tcp lists sockets by inode, /proc/PID/fd links to them. State 0A is LISTEN. */
async function linuxOwner(port: number, address?: LoopbackAddress): Promise<string | null> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const names = { '127.0.0.1': ['tcp'], '::1': ['tcp6'] };
  const tables = await Promise.all(
    (address === undefined ? ['tcp', 'tcp6'] : names[address]).map((name) =>
      readFile(`/proc/net/${name}`, 'utf8').catch(() => ''),
    ),
  );
  const inodes = tables
    .flatMap((table) => table.split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
    .map((fields) => `socket:[${fields[9] ?? ''}]`);
  if (inodes.length === 0) return null;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (inodes.includes(target)) return pid;
    }
  }
  return null;
}

async function listedOwner(port: number, address?: LoopbackAddress): Promise<string | null> {
  if (process.platform === 'win32') {
    return listenerIn(await runTool('netstat', ['-ano']), port, address);
  }
  const at = { '127.0.0.1': '@127.0.0.1', '::1': '@[::1]' };
  const where = `-iTCP${address === undefined ? '' : at[address]}:${port}`;
  const stdout = await runTool('lsof', ['-nP', where, '-sTCP:LISTEN', '-t']);
  return stdout.trim().split('\n')[0] ?? null;
}

/** Parses Windows' netstat. It translates LISTENING, so the empty remote address identifies a listener. */
export function listenerIn(netstat: string, port: number, address?: LoopbackAddress): string | null {
  const at = { '127.0.0.1': '(?:127\\.0\\.0\\.1|0\\.0\\.0\\.0)', '::1': '\\[::1?\\]' };
  const host = address === undefined ? '\\S+' : at[address];
  const line = new RegExp(
    `^\\s*TCP\\s+${host}:${port}\\s+(?:0\\.0\\.0\\.0|\\[::\\]):0\\s.*?(\\d+)\\s*$`,
    'm',
  );
  return line.exec(netstat)?.[1] ?? null;
}

async function processName(pid: string): Promise<string | null> {
  if (process.platform === 'linux') return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  if (process.platform === 'win32') {
    const stdout = await runTool('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']);
    return /^"([^"]+)"/.exec(stdout)?.[1] ?? null;
  }
  return (await runTool('ps', ['-p', pid, '-o', 'comm='])).trim() || null;
}
