// What every program of ours does before anything else, so that the user's environment cannot weaken it.

const OTHERS = 0o077;

/**
 * For the programs that we start and for theirs: Windows then searches no current folder for a bare name
 * (NeedCurrentDirectoryForExePathW).
 */
export function keepCurrentFolderOutOfSearch(): void {
  process.env.NoDefaultCurrentDirectoryInExePath = '1';
}

/** For programs that run for long: before the first file is made. */
export function keepNewFilesPrivate(): void {
  if (process.platform !== 'win32') process.umask(OTHERS);
}

/**
 * Certificates are always checked: tokens, credentials and recordings go over these connections. A variable switches that
 * off for every client in the process; Node reads it for each connection (lib/_tls_wrap.js).
 * @returns what to log when it was set
 */
export function insistOnCertificates(environment: NodeJS.ProcessEnv = process.env): string | null {
  const wasOff = environment.NODE_TLS_REJECT_UNAUTHORIZED === '0';
  delete environment.NODE_TLS_REJECT_UNAUTHORIZED;
  return wasOff
    ? "NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always checked. Add your own authority to the system's store."
    : null;
}

/** Where the system and its administrator install programs. */
const SYSTEM_PATH: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  win32: 'C:\\Windows\\System32',
  linux: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin',
};
/** logind's bus and the session to ask about (main/platform/logind.ts). */
const LEFT_OUT = ['DBUS_SYSTEM_BUS_ADDRESS', 'XDG_SESSION_ID'];

/** Changes the environment for this process and its children. */
export function trustNoEnvironment(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): void {
  environment.PATH = SYSTEM_PATH[platform] ?? '';
  for (const name of LEFT_OUT) Reflect.deleteProperty(environment, name);
}
