// What there is to record: which monitors, where they stand in the picture, how ffmpeg's grabber reaches them, and
// when that changes. Nothing is polled: the platform tells.

import { findDeskProgram } from '../platform/deskProgram.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Monitor, PlacedMonitor } from '../shared/names.ts';
import type { Grab, PictureCommand } from './ffmpegCommand.ts';
import type { Canvas } from './layout.ts';
import { chooseMonitors, compose, fit, place } from './layout.ts';
import type { MonitorSource } from './monitorSource.ts';
import type { X11Listener } from './x11Display.ts';
import { X11Display } from './x11Display.ts';
import { WindowsMonitors } from './windowsDesk.ts';

export interface DisplayLayout {
  readonly grab: Grab;
  readonly picture: PictureCommand;
  /** Empty where the platform tells their geometry only to a windowed program. */
  readonly monitors: readonly PlacedMonitor[];
  /** More than `maxMonitors` allows. */
  readonly leftOut: readonly Monitor[];
  /** Equal for equal layouts. */
  readonly signature: string;
}

export interface Displays {
  /**
   * @param canvas the recording's picture, or null when this layout is to decide it
   * @returns null when the display is there, but no monitor is on
   * @throws SightlineError NO_DISPLAY when there is no display at all
   */
  current(canvas: Canvas | null): Promise<DisplayLayout | null>;
  /** Told when the layout may be another one, until the end of the process; from the first `current` on. */
  onChange(listener: () => void): void;
  /** Lets go of the display; `current` would take hold of it again. */
  close(): void;
}

export type { MonitorSource } from './monitorSource.ts';

export interface DisplaysOptions {
  readonly platform: NodeJS.Platform;
  /** The X display to record (`:0`), or null for the one that the environment names; X11 only. */
  readonly display: string | null;
  /** Read anew for each layout: policy may change. */
  readonly maxMonitors: number;
  /** Electron's on Windows and macOS; null without it. */
  readonly source: MonitorSource | null;
}

export function displaysOf(options: DisplaysOptions): Displays {
  const { platform, display, source } = options;
  switch (platform) {
    case 'win32': {
      const program = findDeskProgram();
      // Windows itself knows better than Electron, which has to guess the size of scaled monitors.
      const monitors = program === null ? source : new WindowsMonitors(program);
      if (monitors === null) return unknownMonitors({ device: 'gdigrab', area: null });
      return knownMonitors(monitors, options, (area) => ({ device: 'gdigrab', area }));
    }
    case 'darwin':
      // avfoundation grabs one whole screen by its number: the main one.
      return unknownMonitors({ device: 'avfoundation', screenIndex: 1 });
    default: {
      const name = display ?? process.env.DISPLAY ?? '';
      return knownMonitors(new X11Monitors(name), options, (area) => ({
        device: 'x11grab',
        display: name,
        area,
      }));
    }
  }
}

/** Without a list of monitors the grabber takes the whole desktop, whatever its layout. */
function unknownMonitors(grab: Grab): Displays {
  return {
    current: (canvas) =>
      Promise.resolve({
        grab,
        picture: { kind: 'whole', canvas },
        monitors: [],
        leftOut: [],
        signature: 'whole',
      }),
    onChange: () => undefined,
    close: () => undefined,
  };
}

function knownMonitors(
  source: MonitorSource,
  limits: Pick<DisplaysOptions, 'maxMonitors'>,
  grabOf: (area: { x: number; y: number; width: number; height: number }) => Grab,
): Displays {
  return {
    async current(canvas) {
      const { recorded, leftOut } = chooseMonitors(await source.monitors(), limits.maxMonitors);
      if (recorded.length === 0) return null;
      const composition = compose(recorded);
      const fitted = fit(composition, canvas);
      return {
        grab: grabOf(composition.area),
        picture: { kind: 'composed', composition, fit: fitted },
        monitors: place(recorded, composition, fitted),
        leftOut,
        signature: JSON.stringify([recorded, leftOut]),
      };
    },
    onChange: (listener) => source.onChange(listener),
    close: () => source.close(),
  };
}

/** One connection to the X server, made when it is first needed and again after it was lost. */
class X11Monitors implements MonitorSource {
  private connection: Promise<X11Display> | null = null;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly name: string) {}

  async monitors(): Promise<Monitor[]> {
    if (this.name === '') {
      throw new SightlineError(
        'NO_DISPLAY',
        'No display is named. Start Sightline inside the agent\'s session, or set "display" (for example :0).',
      );
    }
    const display = await this.connect();
    try {
      return await display.monitors();
    } catch (error) {
      display.close();
      this.connection = null;
      throw error;
    }
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    this.connection?.then((display) => display.close()).catch(() => undefined);
    this.connection = null;
  }

  private connect(): Promise<X11Display> {
    const tell = (): void => this.listeners.forEach((listener) => listener());
    const listener: X11Listener = {
      changed: tell,
      gone: () => {
        this.connection = null;
        tell();
      },
    };
    this.connection ??= X11Display.connect(this.name, listener).catch((error: unknown) => {
      this.connection = null;
      throw error;
    });
    return this.connection;
  }
}
