// Small file systems for tests of full disks, and files in other files' places: mounts that one program sees.

import { spawnSync } from 'node:child_process';
import { MACHINE_POLICY_FILE } from '../../main/policy/machine.ts';

const namespace = [
  'unshare',
  '--mount',
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  ...['sh', '-c'],
] as const;
let isPossible = false;

/** Some containers let nobody mount anything: said in words, rather than by a program that does not start. */
function needMounts(): void {
  if (isPossible) return;
  const [command, ...words] = namespace;
  const { status, stderr, error } = spawnSync(command, [...words, 'true'], { encoding: 'utf8' });
  if (status !== 0) {
    const why = error?.message ?? stderr.trim();
    throw new Error(
      `This machine lets the tests mount nothing (${why}). Run them where they may: in a container, with SYS_ADMIN.`,
    );
  }
  isPossible = true;
}

/** Words that run a program where a folder is a tmpfs of its own, which it sees and nobody else. */
export function withMount(folder: string, options: string): string[] {
  return withMounts(`mount -t tmpfs -o ${options} tmpfs "${folder}"`);
}

/** Words that run a program once a script for the shell has made its mounts, which it sees and nobody else. */
export function withMounts(script: string): string[] {
  needMounts();
  return [...namespace, `${script} && exec "$@"`, 'sh'];
}

/**
 * Words that run a program with an /etc of its own, over the machine's: what is written there (see asSeenBy) nobody else
 * sees. It is as if it were root's: as root, or as the root of a user namespace.
 */
export function withOwnEtc(folder: string): string[] {
  const layers = `lowerdir=/etc,upperdir="${folder}/upper",workdir="${folder}/work"`;
  return withMounts(
    `mount -t tmpfs -o mode=755 tmpfs "${folder}" && mkdir "${folder}/upper" "${folder}/work" && ` +
      `mount -t overlay -o ${layers} overlay /etc`,
  );
}

/** The same, with a machine policy in it: an object, or the file's text as it is. */
export function withMachinePolicy(folder: string, policy: object | string): string[] {
  const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
  const write = 'mkdir -p "${1%/*}" && printf %s "$2" > "$1" && shift 2 && exec "$@"';
  return [...withOwnEtc(folder), 'sh', '-c', write, 'sh', MACHINE_POLICY_FILE, text];
}

/** A path as a program with such a folder sees it (proc(5), `root`). */
export function asSeenBy(pid: number, path: string): string {
  return `/proc/${pid}/root${path}`;
}
