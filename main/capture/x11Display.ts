// An X display's monitors, read from the X server (RandR 1.3) over one connection that also reports changes. Needs no desktop
// program. Without RandR the whole screen counts as one monitor that never changes.

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import x11 from 'x11';
import type { Client, Display, RandrExtension } from 'x11';
import { withDeadline } from '../platform/deadline.ts';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import type { Monitor } from '../shared/names.ts';

const ANSWER_DEADLINE_MS = 5000;
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
    private readonly display: Display,
    private readonly randr: RandrExtension | null,
  ) {}

  /** @throws SightlineError NO_DISPLAY when the display cannot be reached */
  static async connect(name: string, listener: X11Listener): Promise<X11Display> {
    await requireReadableAuthority();
    const opened = openClient(name);
    let connected = false;
    try {
      return await inTime(
        (async () => {
          const display = await opened.display;
          const randr = await requireRandr(display.client);
          if (randr !== null) await promisify(randr.QueryVersion.bind(randr))(1, 3);
          display.client.on('event', ({ name: event }: { name?: string }) => {
            if (event === 'RRScreenChangeNotify') listener.changed();
          });
          const root = display.screen[0]?.root;
          if (root !== undefined) randr?.SelectInput(root, SCREEN_CHANGE);
          connected = true;
          return new X11Display(name, display, randr);
        })(),
      );
    } catch (error) {
      hangUp(opened.client);
      throw unreachableDisplay(name, error);
    } finally {
      const lost = once(() => {
        if (connected) listener.gone();
      });
      opened.client.on('end', lost).on('error', lost);
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
    this.display.client.removeAllListeners('end');
    hangUp(this.display.client);
  }

  private async list(): Promise<Monitor[]> {
    const screen = this.display.screen[0];
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

/** The x11 package throws outside of all handlers when it cannot read this file. */
async function requireReadableAuthority(): Promise<void> {
  const path = process.env.XAUTHORITY ?? join(homedir(), '.Xauthority');
  try {
    await readFile(path);
  } catch (error) {
    const code = errno(error);
    if (code === 'ENOENT') return;
    throw new SightlineError(
      'NO_DISPLAY',
      `The X authority file ${path} cannot be read (${code ?? 'unknown'}). Make it readable for this user, or set XAUTHORITY to one that is.`,
      { cause: error },
    );
  }
}

function openClient(name: string): { client: Client; display: Promise<Display> } {
  const waiting: { resolve: (display: Display) => void; reject: (error: Error) => void }[] = [];
  const display = new Promise<Display>((resolve, reject) => waiting.push({ resolve, reject }));
  const fail = (error: Error): void => waiting.forEach(({ reject }) => reject(error));
  const client = x11.createClient({ display: name }, (error, connected) => {
    if (error) fail(error);
    else waiting.forEach(({ resolve }) => resolve(connected));
  });
  client.on('error', fail).on('end', () => fail(new Error('the X server closed the connection')));
  return { client, display };
}

function hangUp(client: Client): void {
  try {
    client.terminate();
  } catch {
    // It was never connected.
  }
}

function requireRandr(client: Client): Promise<RandrExtension | null> {
  return new Promise((resolve) => {
    client.require('randr', (error, extension) => resolve(error === null ? extension : null));
  });
}

/** A stopped X server does not answer. */
function inTime<T>(work: Promise<T>): Promise<T> {
  return withDeadline(work, ANSWER_DEADLINE_MS, () => new Error('the X server does not answer'));
}

function unreachableDisplay(name: string, cause: unknown): SightlineError {
  return new SightlineError(
    'NO_DISPLAY',
    `The display ${name} cannot be reached (${errorMessage(cause)}). Check that its session runs and that "display" names it.`,
    { cause },
  );
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
