// An X display's monitors, read from the X server (RandR 1.3) over one connection that also reports changes. Needs no desktop
// program. Without RandR the whole screen counts as one monitor that never changes.

import { promisify } from 'node:util';
import type { Client, RandrExtension } from 'x11';
import { connectX11, inTime, unreachableDisplay } from '../platform/x11Connection.ts';
import type { X11Connection } from '../platform/x11Connection.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Monitor } from '../shared/names.ts';

/** RRScreenChangeNotifyMask of the RandR protocol; the server sends it for every change of its configuration. */
const SCREEN_CHANGE = 1;

export interface X11Listener {
  /** The configuration may have changed. Called several times for one change. */
  readonly changed: () => void;
  /** The connection is lost, and this object is unusable. Not called after close(). */
  readonly gone: () => void;
}

export class X11Display {
  private constructor(
    private readonly name: string,
    private readonly connection: X11Connection,
    private readonly randr: RandrExtension | null,
  ) {}

  /** @throws SightlineError NO_DISPLAY when the display cannot be reached, WAYLAND_UNSUPPORTED when it is XWayland */
  static async connect(name: string, listener: X11Listener): Promise<X11Display> {
    let connected = false;
    const connection = await connectX11(name, () => {
      if (connected) listener.gone();
    });
    const { client, screen } = connection.display;
    const root = screen[0]?.root;
    try {
      const randr = await inTime(requireRandr(client));
      if (randr !== null) await inTime(promisify(randr.QueryVersion.bind(randr))(1, 3));
      if (await inTime(isXwayland(client, randr, root))) throw waylandUnsupported();
      client.on('event', ({ name: event }: { name?: string }) => {
        if (event === 'RRScreenChangeNotify') listener.changed();
      });
      if (root !== undefined) randr?.SelectInput(root, SCREEN_CHANGE);
      connected = true;
      return new X11Display(name, connection, randr);
    } catch (error) {
      connection.close();
      throw unreachableDisplay(name, error);
    }
  }

  /** From left to right and top to bottom; none when no output is on. @throws SightlineError NO_DISPLAY */
  async monitors(): Promise<Monitor[]> {
    try {
      return await inTime(this.list());
    } catch (error) {
      throw unreachableDisplay(this.name, error);
    }
  }

  close(): void {
    this.connection.close();
  }

  private async list(): Promise<Monitor[]> {
    const screen = this.connection.display.screen[0];
    if (screen === undefined) throw new Error('it has no screen');
    const { randr } = this;
    if (randr === null) {
      const { pixel_width: width, pixel_height: height } = screen;
      return [{ name: 'screen', x: 0, y: 0, width, height, primary: true }];
    }
    const resources = await promisify(randr.GetScreenResourcesCurrent.bind(randr))(screen.root);
    const primaryOutput = await promisify(randr.GetOutputPrimary.bind(randr))(screen.root);
    const outputInfo = promisify(randr.GetOutputInfo.bind(randr));
    const crtcInfo = promisify(randr.GetCrtcInfo.bind(randr));
    const crtcs = await Promise.all(resources.crtcs.map((crtc) => crtcInfo(crtc, 0)));
    const monitors = await Promise.all(
      crtcs
        .filter((crtc) => crtc.mode !== 0 && crtc.width > 0 && crtc.height > 0)
        .map(async (crtc): Promise<Monitor> => {
          const output = crtc.output[0];
          const name = output === undefined ? 'screen' : (await outputInfo(output, 0)).name;
          const { x, y, width, height } = crtc;
          return { name, x, y, width, height, primary: output === primaryOutput };
        }),
    );
    const sorted = monitors.sort((a, b) => a.x - b.x || a.y - b.y);
    // A server may have no primary monitor; then it is the leftmost one.
    return sorted.map((monitor, index) =>
      sorted.some((one) => one.primary) ? monitor : { ...monitor, primary: index === 0 },
    );
  }
}

/** The session's compositor draws the screen; XWayland knows the windows of X11 programs only, and its root window is black. */
export function waylandUnsupported(): SightlineError {
  return new SightlineError(
    'WAYLAND_UNSUPPORTED',
    'This is a Wayland session, in which Sightline cannot record the screen. Log out, and choose the "Xorg" (X11) session at the log-in screen.',
  );
}

/**
 * Asked of the server, because a service may lack the session's variables, and Xvfb may run in a Wayland session. XWayland has
 * an extension of this name since 23.1; before, it names its outputs so (22.1.9 looked at).
 */
async function isXwayland(
  client: Client,
  randr: RandrExtension | null,
  root: number | undefined,
): Promise<boolean> {
  const extension = await promisify(client.QueryExtension.bind(client))('XWAYLAND');
  if (Number(extension.present) === 1) return true;
  if (randr === null || root === undefined) return false;
  const { outputs } = await promisify(randr.GetScreenResourcesCurrent.bind(randr))(root);
  const infos = outputs.map((output) => promisify(randr.GetOutputInfo.bind(randr))(output, 0));
  return (await Promise.all(infos)).some(({ name }) => name.startsWith('XWAYLAND'));
}

function requireRandr(client: Client): Promise<RandrExtension | null> {
  return new Promise((resolve) => {
    client.require('randr', (error, extension) => resolve(error === null ? extension : null));
  });
}
