// An agent who writes: the still desktop, and in its letter a text that grows by six letters a second, with a blinking caret. A
// full letter is begun again. Nothing else moves, as on most desks for most of a call.
import { textWidth } from '../xCanvas.ts';
import { PALETTE, sentence, type SceneFactory } from './scene.ts';
import { stillScene } from './stillScene.ts';

const LETTERS_PER_SECOND = 6;
const CARET_MS = 530;
const LINE = 20;

export const typingScene: SceneFactory = async (canvas, surface) => {
  const still = await stillScene(canvas, surface);
  const { text } = await canvas.fonts({ text: { family: 'DejaVu Sans', size: 13 } });
  const { width, height } = surface;
  // Over the lower half of the letter.
  const box = {
    x: Math.round(width * 0.54) + 92,
    y: Math.round(height / 2),
    width: width - Math.round(width * 0.54) - 160,
    height: Math.round(height / 2) - 130,
  };
  const lines = Math.max(1, Math.floor(box.height / LINE));
  let written: string[] = [''];
  let source = '';
  let sentences = 0;
  let begunMs = 0;
  let letters = 0;

  const type = (): void => {
    if (source === '') source = `${sentence(sentences++)} `;
    const line = `${written.at(-1) ?? ''}${source[0] ?? ''}`;
    source = source.slice(1);
    if (textWidth(text, line) < box.width - 20) written[written.length - 1] = line;
    else if (written.length < lines) written.push('');
    else written = [''];
  };
  const drawLine = (index: number, hasCaret: boolean) => {
    const area = { x: box.x, y: box.y + index * LINE, width: box.width, height: LINE };
    surface.fill(PALETTE.white, area);
    const line = written[index] ?? '';
    surface.text(text, area.x + 8, area.y + 15, line, PALETTE.ink);
    const x = area.x + 9 + textWidth(text, line);
    if (hasCaret) surface.fill(PALETTE.ink, { x, y: area.y + 2, width: 1, height: LINE - 4 });
    return area;
  };

  return {
    timecode: false,
    draw(state, nowMs) {
      still.draw(state, nowMs);
      surface.fill(PALETTE.white, box);
      begunMs = nowMs;
    },
    step(_state, nowMs) {
      const due = Math.floor(((nowMs - begunMs) / 1000) * LETTERS_PER_SECOND);
      const before = written.length;
      for (; letters < due; letters += 1) type();
      const hasCaret = Math.floor(nowMs / CARET_MS) % 2 === 0;
      if (written.length < before) {
        surface.fill(PALETTE.white, box);
        drawLine(0, hasCaret);
        return [box];
      }
      const changed = [drawLine(written.length - 1, hasCaret)];
      if (written.length > before) changed.push(drawLine(before - 1, false));
      return changed;
    },
  };
};
