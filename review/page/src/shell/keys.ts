// The keyboard shortcuts that the help dialog lists, by part of the page. Each part adds its own.

import { list } from '../strings/list.ts';

export interface KeyGroup {
  readonly title: string;
  /** Alternatives of keys, as on the keyboard, and what they do. */
  readonly keys: readonly (readonly [keys: readonly string[], meaning: string])[];
}

export const keyGroups: KeyGroup[] = [
  {
    title: list.label,
    keys: [
      [['↑', '↓', 'K', 'J'], list.keys.move],
      [['Page ↑', 'Page ↓'], list.keys.page],
      [['Home', 'End'], list.keys.ends],
      [['Enter'], list.keys.open],
      [[list.space], list.keys.details],
      [['/'], list.keys.search],
      [['Esc'], list.keys.escape],
      [['?'], list.keys.help],
    ],
  },
];

/** Whether a key pressed there is text, and no shortcut. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, select, textarea, [contenteditable]') !== null
  );
}

/** Without Ctrl, Alt or Meta, which are the browser's own shortcuts. */
export function isPlain(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.altKey && !event.metaKey && !event.defaultPrevented;
}
