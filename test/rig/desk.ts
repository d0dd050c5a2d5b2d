// An agent's desk for tests: monitors with a painter on each, in one call, gone in one call. What the recorder makes
// of it can be read back from the pixels (recordingFrames.ts).
import { startDisplay } from './display.ts';
import { lateCodesOf, type LateCodes } from './lateCodes.ts';
import { startPainter, type Painter, type SceneName, type Shown } from './painter.ts';
import { outputName, startXorgDummy, type XorgDummy } from './xorgDummy.ts';
import type { Rect } from './timecode.ts';

/**
 * A monitor on the desktop, in pixels. A portrait one is higher than wide; what turned it is of no matter. A desktop
 * of X begins at 0,0: a layout that does not is moved there.
 */
export interface MonitorSpec extends Rect {
  /** The first one is, unless another says so. */
  primary?: boolean;
}

export interface DeskMonitor extends Rect {
  /** In its block code: 1 for the first of the specs, whether or not others are plugged. */
  number: number;
  /** As the manifest names it. */
  name: string;
  primary: boolean;
}

export interface DeskOptions {
  monitors: readonly (MonitorSpec | null)[];
  /** Whether `arrange` will be used; with one monitor that never changes a lighter server does. */
  changeable?: boolean;
  /** 'timecode' unless told. */
  scene?: SceneName;
  /** Pictures a second, 25 unless told. */
  fps?: number;
  /** The X server runs as another user, by number (root only; one monitor only). */
  user?: number;
}

export interface Desk {
  /** `:N` */
  readonly display: string;
  /** As they are now; those that are unplugged are not among them. */
  readonly monitors: readonly DeskMonitor[];
  readonly painters: readonly Painter[];
  /** A new layout in one step; null: unplugged. The specs are for the same monitors, in the same order, as at the start. */
  arrange(specs: readonly (MonitorSpec | null)[]): Promise<{ askedAtMs: number; appliedAtMs: number }>;
  setPhase(phase: number): Promise<Shown>;
  /** On all monitors: first painted on one, last shown on another. */
  showSensitive(on: boolean): Promise<Shown>;
  /** Codes that a late painter left standing until now. */
  lateCodes(): Promise<LateCodes>;
  /** The longest time that a picture was left standing on any monitor. */
  longestGapMs(): Promise<number>;
  stop(): Promise<void>;
}

/** The one monitor of most tests. */
export const oneMonitor: readonly MonitorSpec[] = [{ x: 0, y: 0, width: 1280, height: 720 }];

/** Starts it all; resolves when every monitor shows its first picture. */
export async function startDesk(options: DeskOptions): Promise<Desk> {
  const { scene = 'timecode', fps = 25, changeable = false, user } = options;
  const first = fromOrigin(options.monitors);
  const only = first.length === 1 && !changeable ? first[0] : null;
  const xorg = only === null || only === undefined ? await startXorgDummy() : null;
  const display =
    xorg ??
    (await startDisplay({
      ...{ width: only?.width ?? 1280, height: only?.height ?? 720 },
      ...(user === undefined ? {} : { user }),
    }));
  let monitors: DeskMonitor[] = [];
  const painters: Painter[] = [];

  const stop = async (): Promise<void> => {
    await Promise.all(painters.map((painter) => painter.stop()));
    await display.stop();
  };
  try {
    if (xorg !== null) await setOutputs(xorg, first);
    monitors = deskMonitors(first, xorg !== null);
    painters.push(
      ...(await Promise.all(
        first.map(async (spec, index) => {
          const area = spec ?? { x: 0, y: 0, width: 640, height: 480 };
          const painter = await startPainter({
            display: display.display,
            scene,
            fps,
            monitor: index + 1,
            area,
          });
          if (spec === null) await painter.setArea(null);
          return painter;
        }),
      )),
    );
  } catch (error) {
    await stop();
    throw error;
  }

  const onAll = async (act: (painter: Painter) => Promise<Shown>): Promise<Shown> => {
    const shown = await Promise.all(painters.map(act));
    return {
      paintedAtMs: Math.min(...shown.map((one) => one.paintedAtMs)),
      shownAtMs: Math.max(...shown.map((one) => one.shownAtMs)),
    };
  };
  return {
    display: display.display,
    get monitors() {
      return monitors;
    },
    painters,
    async arrange(wanted) {
      const specs = fromOrigin(wanted);
      if (xorg === null) throw new Error('Say `changeable` at the start: this desk cannot be rearranged.');
      const askedAtMs = Date.now();
      await setOutputs(xorg, specs);
      const appliedAtMs = Date.now();
      const before = monitors;
      monitors = deskMonitors(specs, true);
      await Promise.all(
        painters.map(async (painter, index) => {
          const isSame = (one: DeskMonitor): boolean => one.number === index + 1;
          const [from, to] = [before.find(isSame), monitors.find(isSame)];
          if (!isSameRect(from, to)) await painter.setArea(to ?? null);
        }),
      );
      return { askedAtMs, appliedAtMs };
    },
    setPhase: (phase) => onAll((painter) => painter.setPhase(phase)),
    showSensitive: (on) => onAll((painter) => painter.showSensitive(on)),
    lateCodes: () => lateCodesOf(painters),
    async longestGapMs() {
      const stats = await Promise.all(painters.map((painter) => painter.stats()));
      return Math.max(...stats.map((one) => one.longestGapMs));
    },
    stop,
  };
}

function fromOrigin(specs: readonly (MonitorSpec | null)[]): (MonitorSpec | null)[] {
  const on = specs.filter((spec) => spec !== null);
  const x = Math.min(...on.map((spec) => spec.x));
  const y = Math.min(...on.map((spec) => spec.y));
  return specs.map((spec) => (spec === null ? null : { ...spec, x: spec.x - x, y: spec.y - y }));
}

function setOutputs(xorg: XorgDummy, specs: readonly (MonitorSpec | null)[]): Promise<void> {
  const primary = primaryOf(specs);
  return xorg.setOutputs(
    specs.map((spec, index) => (spec === null ? null : { ...spec, primary: index === primary })),
  );
}

function deskMonitors(specs: readonly (MonitorSpec | null)[], hasOutputs: boolean): DeskMonitor[] {
  const primary = primaryOf(specs);
  return specs.flatMap((spec, index) =>
    spec === null
      ? []
      : [
          {
            ...spec,
            number: index + 1,
            name: hasOutputs ? outputName(index) : 'screen',
            primary: index === primary,
          },
        ],
  );
}

function primaryOf(specs: readonly (MonitorSpec | null)[]): number {
  const named = specs.findIndex((spec) => spec?.primary === true);
  return named >= 0 ? named : specs.findIndex((spec) => spec !== null);
}

function isSameRect(a: Rect | undefined, b: Rect | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
