// The contacts that are open now, each with its state, the age of the state, and its timeline.

import type { ShownContact } from '../../main/shared/overview.ts';
import type { Item } from '../dom.ts';
import { KeyedList, h, icon, write } from '../dom.ts';
import { duration } from '../format.ts';
import { strings } from '../strings.ts';
import type { Section } from './section.ts';
import { frame, nameOf } from './section.ts';
import { timeline } from './timeline.ts';

interface ContactItem extends Item<ShownContact> {
  readonly tick: (now: number) => void;
}

export function contacts(): Section {
  const host = h('ul', { class: 'rows' });
  const { element } = frame('contacts', strings.contacts.title, host);
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
    element,
    show(state) {
      element.hidden = state.contacts.length === 0;
      list.show(state.contacts);
      const here = new Set(state.contacts.map(({ recordingId }) => recordingId));
      for (const id of ticks.keys()) if (!here.has(id)) ticks.delete(id);
    },
    tick(now) {
      for (const tick of ticks.values()) tick(now);
    },
  };
}

function contactItem(first: ShownContact): ContactItem {
  const name = nameOf(first.name);
  const state = h('strong', { class: 'badge' });
  const age = h('span', { class: 'quiet figures' });
  const note = h('p');
  const line = timeline();
  const head = h('div', { class: 'head' }, name.element, h('div', { class: 'now' }, state, age));
  let stateSince = 0;
  let shownState = '';
  return {
    element: h('li', {}, head, note, line.element),
    show(contact) {
      stateSince = contact.stateSince;
      name.show(contact.name);
      if (shownState !== contact.state) {
        shownState = contact.state;
        state.className = `badge ${contact.state}`;
        state.replaceChildren(icon(shapeOf(contact.state)), strings.contacts.states[contact.state]);
      }
      write(note, noteOn(contact));
      line.element.hidden = contact.pieces.length === 0;
      line.show(contact);
    },
    tick(now) {
      write(age, duration(now - stateSince));
      line.tick(now);
    },
  };
}

function noteOn({ suspension, pieces }: ShownContact): string {
  if (suspension === null) return pieces.length > 0 ? '' : strings.contacts.noFrame;
  const what = strings.contacts.suspendedBy[suspension.by];
  return suspension.reason === null ? `${what}.` : strings.contacts.because(what, suspension.reason);
}

/** The shapes of the tray's icons. */
function shapeOf(state: ShownContact['state']): string {
  if (state === 'paused') return 'suspended';
  return state === 'stopping' ? 'idle' : state;
}
