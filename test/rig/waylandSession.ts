// A Wayland session of a test's own: the compositor cage without a screen or a GPU, and the XWayland that it starts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs, findTool } from './process.ts';
import { asUser } from './users.ts';

const HINT = 'Install it (on Debian: apt install cage xwayland x11-xserver-utils), or run `npm run setup`.';
/** cage refuses to run as root. */
const NOBODY = 65_534;
const STARTED_WITHIN_MS = 20_000;

export interface WaylandSession {
  /** `:N` of XWayland. */
  readonly display: string;
  /** What programs of the session have. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startWaylandSession(): Promise<WaylandSession> {
  const isRoot = process.getuid?.() === 0;
  const home = await mkdtemp(join(tmpdir(), 'sightline-wayland-'));
  if (isRoot) await chown(home, NOBODY, NOBODY);
  const cage = findTool(['cage'], HINT);
  findTool(['Xwayland'], HINT);
  // XWayland admits its own user only; xhost adds us. It is started by its first client. cat ends with its input, which ends with us.
  const inside = `${findTool(['xhost'], HINT)} +si:localuser:root >&2; echo "$DISPLAY $WAYLAND_DISPLAY"; exec cat`;
  const words = [...(isRoot ? asUser(NOBODY) : []), cage, '--', 'sh', '-c', inside];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...{ PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: home },
      ...{ WLR_BACKENDS: 'headless', WLR_RENDERER: 'pixman', WLR_LIBINPUT_NO_DEVICES: '1' },
    },
  });
  endWithUs(child);
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(home, { recursive: true, force: true });
  };
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const names = new Promise<string>((resolve, reject) => {
    let line = '';
    child.stdout.on('data', (chunk: Buffer) => {
      line += chunk.toString();
      if (line.includes('\n')) resolve(line.trim());
    });
    const fail = (): void => reject(new Error(`cage did not start a session. It said: ${said}`));
    void exited.then(fail);
    setTimeout(fail, STARTED_WITHIN_MS).unref();
  });
  try {
    const [display = '', waylandDisplay = ''] = (await names).split(' ');
    const environment = {
      WAYLAND_DISPLAY: waylandDisplay,
      XDG_RUNTIME_DIR: home,
      XDG_SESSION_TYPE: 'wayland',
    };
    return { display, environment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
