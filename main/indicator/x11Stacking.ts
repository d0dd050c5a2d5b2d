// Keeps the indicator above all other windows of an X display. Electron makes a window that takes no focus override-redirect: the
// window manager does not restack it, and neither does BrowserWindow.moveTop(), which asks the window manager. The X server
// reports every window that comes up or is raised; nothing is polled.

import { promisify } from 'node:util';
import x11 from 'x11';
import type { Logger } from '../platform/log.ts';
import { connectX11, inTime } from '../platform/x11Connection.ts';
import type { X11Connection } from '../platform/x11Connection.ts';
import { errorMessage } from '../shared/errors.ts';

/** Changes come in bursts. Also the pace at which another window that wants to be the highest is answered. */
const PACE_MS = 250;

export class X11Stacking {
  private connection: Promise<X11Connection> | null = null;
  private timer: NodeJS.Timeout | undefined;

  /** @param windows the X windows to keep above all others, read at each change */
  constructor(
    private readonly displayName: string,
    private readonly windows: () => readonly number[],
    private readonly log: Logger,
  ) {}

  /** Raises the windows, now and whenever others change their order, until stop(). */
  follow(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const connection = (this.connection ??= this.connect());
      this.raise(connection).catch((error: unknown) => {
        if (this.connection !== connection) return;
        this.log.warn('the indicator could not be raised', { reason: errorMessage(error) });
        this.stop();
      });
    }, PACE_MS).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.connection?.then((connection) => connection.close()).catch(() => undefined);
    this.connection = null;
  }

  private async raise(connection: Promise<X11Connection>): Promise<void> {
    const { client, screen } = (await connection).display;
    const root = screen[0]?.root ?? 0;
    const { children } = await inTime(promisify(client.QueryTree.bind(client))(root));
    // From the lowest to the highest. A window manager that manages them after all is asked by moveTop().
    const ours = children.filter((child) => this.windows().includes(child));
    const highest = children.slice(children.length - ours.length);
    if (highest.every((child) => ours.includes(child))) return;
    for (const window of ours) client.RaiseWindow(window);
  }

  private async connect(): Promise<X11Connection> {
    const connection = await connectX11(this.displayName, () => (this.connection = null));
    const { client, screen } = connection.display;
    client.on('event', () => this.follow());
    if (screen[0] !== undefined)
      client.ChangeWindowAttributes(screen[0].root, { eventMask: x11.eventMask.SubstructureNotify });
    return connection;
  }
}
