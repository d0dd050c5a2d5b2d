// A desktop with a window manager, a panel that hosts tray icons and a session bus, as on an agent's machine. Screenshots
// are of the whole screen.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Display } from './display.ts';
import { startDisplay } from './display.ts';
import { startBus } from './login1.ts';
import type { Rect } from './timecode.ts';
import { FFMPEG_HINT, endWithUs, findOptionalTool, findTool, run, runOrThrow } from './process.ts';

const WIDTH = 1440;
const HEIGHT = 900;
/** Of the panel, in pixels; the tray's icon is a square of it at the right. */
const PANEL = 32;

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface TrayDesk {
  readonly display: string;
  /** For programs that are started there. */
  readonly environment: Readonly<Record<string, string>>;
  /** The whole screen as PNG. */
  picture(file: string): Promise<void>;
  /** The newest tray icon's pixels (RGB), as they are. */
  trayIcon(): Promise<Buffer>;
  /** Opens the tray icon's menu; a key closes it. */
  openTrayMenu(): Promise<void>;
  /** Takes the mouse away from everything that shows a tooltip. */
  moveMouseAway(): Promise<void>;
  /** With Alt+F4: of a window that takes the focus. */
  closeWindow(title: string): Promise<void>;
  key(...keys: readonly string[]): Promise<void>;
  /** Whether a window with the title is shown now. */
  isShown(title: string): Promise<boolean>;
  /** Resolves when a window with the title is shown, with its number. */
  window(title: string): Promise<string>;
  /** Where a window is on the screen, in pixels. */
  placeOf(title: string): Promise<Rect>;
  /** The same of all windows with the title that are shown now, from left to right. */
  placesOf(title: string): Promise<Rect[]>;
  click(x: number, y: number): Promise<void>;
  drag(from: Point, to: Point): Promise<void>;
  /** The first half of a drag: the button stays down. */
  grip(from: Point, to: Point): Promise<void>;
  release(): Promise<void>;
  moveWindow(title: string, x: number, y: number): Promise<void>;
  stop(): Promise<void>;
}

/** Why there can be none on this machine, or null. */
export function missingForTrayDesk(): string | null {
  if (process.platform !== 'linux') return 'it needs an X display';
  const missing = ['openbox', 'trayer', 'xdotool'].filter((name) => findOptionalTool([name]) === undefined);
  return missing.length === 0 ? null : `${missing.join(', ')} missing`;
}

