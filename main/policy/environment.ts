// Where an administrator decides, this process takes less from the environment, which the agent can set: PATH must not
// choose the ffmpeg that runs, and only the system says whether the screen is locked. More in docs/policy.md.

/** Where the system and its administrator install programs. */
const SYSTEM_PATH: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  win32: 'C:\\Windows\\System32',
  darwin: '/usr/bin:/bin:/usr/sbin:/sbin',
  linux: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin',
};
/** logind's bus and the session to ask about (main/platform/logind.ts). */
const LEFT_OUT = ['DBUS_SYSTEM_BUS_ADDRESS', 'XDG_SESSION_ID'];

/** Changes the environment for this process and its children. */
export function trustNoEnvironment(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): void {
  environment.PATH = SYSTEM_PATH[platform] ?? '';
  for (const name of LEFT_OUT) Reflect.deleteProperty(environment, name);
}
