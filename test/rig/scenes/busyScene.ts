// The busy end of the benchmark: a log that scrolls a line with every frame and a window that moves over it. All on
// the server: a line of text, two or three copies, one show. Little for us to do, everything for an encoder.
import type { Rect } from '../timecode.ts';
import { textWidth } from '../xCanvas.ts';
import { drawWindow, PALETTE, sentence, type SceneFactory } from './scene.ts';

const LINE = 20;
const BACKGROUND = 0x14202b;
const COLOURS = [0xc3d0dc, 0xc3d0dc, 0x8fb8d9, 0xc3d0dc, 0xe0b36a, 0x88c4a4];

export const busyScene: SceneFactory = async (canvas, surface) => {
  const { mono, strong } = await canvas.fonts({
    mono: { family: 'DejaVu Sans Mono', size: 14 },
    strong: { family: 'DejaVu Sans', bold: true, size: 14 },
  });
  const { width, height } = surface;
  const lines = Math.ceil(height / LINE);
  // A ring of lines: scrolling moves the place where copying starts, not the pixels.
  const log = canvas.surface(width, lines * LINE);
  const card: Rect = { x: 6, y: 6, width: Math.round(width * 0.34), height: Math.round(height * 0.34) };
  const sprite = canvas.surface(card.width + 12, card.height + 12);
  const columns = Math.floor(width / Math.max(1, textWidth(mono, 'M')));
  let next = 0;
  let frames = 0;

  const addLine = (nowMs: number): void => {
    const y = (next % lines) * LINE;
    const level = next % 5 === 4 ? 'WARN' : 'INFO';
    const worker = `[worker-${String(next % 12).padStart(2, '0')}]`;
    let line = `${new Date(nowMs).toISOString()} ${level} ${worker}`;
    for (let i = 0; line.length < columns; i++) line += ` ${sentence(next * 3 + i)}`;
    log.fill(BACKGROUND, { x: 0, y, width, height: LINE });
    log.text(mono, 8, y + 15, line.slice(0, columns - 2), COLOURS[next % COLOURS.length]!);
    next++;
  };
  const compose = (): void => {
    const first = (next % lines) * LINE;
    surface.copy(log, { x: 0, y: first, width, height: lines * LINE - first }, 0, 0);
    if (first > 0) surface.copy(log, { x: 0, y: 0, width, height: first }, 0, lines * LINE - first);
    // A Lissajous way: smooth, and long before it repeats.
    const x = Math.round((0.5 + 0.5 * Math.sin(frames / 31)) * (width - sprite.width));
    const y = Math.round((0.5 + 0.5 * Math.sin(frames / 23)) * (height - sprite.height));
    surface.copy(sprite, { x: 0, y: 0, width: sprite.width, height: sprite.height }, x, y);
    frames++;
  };

  return {
    timecode: false,
    draw(_state, nowMs) {
      sprite.fill(BACKGROUND, { x: 0, y: 0, width: sprite.width, height: sprite.height });
      const inside = drawWindow(sprite, card, 'Throughput', strong, PALETTE.accent);
      for (let i = 0; i * 24 + 40 < inside.height; i++) {
        const share = 0.25 + 0.7 * Math.abs(Math.sin(i * 1.7));
        const bar = {
          x: inside.x + 90,
          y: inside.y + 18 + i * 24,
          height: 14,
          width: Math.round((inside.width - 110) * share),
        };
        sprite.text(mono, inside.x + 14, bar.y + 12, `queue ${i + 1}`, PALETTE.ink);
        sprite.fill(i % 3 === 0 ? PALETTE.amber : PALETTE.accent, bar);
      }
      for (let i = 0; i < lines; i++) addLine(nowMs);
      compose();
    },
    step(_state, nowMs) {
      addLine(nowMs);
      compose();
      return [{ x: 0, y: 0, width, height }];
    },
  };
};
