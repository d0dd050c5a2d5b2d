// Why a test cannot run on this machine. The reason becomes part of its title, so that the output of every run states it.

export const needsRoot =
  process.getuid?.() === 0 ? null : 'only root can become another user or write system folders';
export const needsLinux = process.platform === 'linux' ? null : `tested on Linux, not on ${process.platform}`;
export const needsPosix =
  process.platform === 'win32' ? 'Windows has no such files, owners or signals' : null;

/** The title of a test that is skipped where `why` is not null. */
export function orLeftOut(title: string, why: string | null): string {
  return why === null ? title : `${title} (left out: ${why})`;
}
