// What a newcomer sees first: a made-up agent's desktop in the middle of a call. Notes write themselves, a voice
// moves, a clock ticks, and the block code at the top lets the demo prove that the recording tells the truth.
// Everybody in it is invented; the telephone number is from the range kept for fiction.
import { STRIP, type Rect } from '../timecode.ts';
import { textWidth, type Font, type Surface } from '../xCanvas.ts';
import { clockText, drawWindow, PALETTE, type Scene, type SceneFactory } from './scene.ts';

const TITLE = 'Sightline demo';
const CUSTOMER = 'Maria Keller';
const NOTES = [
  'Customer calls about order 48244, two parcels, one arrived.',
  'Second parcel is at the depot since Tuesday, address label torn.',
  'New label printed, delivery tomorrow between 9 and 12.',
  'Wants to pay the open invoice by card now.',
  'Payment taken. Receipt goes out by e-mail.',
  'Asked for nothing else. Very friendly.',
];
const LETTERS_PER_SECOND = 18;
/** A pause at the end of each round, so that the finished notes can be read. */
const REST_LETTERS = 60;

type Fonts = Record<'text' | 'small' | 'strong' | 'title' | 'name' | 'clock' | 'disc', Font>;

export const demoScene: SceneFactory = async (canvas, surface) => {
  const fonts: Fonts = await canvas.fonts({
    text: { family: 'DejaVu Sans', size: 14 },
    small: { family: 'DejaVu Sans', size: 12 },
    strong: { family: 'DejaVu Sans', bold: true, size: 14 },
    title: { family: 'DejaVu Sans', bold: true, size: 30, letters: TITLE },
    name: { family: 'DejaVu Sans', bold: true, size: 22, letters: CUSTOMER },
    clock: { family: 'DejaVu Sans Mono', bold: true, size: 40, letters: '0123456789:' },
    disc: { family: 'DejaVu Sans', size: 84, letters: '●' },
  });
  const { width, height } = surface;
  const top = STRIP.y + STRIP.height + 20;
  const app: Rect = { x: 28, y: top, width: width - 56, height: height - top - 30 };
  const sidebar = 170;
  const callWidth = 270;
  const middle: Rect = {
    x: app.x + sidebar + 28,
    y: app.y + 32 + 24,
    width: app.width - sidebar - callWidth - 28 * 3,
    height: app.height - 32 - 48,
  };
  const call: Rect = {
    x: app.x + app.width - callWidth - 28,
    y: middle.y,
    width: callWidth,
    height: middle.height,
  };
  const notes: Rect = { x: middle.x, y: middle.y + 178, width: middle.width, height: NOTES.length * 24 + 20 };
  const badge: Rect = {
    x: STRIP.x + STRIP.width + 28,
    y: STRIP.y + 84,
    width: width - STRIP.width - 80,
    height: 32,
  };
  const clock: Rect = { x: call.x + 16, y: call.y + 44, width: call.width - 32, height: 48 };
  const wave: Rect = { x: call.x + 16, y: call.y + 176, width: call.width - 32, height: 72 };
  let shown = { label: '', second: '', typed: 0 };
  let callStartMs = 0;

  const drawLabel = (label: string): void => {
    surface.fill(0x1d4763, badge);
    if (label === '') return;
    surface.fill(PALETTE.amber, {
      ...badge,
      width: Math.min(badge.width, textWidth(fonts.strong, label) + 28),
    });
    surface.text(fonts.strong, badge.x + 14, badge.y + 21, label, PALETTE.navy);
  };
  const drawClock = (nowMs: number): Rect => {
    const area = { ...clock, height: 92 };
    surface.fill(PALETTE.panel, area);
    surface.text(fonts.clock, clock.x, clock.y + 38, clockText(nowMs), PALETTE.ink);
    const seconds = Math.floor((nowMs - callStartMs) / 1000);
    const duration = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
    surface.text(fonts.text, clock.x, clock.y + 76, `Connected for ${duration}`, PALETTE.green);
    return area;
  };
  const drawWave = (nowMs: number): Rect => {
    surface.fill(PALETTE.panel, wave);
    const bars: Rect[] = [];
    for (let x = 0; x + 4 <= wave.width; x += 7) {
      const t = nowMs / 1000 + x / 45;
      const loud = Math.abs(Math.sin(t * 2.1) * Math.sin(t * 5.3 + x) * (0.6 + 0.4 * Math.sin(t * 0.7)));
      const tall = Math.round(4 + loud * (wave.height - 4)) & ~1;
      bars.push({ x: wave.x + x, y: wave.y + (wave.height - tall) / 2, width: 4, height: tall });
    }
    surface.fill(PALETTE.accent, ...bars);
    return wave;
  };
  const drawNotes = (typed: number): Rect => {
    surface.fill(PALETTE.white, notes);
    let left = typed;
    for (const [i, note] of NOTES.entries()) {
      const y = notes.y + 22 + i * 24;
      const text = note.slice(0, left);
      surface.text(fonts.text, notes.x, y, text, PALETTE.ink);
      const end = notes.x + textWidth(fonts.text, text) + 1;
      if (left <= note.length) {
        surface.fill(PALETTE.accent, { x: end, y: y - 13, width: 2, height: 17 });
        break;
      }
      left -= note.length;
    }
    return notes;
  };
  const lettersAt = (nowMs: number): number => {
    const all = NOTES.reduce((sum, note) => sum + note.length, 0) + REST_LETTERS;
    return Math.floor(((nowMs - callStartMs) / 1000) * LETTERS_PER_SECOND) % all;
  };

  const scene: Scene = {
    timecode: true,
    draw({ label }, nowMs) {
      callStartMs = nowMs;
      surface.gradient({ x: 0, y: 0, width, height }, 0x1d4763, 0x3f8a8c);
      surface.fill(0x1d4763, { x: 0, y: 0, width, height: top - 12 });
      surface.text(fonts.title, badge.x, STRIP.y + 38, TITLE, PALETTE.white);
      const about = 'The blocks are a clock that the finished MP4 is checked against.';
      surface.text(fonts.text, badge.x, STRIP.y + 66, about, 0xcfe0ea);
      drawLabel(label);
      const inside = drawWindow(surface, app, 'Customer desk', fonts.strong, PALETTE.navy);
      drawSidebar(surface, fonts, { ...inside, width: sidebar });
      drawCustomer(surface, fonts, middle, notes);
      surface.fill(PALETTE.line, {
        x: call.x - 1,
        y: call.y - 1,
        width: call.width + 2,
        height: call.height + 2,
      });
      surface.fill(PALETTE.panel, call);
      surface.text(fonts.strong, call.x + 16, call.y + 30, '● Call in progress', PALETTE.red);
      surface.text(fonts.small, wave.x, wave.y - 12, 'Customer', PALETTE.quiet);
      drawCallButtons(surface, fonts, call);
      drawClock(nowMs);
      drawWave(nowMs);
      drawNotes(0);
      shown = { label, second: clockText(nowMs), typed: 0 };
    },
    step({ label }, nowMs) {
      const changed = [drawWave(nowMs)];
      const [second, typed] = [clockText(nowMs), lettersAt(nowMs)];
      if (label !== shown.label) {
        drawLabel(label);
        changed.push(badge);
      }
      if (second !== shown.second) changed.push(drawClock(nowMs));
      if (typed !== shown.typed) changed.push(drawNotes(typed));
      shown = { label, second, typed };
      return changed;
    },
  };
  return scene;
};

