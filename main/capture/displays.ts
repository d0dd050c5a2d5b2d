// What is recorded: which monitors, their places in the video, how ffmpeg's grabber reaches them, and when that changes. The
// platform reports changes; nothing is polled.

import { windowsHelper } from '../platform/windowsHelper.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Monitor, PlacedMonitor, Rect } from '../shared/names.ts';
import type { Grab } from './ffmpegCommand.ts';
import type { Canvas, Composition, Fit, MonitorSource } from './layout.ts';
import { chooseMonitors, compose, fit, place } from './layout.ts';
import type { X11Listener } from './x11Display.ts';
import { X11Display, waylandUnsupported } from './x11Display.ts';
import { windowsMonitors } from './windowsMonitors.ts';

export interface DisplayLayout {
  readonly grab: Grab;
  readonly composition: Composition;
  readonly fit: Fit;
  readonly monitors: readonly PlacedMonitor[];
  /** Not recorded because of `maxMonitors`. */
  readonly leftOut: readonly Monitor[];
  /** Equal for equal layouts. */
  readonly signature: string;
}

export interface Displays {
  /**
   * @param canvas the recording's frame size; null: this layout decides it
   * @returns null when the display is there, but no monitor is on
   * @throws SightlineError NO_DISPLAY when there is no display at all, WAYLAND_UNSUPPORTED when it is not the whole screen
   */
  current(canvas: Canvas | null): Promise<DisplayLayout | null>;
  /** Resolves where `current` may work. @throws SightlineError WAYLAND_UNSUPPORTED, or NO_DISPLAY */
  reach(): Promise<void>;
  /** Called when the layout may have changed, from the first `current` until the process ends. */
  onChange(listener: () => void): void;
  /** Disconnects from the display; `current` would reconnect. */
  close(): void;
}

export interface DisplaysOptions {
  readonly platform: NodeJS.Platform;
  readonly policy: {
    /** The X display to record (`:0`), or null for the one that the environment names; X11 only. */
    readonly display: string | null;
    /** Read for each layout: policy may change. */
    readonly maxMonitors: number;
  };
}

export function displaysOf(options: DisplaysOptions): Displays {
  const { platform, policy } = options;
  switch (platform) {
    case 'win32':
      // Windows itself is more exact than Electron, which guesses the size of scaled monitors.
      return knownMonitors(windowsMonitors(windowsHelper), policy, (area) => ({ device: 'gdigrab', area }));
    default: {
      const name = policy.display ?? process.env.DISPLAY ?? '';
      const grabOf = (area: Rect): Grab => ({ device: 'x11grab', display: name, area });
      const monitors = new X11Monitors(name);
      return { ...knownMonitors(monitors, policy, grabOf), reach: () => monitors.reach() };
    }
  }
}

function knownMonitors(
  source: MonitorSource,
  policy: Pick<DisplaysOptions['policy'], 'maxMonitors'>,
  grabOf: (area: Rect) => Grab,
): Displays {
  return {
    async current(canvas) {
      const { recorded, leftOut } = chooseMonitors(await source.monitors(), policy.maxMonitors);
      if (recorded.length === 0) return null;
      const composition = compose(recorded);
      const fitted = fit(composition, canvas);
      return {
        grab: grabOf(composition.area),
        ...{ composition, fit: fitted },
        monitors: place(recorded, composition, fitted),
        leftOut,
        signature: JSON.stringify([recorded, leftOut]),
      };
    },
    reach: () => Promise.resolve(),
    onChange: (listener) => source.onChange(listener),
    close: () => source.close(),
  };
}

/** One connection to the X server, opened on first use and reopened after it was lost. */
class X11Monitors implements MonitorSource {
  private connection: Promise<X11Display> | null = null;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly name: string) {}

  async reach(): Promise<void> {
    await this.connect();
  }

  async monitors(): Promise<Monitor[]> {
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

  private async connect(): Promise<X11Display> {
    if (this.name === '') {
      const { WAYLAND_DISPLAY, XDG_SESSION_TYPE } = process.env;
      if (WAYLAND_DISPLAY !== undefined || XDG_SESSION_TYPE === 'wayland') throw waylandUnsupported();
      throw new SightlineError(
        'NO_DISPLAY',
        'No display is named. Start Sightline inside the agent\'s session, or set "display" (for example :0).',
      );
    }
    const notify = (): void => this.listeners.forEach((listener) => listener());
    const listener: X11Listener = {
      changed: notify,
      gone: () => {
        this.connection = null;
        notify();
      },
    };
    this.connection ??= X11Display.connect(this.name, listener).catch((error: unknown) => {
      this.connection = null;
      throw error;
    });
    return this.connection;
  }
}