/** @param given a display that is the caller's to stop; without one the desk starts its own */
export async function startTrayDesk(given?: Display): Promise<TrayDesk> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-desk-'));
  const screen = given ?? (await startDisplay({ width: WIDTH, height: HEIGHT }));
  const bus = await startBus(home);
  const environment = {
    DISPLAY: screen.display,
    DBUS_SESSION_BUS_ADDRESS: bus.address,
    XDG_CONFIG_HOME: join(home, 'config'),
  };
  const children: ChildProcess[] = [];
  const start = (name: string, args: readonly string[]): void => {
    const child = spawn(findTool([name], 'Run `npm run setup`.'), args, {
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
    endWithUs(child);
    children.push(child);
  };
  start('openbox', ['--sm-disable']);
  // A plain background, where there is such a tool.
  await run('xsetroot', ['-display', screen.display, '-solid', '#2f5d7c']).catch(() => undefined);
  start('trayer', [
    ...[
      '--edge',
      'bottom',
      '--align',
      'right',
      '--SetDockType',
      'true',
      '--SetPartialStrut',
      'true',
      '--height',
      String(PANEL),
    ],
    ...['--widthtype', 'request', '--tint', '0x303840', '--transparent', 'true', '--alpha', '0'],
  ]);
  const ffmpeg = findTool(['ffmpeg'], FFMPEG_HINT);
  const xdotool = (...words: string[]): Promise<string> =>
    runOrThrow('env', [`DISPLAY=${screen.display}`, 'xdotool', ...words]).then(({ stdout }) =>
      stdout.toString().trim(),
    );
  const moveTo = ({ x, y }: Point): string[] => [
    ...['mousemove', String(Math.round(x)), String(Math.round(y))],
    ...['sleep', '0.15'],
  ];
  const geometryOf = async (id: string): Promise<Rect> => {
    const said = await xdotool('getwindowgeometry', '--shell', id);
    const value = (name: string): number => Number(new RegExp(`^${name}=(-?\\d+)$`, 'm').exec(said)![1]);
    return { x: value('X'), y: value('Y'), width: value('WIDTH'), height: value('HEIGHT') };
  };
  const grab = ['-v', 'error', '-f', 'x11grab', '-draw_mouse', '0'];
  const input = (x: number, y: number): string[] => ['-i', `${screen.display}.0+${x},${y}`];
  const iconAt = { x: WIDTH - PANEL, y: HEIGHT - PANEL };

  return {
    display: screen.display,
    environment,
    async picture(file) {
      await runOrThrow(ffmpeg, [...grab, ...input(0, 0), '-frames:v', '1', '-y', file]);
    },
    async trayIcon() {
      const raw = join(home, 'icon.rgb');
      const size = ['-video_size', `${PANEL}x${PANEL}`];
      await runOrThrow(ffmpeg, [
        ...[...grab, ...size, ...input(iconAt.x, iconAt.y)],
        ...['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-y', raw],
      ]);
      return readFile(raw);
    },
    async openTrayMenu() {
      const [x, y] = [iconAt.x + PANEL / 2, iconAt.y + PANEL / 2].map(String) as [string, string];
      await xdotool('mousemove', x, y, 'sleep', '0.3', 'click', '3', 'sleep', '0.7');
    },
    async moveMouseAway() {
      await xdotool('mousemove', '20', String(HEIGHT - 20));
    },
    async closeWindow(title) {
      const [id] = (await xdotool('search', '--sync', '--onlyvisible', '--name', title)).split('\n');
      await xdotool('windowactivate', '--sync', id!, 'key', 'alt+F4');
    },
    async key(...keys) {
      await xdotool('key', '--delay', '80', ...keys);
    },
    async isShown(title) {
      const words = ['xdotool', 'search', '--onlyvisible', '--name', title];
      return (await run('env', [`DISPLAY=${screen.display}`, ...words])).code === 0;
    },
    window: (title) => xdotool('search', '--sync', '--onlyvisible', '--name', title),
    async placeOf(title) {
      const [id] = (await xdotool('search', '--sync', '--onlyvisible', '--name', title)).split('\n');
      return geometryOf(id!);
    },
    async placesOf(title) {
      const words = ['xdotool', 'search', '--onlyvisible', '--name', title];
      const { stdout } = await run('env', [`DISPLAY=${screen.display}`, ...words]);
      const ids = stdout
        .toString()
        .split('\n')
        .filter((id) => id !== '');
      // One may be gone meanwhile.
      const places = await Promise.all(ids.map((id) => geometryOf(id).catch(() => null)));
      return places.filter((place) => place !== null).sort((a, b) => a.x - b.x || a.y - b.y);
    },
    async click(x, y) {
      await xdotool('mousemove', String(x), String(y), 'sleep', '0.2', 'click', '1');
    },
    async drag(from, to) {
      const half = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
      await xdotool(...moveTo(from), 'mousedown', '1', ...moveTo(half), ...moveTo(to));
      await xdotool('mouseup', '1', 'sleep', '0.3');
    },
    async grip(from, to) {
      await xdotool(...moveTo(from), 'mousedown', '1', ...moveTo(to));
    },
    async release() {
      await xdotool('mouseup', '1');
    },
    async moveWindow(title, x, y) {
      const [id] = (await xdotool('search', '--sync', '--onlyvisible', '--name', title)).split('\n');
      await xdotool('windowmove', '--sync', id!, String(x), String(y));
    },
    async stop() {
      for (const child of children) {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
      await bus.stop();
      if (given === undefined) await screen.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** For docs/pictures: a palette of 128 colours, which flat areas do not miss. */
export async function toPalette(from: string, to: string): Promise<void> {
  const filter =
    'split[a][b];[a]palettegen=max_colors=128:reserve_transparent=0[p];[b][p]paletteuse=dither=none';
  const words = ['-y', '-v', 'error', '-i', from, '-vf', filter, '-frames:v', '1', to];
  await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), words);
}
