// An office desktop on which nothing moves: a table, a letter, a task bar. The idle end of the benchmark; with it
// painted, the display has no reason to change a single pixel.
import type { Rect } from '../timecode.ts';
import { textWidth, type Font, type Surface } from '../xCanvas.ts';
import { drawWindow, PALETTE, sentence, type SceneFactory } from './scene.ts';

export const stillScene: SceneFactory = async (canvas, surface) => {
  const { text, strong } = await canvas.fonts({
    text: { family: 'DejaVu Sans', size: 13 },
    strong: { family: 'DejaVu Sans', bold: true, size: 14 },
  });
  return {
    timecode: false,
    draw() {
      const { width, height } = surface;
      surface.gradient({ x: 0, y: 0, width, height }, 0x274d6b, 0x3f7f86);
      const left: Rect = { x: 24, y: 24, width: Math.round(width * 0.54), height: height - 96 };
      const right: Rect = { x: left.width + 48, y: 72, width: width - left.width - 76, height: height - 168 };
      drawTable(
        surface,
        drawWindow(surface, left, 'Orders 2026 – Tables', strong, PALETTE.navy),
        text,
        strong,
      );
      drawLetter(
        surface,
        drawWindow(surface, right, 'Reply to customer – Letters', strong, PALETTE.accent),
        text,
        strong,
      );
      surface.fill(PALETTE.navy, { x: 0, y: height - 40, width, height: 40 });
      ['Start', 'Tables', 'Letters', 'Contacts', 'Calendar'].forEach((name, i) => {
        if (i === 2)
          surface.fill(PALETTE.navyLight, { x: 12 + i * 104, y: height - 40, width: 100, height: 40 });
        surface.text(text, 24 + i * 104, height - 15, name, PALETTE.white);
      });
      surface.text(text, width - 64, height - 15, '10:24', PALETTE.white);
    },
  };
};

function drawTable(surface: Surface, inside: Rect, text: Font, strong: Font): void {
  const columns = ['Order', 'Customer', 'Article', 'Amount', 'State'];
  const widths = [0.12, 0.26, 0.34, 0.14, 0.14];
  const states = ['shipped', 'open', 'returned', 'paid'];
  const people = ['M. Keller', 'J. Okafor', 'S. Lindqvist', 'A. Romano', 'P. Novak', 'D. Tanaka'];
  const articles = [
    'Desk lamp, brushed',
    'Office chair, grey',
    'Monitor arm, double',
    'Keyboard, quiet',
    'Dock, 90 W',
  ];
  surface.fill(PALETTE.panel, { ...inside, height: 28 });
  for (let row = 0; inside.y + (row + 1) * 28 <= inside.y + inside.height; row++) {
    const y = inside.y + row * 28;
    const cells = [
      `${48210 + row * 17}`,
      people[(row * 5) % people.length]!,
      articles[(row * 3) % articles.length]!,
      `${(((row * 7907) % 90000) / 100 + 12).toFixed(2)} €`,
      states[(row * 7) % states.length]!,
    ];
    if (row > 0 && row % 2 === 0) surface.fill(0xf9fafc, { ...inside, y, height: 28 });
    let x = inside.x;
    widths.forEach((share, i) => {
      if (row === 0) surface.text(strong, x + 12, y + 19, columns[i]!, PALETTE.ink);
      else surface.text(text, x + 12, y + 19, cells[i]!, i === 4 ? PALETTE.accent : PALETTE.ink);
      x += Math.round(share * inside.width);
      if (i < 4) surface.fill(PALETTE.line, { x, y, width: 1, height: 28 });
    });
    surface.fill(PALETTE.line, { x: inside.x, y: y + 27, width: inside.width, height: 1 });
  }
}

function drawLetter(surface: Surface, inside: Rect, text: Font, strong: Font): void {
  surface.fill(0xe8ecf0, inside);
  const page: Rect = {
    x: inside.x + 24,
    y: inside.y + 20,
    width: inside.width - 48,
    height: inside.height - 20,
  };
  surface.fill(PALETTE.white, page);
  surface.text(strong, page.x + 28, page.y + 44, 'Your order 48244', PALETTE.ink);
  const words: string[] = [];
  for (let line = 1, n = 0, y = page.y + 76; y < page.y + page.height - 12; line++, y += 20) {
    if (line % 7 === 0) continue;
    let written = '';
    for (;;) {
      if (words.length === 0) words.push(...sentence(n++).split(' '));
      const longer = `${written}${words[0]!} `;
      if (textWidth(text, longer) > page.width - 56) break;
      written = longer;
      words.shift();
    }
    surface.text(text, page.x + 28, y, written, PALETTE.ink);
  }
}