function drawCallButtons(surface: Surface, fonts: Fonts, call: Rect): void {
  const waiting = ['Waiting', '●  2 calls, longest 00:48', '●  1 chat', '●  4 tasks'];
  waiting.forEach((line, i) => {
    const y = call.y + 288 + i * 24;
    if (y > call.y + call.height - 64) return;
    if (i === 0) surface.fill(PALETTE.line, { x: call.x + 16, y: y - 24, width: call.width - 32, height: 1 });
    surface.text(i === 0 ? fonts.small : fonts.text, call.x + 16, y, line, PALETTE.quiet);
  });
  let x = call.x + 16;
  for (const [name, width] of [
    ['Hold', 68],
    ['Transfer', 94],
    ['End', 64],
  ] as const) {
    const box = { x, y: call.y + call.height - 50, width, height: 34 };
    surface.fill(name === 'End' ? PALETTE.red : PALETTE.navyLight, box);
    const inset = (box.width - textWidth(fonts.strong, name)) / 2;
    surface.text(fonts.strong, box.x + inset, box.y + 22, name, PALETTE.white);
    x += width + 6;
  }
}

function drawSidebar(surface: Surface, fonts: Fonts, area: Rect): void {
  surface.fill(PALETTE.navyLight, area);
  ['Inbox', 'Contacts', 'Orders', 'Knowledge', 'Reports'].forEach((name, i) => {
    const y = area.y + 16 + i * 40;
    if (i === 1) {
      surface.fill(PALETTE.accent, { x: area.x, y, width: area.width, height: 36 });
      surface.fill(PALETTE.amber, { x: area.x, y, width: 4, height: 36 });
    }
    surface.text(
      i === 1 ? fonts.strong : fonts.text,
      area.x + 22,
      y + 23,
      name,
      i === 1 ? PALETTE.white : 0xb9cbdc,
    );
  });
  surface.text(fonts.small, area.x + 22, area.y + area.height - 36, 'Agent 07', PALETTE.white);
  surface.text(fonts.small, area.x + 22, area.y + area.height - 18, '● available', 0x8fd0b0);
}

function drawCustomer(surface: Surface, fonts: Fonts, area: Rect, notes: Rect): void {
  surface.text(fonts.disc, area.x - 4, area.y + 60, '●', PALETTE.accent);
  const initials = 'MK';
  surface.text(
    fonts.name,
    area.x + 32 - textWidth(fonts.name, initials) / 2,
    area.y + 46,
    initials,
    PALETTE.white,
  );
  surface.text(fonts.name, area.x + 86, area.y + 28, CUSTOMER, PALETTE.ink);
  surface.text(
    fonts.text,
    area.x + 86,
    area.y + 52,
    'Customer since 2017   ·   Gold   ·   3 open orders',
    PALETTE.quiet,
  );
  const fields = [
    ['Telephone', '+1 555 0142'],
    ['E-mail', 'maria@example.com'],
    ['Last order', '48244'],
  ] as const;
  fields.forEach(([name, value], i) => {
    const x = area.x + Math.round((i * area.width) / 3);
    surface.text(fonts.small, x, area.y + 96, name, PALETTE.faint);
    surface.text(fonts.text, x, area.y + 118, value, PALETTE.ink);
  });
  surface.fill(PALETTE.line, { x: area.x, y: area.y + 142, width: area.width, height: 1 });
  surface.text(fonts.strong, area.x, area.y + 172, 'Notes', PALETTE.ink);
  const below = notes.y + notes.height;
  surface.fill(PALETTE.line, { x: area.x, y: below, width: area.width, height: 1 });
  surface.text(fonts.strong, area.x, below + 28, 'Orders', PALETTE.ink);
  for (let i = 0; below + 54 + i * 24 < area.y + area.height; i++) {
    const order = i === 0 ? '48244   two parcels, one delivered' : `${48244 - i * 263}   delivered`;
    surface.text(fonts.text, area.x, below + 54 + i * 24, order, PALETTE.quiet);
  }
}
