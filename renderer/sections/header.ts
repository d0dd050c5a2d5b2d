// The state as text and shape, as the tray has it, with its age and the agent's own suspension. A live region, except for
// the age, which would be announced each second.

import type { ShownState, SightlineBridge } from '../../main/shared/ipc.ts';
import { h, setAttribute, svg, write } from '../dom.ts';
import { duration } from '../format.ts';
import { strings } from '../strings.ts';
import type { Announce, Section } from './section.ts';
import { supportDetails } from './section.ts';

export interface Header extends Section {
  /** Where there is no state to show. */
  say(text: string): void;
}

export function header(bridge: Pick<SightlineBridge, 'suspend'>, announce: Announce): Header {
  const title = h('h1', {}, strings.loading);
  const reason = h('p');
  const uploads = h('p', { class: 'quiet' });
  const shape = svg('use');
  const age = h('span', { class: 'age figures', role: 'timer' });
  const suspend = h('button', { type: 'button' });
  const details = supportDetails();
  const live = { role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true', class: 'text' };
  const row = h(
    'div',
    { class: 'state' },
    svg('svg', { 'aria-hidden': 'true' }, shape),
    h('div', live, title, reason, uploads),
    age,
    suspend,
  );
  let shown: ShownState | null = null;
  suspend.hidden = true;
  suspend.addEventListener('click', () => {
    // The state that comes next says whether it is so.
    bridge.suspend(shown?.agent === 'may-suspend').then(
      (isDone) => announce(isDone ? '' : strings.refused),
      () => announce(strings.failedRequest),
    );
  });
  details.show(null);
  return {
    element: h('header', {}, row, details.element),
    say: (text) => write(title, text),
    show(state) {
      shown = state;
      const { text, agent } = state;
      setAttribute(document.body, 'data-icon', text.icon);
      setAttribute(shape, 'href', `#shape-${text.icon}`);
      document.title = strings.windowTitle(text.title);
      write(title, text.title);
      write(reason, reasonOf(state));
      write(uploads, text.uploads ?? '');
      suspend.hidden = agent === 'no';
      write(suspend, agent === 'may-resume' ? strings.resume : strings.suspend);
      details.show(text.technical);
    },
    tick(now) {
      const since = shown?.since ?? null;
      write(age, since === null ? '' : duration(now - since));
    },
  };
}

function reasonOf({ state, text: { reason } }: ShownState): string {
  if (state === 'suspended')
    return [strings.nothingCaptured, ...(reason === null ? [] : [strings.reasonGiven(reason)])].join(' ');
  if (state === 'paused') return [strings.nothingCaptured, ...(reason === null ? [] : [reason])].join(' ');
  return reason ?? '';
}
