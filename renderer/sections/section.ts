// What each part of the window is: a landmark with a heading that shows the newest state, and may count with time.

import type { ShownState } from '../../main/shared/ipc.ts';
import type { ContactName } from '../../main/shared/overview.ts';
import type { StateReason } from '../../main/shared/protocol.ts';
import { problemText } from '../../main/shared/strings.ts';
import { h, write } from '../dom.ts';
import { contactName } from '../format.ts';
import { strings } from '../strings.ts';

export interface Section {
  readonly element: HTMLElement;
  show(state: ShownState): void;
  /** Once a second while a duration is shown. @param now by the clock of the state's times */
  tick?(now: number): void;
}

export interface Frame {
  readonly element: HTMLElement;
  /** Beside the heading. */
  readonly actions: HTMLElement;
}

/** The heading can get the focus when what had it is gone. */
export function frame(id: string, title: string, ...children: readonly Node[]): Frame {
  const actions = h('div', { class: 'actions' });
  const heading = h('h2', { id: `${id}-title`, tabindex: '-1' }, title);
  const top = h('div', { class: 'top' }, heading, actions);
  return { element: h('section', { id, 'aria-labelledby': `${id}-title` }, top, ...children), actions };
}

/** Shows the outcome of a request where the eye and the screen reader find it. */
export type Announce = (text: string) => void;

/** A contact's name, its id small below it. */
export function nameOf(contact: ContactName): { element: HTMLElement; show(contact: ContactName): void } {
  const name = h('span', { class: 'name' });
  const element = h('div', { class: 'contact' }, name, h('code', {}, contact.contactId));
  return { element, show: (newest) => write(name, contactName(newest)) };
}

/** One plain sentence; the code and the technical message are folded away. */
export function problemPart(): {
  element: HTMLElement;
  show(reason: StateReason | null, text?: string): void;
} {
  const sentence = h('p', { class: 'reason' });
  const details = supportDetails();
  return {
    element: h('div', {}, sentence, details.element),
    show(reason, text = reason === null ? '' : problemText(reason.code)) {
      write(sentence, text);
      details.show(reason);
    },
  };
}

export function supportDetails(): { element: HTMLElement; show(reason: StateReason | null): void } {
  const [summary, message] = [h('summary'), h('p')];
  const element = h('details', {}, summary, message);
  return {
    element,
    show(reason) {
      element.hidden = reason === null;
      write(summary, reason === null ? '' : strings.supportDetails(reason.code));
      write(message, reason?.message ?? '');
    },
  };
}
