// What each part of the window is: a landmark with a heading that shows the newest state and may count on with time.

import type { ShownState } from '../../main/shared/ipc.ts';
import { h } from '../dom.ts';

export interface Section {
  readonly element: HTMLElement;
  show(state: ShownState): void;
  /** Once a second while a contact is open. @param now by the clock of the state's times */
  tick?(now: number): void;
}

export interface Frame {
  readonly element: HTMLElement;
  /** Beside the heading. */
  readonly actions: HTMLElement;
}

/** The heading can be given the focus when what had it is gone. */
export function frame(id: string, title: string, ...children: readonly Node[]): Frame {
  const actions = h('div', { class: 'actions' });
  const heading = h('h2', { id: `${id}-title`, tabindex: '-1' }, title);
  const top = h('div', { class: 'top' }, heading, actions);
  return { element: h('section', { id, 'aria-labelledby': `${id}-title` }, top, ...children), actions };
}

/** What a request came to is said once, where the eye and the screen reader find it. */
export type Announce = (text: string) => void;
