// The state in words and in a shape, as the tray has it. The only part that is announced by itself.

import type { ShownState } from '../../main/shared/ipc.ts';
import { h, setAttribute, svg, write } from '../dom.ts';
import { strings } from '../strings.ts';
import type { Section } from './section.ts';

export interface Header extends Section {
  /** Where there is no state to show. */
  say(words: string): void;
}

export function header(): Header {
  const words = h('h1', {}, strings.asking);
  const detail = h('p', { class: 'detail' });
  const uploads = h('p', { class: 'quiet' });
  const shape = svg('use');
  const state = h(
    'div',
    { role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true' },
    words,
    detail,
    uploads,
  );
  const element = h('header', {}, svg('svg', { class: 'state', 'aria-hidden': 'true' }, shape), state);
  return {
    element,
    say: (text) => write(words, text),
    show({ inWords }: ShownState) {
      setAttribute(document.body, 'data-icon', inWords.icon);
      setAttribute(shape, 'href', `#shape-${inWords.icon}`);
      document.title = strings.windowTitle(inWords.words);
      write(words, inWords.words);
      write(detail, inWords.detail ?? '');
      write(uploads, inWords.uploads ?? '');
    },
  };
}
