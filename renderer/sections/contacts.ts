// The contacts that are open now, each with its state, how long it has been on, and its timeline.

import type { ShownContact } from '../../main/shared/overview.ts';
import type { Item } from '../dom.ts';
import { KeyedList, h, icon, write } from '../dom.ts';
import { duration } from '../format.ts';
import { strings } from '../strings.ts';
import type { Section } from './section.ts';
import { frame } from './section.ts';
import { timeline } from './timeline.ts';

interface ContactItem extends Item<ShownContact> {
  readonly tick: (now: number) => void;
}

export function contacts(): Section {
  const none = h('p', { class: 'quiet' }, strings.contacts.none);
  const host = h('ul', { class: 'rows' });
  const ticks = new Map<string, (now: number) => void>();
  const list = new KeyedList<ShownContact>(
    host,
    ({ recordingId }) => recordingId,
    (contact) => {
      const item = contactItem(contact);
      ticks.set(contact.recordingId, item.tick);
      return item;
    },
  );
  return {
    element: frame('contacts', strings.contacts.title, none, host).element,
    show(state) {
      none.hidden = state.contacts.length > 0;
      host.hidden = state.contacts.length === 0;
      list.show(state.contacts);
      const here = new Set(state.contacts.map(({ recordingId }) => recordingId));
      for (const id of ticks.keys()) if (!here.has(id)) ticks.delete(id);
    },
    tick(now) {
      for (const tick of ticks.values()) tick(now);
    },
  };
}

function contactItem({ contactId, channel }: ShownContact): ContactItem {
  const state = h('strong', { class: 'badge' });
  const elapsed = h('span', { class: 'quiet figures' });
  const line = timeline();
  const notBegun = h('p', { class: 'quiet' }, strings.contacts.notBegun);
  const name = channel === null ? [] : [h('span', { class: 'channel' }, strings.contacts.channels[channel])];
  const element = h(
    'li',
    {},
    h(
      'div',
      { class: 'head' },
      h('span', { class: 'name' }, ...name, h('code', {}, contactId)),
      state,
      elapsed,
    ),
    notBegun,
    line.element,
  );
  let startTime: number | null = null;
  let shownState = '';
  return {
    element,
    show(contact) {
      startTime = contact.startTime;
      if (shownState !== contact.state) {
        shownState = contact.state;
        state.className = `badge ${contact.state}`;
        state.replaceChildren(icon(shapeOf(contact.state)), strings.contacts.states[contact.state]);
      }
      notBegun.hidden = contact.pieces.length > 0;
      line.element.hidden = contact.pieces.length === 0;
      line.show(contact);
    },
    tick(now) {
      write(elapsed, startTime === null ? '' : strings.contacts.elapsed(duration(now - startTime)));
      line.tick(now);
    },
  };
}

/** The shapes of the tray's icons. */
function shapeOf(state: ShownContact['state']): string {
  if (state === 'paused') return 'suspended';
  return state === 'stopping' ? 'idle' : state;
}
