// A contact's capture timeline: a bar, its totals as text below it, and every piece with its times, folded away. Gaps
// differ from runs in pattern and height, not in colour alone.

import type { ShownContact, ShownPiece } from '../../main/shared/overview.ts';
import { KeyedList, h, setAttribute, svg, write } from '../dom.ts';
import { contactName, duration, timeOfDay } from '../format.ts';
import { strings } from '../strings.ts';

const WIDTH = 1000;
const HEIGHT = 20;
/** So that a short suspension in a long call remains visible. */
const LEAST_WIDTH = 4;

export interface Timeline {
  readonly element: HTMLElement;
  show(contact: ShownContact): void;
  tick(now: number): void;
}

export function timeline(): Timeline {
  const bar = svg('svg', {
    class: 'timeline',
    role: 'img',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
  });
  const totals = h('p', { class: 'quiet totals' });
  const list = h('ol', { class: 'pieces' });
  const details = h('details', {}, h('summary', {}, strings.timeline.asText), list);
  const pieces = new KeyedList<ShownPiece>(
    list,
    ({ from }) => String(from),
    () => {
      const element = h('li');
      return { element, show: (piece) => write(element, pieceText(piece)) };
    },
  );
  let shown: ShownContact | null = null;

  function tick(now: number): void {
    const [first] = shown?.pieces ?? [];
    if (shown === null || first === undefined) return;
    const scale = WIDTH / Math.max(1, now - first.from);
    shown.pieces.forEach((piece, index) => {
      const rect = bar.children[index] ?? bar.appendChild(svg('rect'));
      const width = Math.max(LEAST_WIDTH, ((piece.to ?? now) - piece.from) * scale);
      const x = Math.min(WIDTH - LEAST_WIDTH, (piece.from - first.from) * scale);
      setAttribute(rect, 'class', piece.kind === 'run' ? 'run' : `gap ${piece.reason}`);
      setAttribute(rect, 'x', x.toFixed(1));
      setAttribute(rect, 'width', width.toFixed(1));
      setAttribute(rect, 'y', piece.kind === 'run' ? '0' : '5');
      setAttribute(rect, 'height', piece.kind === 'run' ? String(HEIGHT) : String(HEIGHT - 10));
    });
    while (bar.children.length > shown.pieces.length) bar.lastElementChild?.remove();
    const text = totalsOf(shown.pieces, now);
    write(totals, text);
    setAttribute(bar, 'aria-label', strings.timeline.label(contactName(shown.name), text));
  }

  return {
    element: h('div', {}, bar, totals, details),
    tick,
    show(contact) {
      shown = contact;
      pieces.show(contact.pieces);
    },
  };
}

function nameOf(piece: ShownPiece): string {
  return piece.kind === 'run' ? strings.timeline.recorded : strings.timeline.gaps[piece.reason];
}

function pieceText(piece: ShownPiece): string {
  const from = timeOfDay(piece.from);
  return piece.to === null
    ? strings.timeline.continues(nameOf(piece), from)
    : strings.timeline.piece(nameOf(piece), from, timeOfDay(piece.to));
}

function totalsOf(pieces: readonly ShownPiece[], now: number): string {
  const totals = new Map<string, number>();
  for (const piece of pieces) {
    const name = nameOf(piece);
    totals.set(name, (totals.get(name) ?? 0) + (piece.to ?? now) - piece.from);
  }
  return [...totals].map(([name, ms]) => strings.timeline.total(name, duration(ms))).join(' · ');
}
