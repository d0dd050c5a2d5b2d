import { describe, expect, it } from 'vitest';
import { captureArguments } from '../../../main/capture/ffmpegCommand.ts';
import { chooseMonitors, compose, fit, place } from '../../../main/capture/layout.ts';
import { windowsMonitors } from '../../../main/capture/windowsMonitors.ts';
import { physicalBounds } from '../../../main/platform/electronScreen.ts';
import type { HelperEvent, WindowsHelper } from '../../../main/platform/windowsHelper.ts';
import type { Monitor, Rect } from '../../../main/shared/names.ts';
import { displaysToMark, physicalRect } from '../../../main/indicator/model.ts';
import { windowsLayouts } from './windowsLayouts.ts';

const plain = ({ name, x, y, width, height, primary }: Monitor): Monitor => {
  return { name, x, y, width, height, primary };
};

/** ScaleToEnclosingRect, as far as sizes go. */
const enclosing = (size: number, scale: number): number => Math.ceil(size * scale - 1e-6);

/** Electron's `screen` over such a desktop, with Chromium's own rounding. */
function screenOf(monitors: readonly (Monitor & { scale: number })[]) {
  const displays = monitors.map((monitor, id) => {
    const { x, y, width, height, scale } = monitor;
    const bounds = {
      x: Math.floor(x / scale),
      y: Math.floor(y / scale),
      width: enclosing(width, 1 / scale),
      height: enclosing(height, 1 / scale),
    };
    return { id, label: monitor.name, bounds, scaleFactor: scale, monitor };
  });
  return {
    getAllDisplays: () => displays,
    dipToScreenRect(_: null, rect: Rect): Rect {
      const { monitor, scaleFactor } = displays.find(({ bounds }) => bounds === rect)!;
      const [width, height] = [enclosing(rect.width, scaleFactor), enclosing(rect.height, scaleFactor)];
      return { x: monitor.x, y: monitor.y, width, height };
    },
  };
}

describe.each(windowsLayouts)('$what', ({ monitors, area, picture }) => {
  const { recorded } = chooseMonitors(monitors.map(plain), 3);
  const composition = compose(recorded);
  const fitted = fit(composition, null);

  it('is asked of gdigrab as one rectangle inside the desktop, with its sign', () => {
    expect(composition.area).toEqual(area);
    const words = captureArguments({
      grab: { device: 'gdigrab', area: composition.area },
      ...{ composition, fit: fitted },
      ...{ fps: 5, encoder: 'libopenh264', quality: 'balanced', isPatched: true },
    });
    const after = (word: string): string | undefined => words[words.indexOf(word) + 1];
    expect(after('-offset_x')).toBe(String(area.x));
    expect(after('-offset_y')).toBe(String(area.y));
    expect(after('-video_size')).toBe(`${area.width}x${area.height}`);
    // Options of the grabber come before it.
    expect(words.indexOf('-offset_x')).toBeLessThan(words.indexOf('-i'));
  });

  it('has the pill on just the monitors that are recorded', () => {
    const screen = screenOf(monitors);
    const areas = screen.getAllDisplays().map((display) => {
      const physical = physicalRect(screen, display, 'win32');
      return { id: display.id, physical, primary: display.monitor.primary };
    });
    for (const { physical, id } of areas) {
      const { x, y, width, height } = monitors[id]!;
      expect(physical).toEqual({ x, y, width, height });
    }
    const marked = displaysToMark(recorded, areas).map((id) => monitors[id]!.name);
    expect(marked.sort()).toEqual(recorded.map(({ name }) => name).sort());
  });

  it('becomes an even picture in which each monitor has its place and its pixels', () => {
    expect([composition.width, composition.height]).toEqual(picture);
    expect((fitted.canvas.width % 2) + (fitted.canvas.height % 2)).toBe(0);
    const placed = place(recorded, composition, fitted);
    for (const { x, y, width, height, picture: at } of placed) {
      expect(at.x).toBeGreaterThanOrEqual(0);
      expect(at.x + at.width).toBeLessThanOrEqual(fitted.canvas.width);
      expect(at.y + at.height).toBeLessThanOrEqual(fitted.canvas.height);
      if (fitted.scaled) continue;
      expect([at.width, at.height]).toEqual([width, height]);
      expect([at.x, at.y]).toEqual([x - area.x, y - area.y]);
    }
  });
});

it('the sizes of common screens come through Electron at every usual scale', () => {
  const sizes = [
    ...[
      [1280, 720],
      [1280, 800],
      [1280, 1024],
      [1366, 768],
      [1440, 900],
      [1600, 900],
      [1680, 1050],
    ],
    ...[
      [1920, 1080],
      [1920, 1200],
      [2560, 1080],
      [2560, 1440],
      [2560, 1600],
      [2880, 1800],
      [3440, 1440],
    ],
    ...[
      [3840, 1600],
      [3840, 2160],
      [2160, 1440],
      [3000, 2000],
      [1080, 1920],
      [1200, 1920],
    ],
  ] as [number, number][];
  for (const [width, height] of sizes) {
    for (const scale of [1, 1.25, 1.5, 1.75, 2, 2.25, 2.5]) {
      // Windows offers no scale that leaves so little room.
      if (Math.max(width, height) / scale < 800) continue;
      const screen = screenOf([{ name: 'a', x: 0, y: 0, width, height, primary: true, scale }]);
      const seen = physicalBounds(screen, screen.getAllDisplays()[0]!);
      expect([scale, seen.width, seen.height]).toEqual([scale, width, height]);
    }
  }
});

describe('the monitors that the helper reports', () => {
  const one: Monitor = { name: 'DISPLAY1', x: 0, y: 0, width: 800, height: 600, primary: true };
  const answering = (answer: unknown) => {
    let report = (_: HelperEvent): void => undefined;
    const helper: Pick<WindowsHelper, 'ask' | 'watch'> = {
      ask: (_, schema) => Promise.resolve(answer).then((given) => schema.parse(given)),
      watch: (_, onEvent) => {
        report = onEvent;
        return () => undefined;
      },
    };
    return { source: windowsMonitors(helper), report: (event: HelperEvent) => report(event) };
  };

  it('are its answer, which may list none', async () => {
    expect(await answering([one]).source.monitors()).toEqual([one]);
    expect(await answering([]).source.monitors()).toEqual([]);
  });

  it.each([[null], [{}], [[{ name: 'DISPLAY1' }]], [[{ ...one, x: 0.5 }]]])('are not %j', async (answer) => {
    await expect(answering(answer).source.monitors()).rejects.toMatchObject({ code: 'NO_DISPLAY' });
  });

  it('are asked for again when it reports a change of them, and of nothing else', () => {
    const { source, report } = answering([one]);
    let changes = 0;
    source.onChange(() => (changes += 1));
    report({ event: 'foreground' });
    report({ event: 'power', asleep: true });
    expect(changes).toBe(0);
    report({ event: 'monitors' });
    expect(changes).toBe(1);
  });
});
