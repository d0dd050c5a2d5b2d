import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { chooseMonitors, compose } from '../../../main/capture/layout.ts';
import { electronMonitors } from '../../../main/platform/electronScreen.ts';
import type { Rect } from '../../../main/shared/names.ts';

/** Electron's screen on Windows: a laptop at 150 % and, left of it and higher, a monitor at 100 %. */
class TestScreen extends EventEmitter {
  getAllDisplays() {
    return [
      { id: 7, label: '', bounds: { x: 0, y: 0, width: 1280, height: 800 }, scaleFactor: 1.5 },
      {
        ...{ id: 9, label: 'DELL U2412M', scaleFactor: 1 },
        bounds: { x: -1920, y: -300, width: 1920, height: 1200 },
      },
    ];
  }
  getPrimaryDisplay() {
    return { id: 7 };
  }
  dipToScreenRect(_window: null, rect: Rect): Rect {
    const scale = rect.x < 0 ? 1 : 1.5;
    return { ...rect, width: rect.width * scale, height: rect.height * scale };
  }
}

describe('the monitors as Electron tells them', () => {
  it('are in physical pixels, each by its own scale, with the places of the real desktop', async () => {
    const monitors = await electronMonitors(new TestScreen()).monitors();
    expect(monitors).toEqual([
      { name: 'display 1', x: 0, y: 0, width: 1920, height: 1200, primary: true },
      { name: 'DELL U2412M', x: -1920, y: -300, width: 1920, height: 1200, primary: false },
    ]);
    expect(compose(chooseMonitors(monitors, 3).recorded).area).toEqual({
      ...{ x: -1920, y: -300, width: 3840, height: 1500 },
    });
  });

  it('tell of every change until they are closed', () => {
    const screen = new TestScreen();
    const source = electronMonitors(screen);
    let changes = 0;
    source.onChange(() => (changes += 1));
    for (const event of ['display-added', 'display-removed', 'display-metrics-changed']) screen.emit(event);
    expect(changes).toBe(3);
    source.close();
    screen.emit('display-added');
    expect(changes).toBe(3);
  });
});
