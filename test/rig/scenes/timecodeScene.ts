// The scene of the clock and leak tests: the block code, the same time for people, and a bar that never rests.
import { STRIP, type Rect } from '../timecode.ts';
import { PALETTE, sentence, type Scene, type SceneFactory } from './scene.ts';

const LEFT = 20;
const CLOCK_TOP = STRIP.y + STRIP.height + 16;

export const timecodeScene: SceneFactory = async (canvas, surface) => {
  const { text, big } = await canvas.fonts({
    text: { family: 'DejaVu Sans', size: 15 },
    big: { family: 'DejaVu Sans Mono', bold: true, size: 40, letters: '0123456789:. ' },
  });
  const { width, height } = surface;
  const background = 0x2b4a66;
  const clock: Rect = { x: 0, y: CLOCK_TOP, width: Math.min(width, 480), height: 84 };
  const track: Rect = { x: LEFT, y: height - 40, width: Math.max(1, width - 2 * LEFT), height: 16 };
  const barWidth = Math.min(160, track.width);
  let barX = track.x;

  const drawClock = (monitor: number, phase: number, nowMs: number): void => {
    surface.fill(background, clock);
    surface.text(big, LEFT, clock.y + 40, new Date(nowMs).toISOString().slice(11, 23), PALETTE.white);
    const line = `UTC   ·   monitor ${monitor}   ·   phase ${phase}   ·   ${width} x ${height}`;
    surface.text(text, LEFT, clock.y + 70, line, 0xb8cadb);
  };
  const drawBar = (nowMs: number): Rect => {
    const before = barX;
    // 300 pixels a second, there and back.
    const way = Math.max(1, track.width - barWidth);
    const along = (nowMs * 0.3) % (2 * way);
    barX = track.x + Math.round(along < way ? along : 2 * way - along);
    surface.fill(0x23405a, { ...track, x: before, width: barWidth });
    surface.fill(PALETTE.amber, { ...track, x: barX, width: barWidth });
    const left = Math.min(before, barX);
    return { ...track, x: left, width: Math.max(before, barX) + barWidth - left };
  };

  const scene: Scene = {
    timecode: true,
    draw({ monitor, phase }, nowMs) {
      surface.fill(background, { x: 0, y: 0, width, height });
      surface.fill(0x23405a, track);
      const lines = Math.floor((track.y - clock.y - clock.height - 24) / 24);
      for (let i = 0; i < lines; i++)
        surface.text(text, LEFT, clock.y + clock.height + 24 + i * 24, sentence(i), 0x6d8aa5);
      drawClock(monitor, phase, nowMs);
      drawBar(nowMs);
    },
    step({ monitor, phase }, nowMs) {
      drawClock(monitor, phase, nowMs);
      return [clock, drawBar(nowMs)];
    },
  };
  return scene;
};
