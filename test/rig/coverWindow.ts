// A window of another program that comes up over a place of the screen: managed by the window manager and "always on top",
// or beside it (override-redirect), as menus and notifications are.
import { promisify } from 'node:util';
import x11 from 'x11';
import type { Display } from 'x11';
import type { Rect } from './timecode.ts';

/** 0xRRGGBB of every pixel: nothing else on the rig's screens has it. */
export const COVER_COLOUR = 0xff00ff;
const ATOM = 4;
const INPUT_OUTPUT = 1;

export interface CoverWindow {
  /** Above all others of its kind. */
  raise(): Promise<void>;
  close(): Promise<void>;
}

/** Resolves when the X server has shown it, or has passed the request to the window manager. */
export async function coverPlace(
  display: string,
  { x, y, width, height }: Rect,
  kind: 'managed' | 'override-redirect',
): Promise<CoverWindow> {
  const opened = await promisify<Display>((done) =>
    x11.createClient({ display }, (error, one) => done(error ?? null, one)),
  )();
  const { client } = opened;
  const screen = opened.screen[0]!;
  const window = client.AllocID();
  client.CreateWindow(window, screen.root, x, y, width, height, 0, screen.root_depth, INPUT_OUTPUT, 0, {
    backgroundPixel: COVER_COLOUR,
    overrideRedirect: kind === 'override-redirect',
  });
  if (kind === 'managed') {
    const atom = promisify(client.InternAtom.bind(client, false));
    const [state, above, hints] = await Promise.all([
      atom('_NET_WM_STATE'),
      atom('_NET_WM_STATE_ABOVE'),
      atom('WM_NORMAL_HINTS'),
    ]);
    client.ChangeProperty(0, window, state, ATOM, 32, [above]);
    // USPosition and USSize (ICCCM 4.1.2.3): the window manager leaves it where it is.
    client.ChangeProperty(0, window, hints, 41, 32, [3, x, y, width, height, ...Array<number>(13).fill(0)]);
  }
  client.MapWindow(window);
  await client.sync();
  return {
    async raise() {
      client.RaiseWindow(window);
      await client.sync();
    },
    async close() {
      client.DestroyWindow(window);
      await client.sync();
      client.terminate();
    },
  };
}
