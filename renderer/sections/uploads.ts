// What is on its way to the sink or waits to be: how far it has come, how fast, and why it waits.

import type { ShownUpload } from '../../main/shared/overview.ts';
import type { Item } from '../dom.ts';
import { KeyedList, h, setAttribute, write } from '../dom.ts';
import { bytes, timeOfDay } from '../format.ts';
import { strings } from '../strings.ts';
import type { Section } from './section.ts';
import { frame } from './section.ts';

export function uploads(): Section {
  const none = h('p', { class: 'quiet' }, strings.uploads.none);
  const host = h('ul', { class: 'rows' });
  const list = new KeyedList<ShownUpload>(host, ({ recordingId }) => recordingId, uploadItem);
  return {
    element: frame('uploads', strings.uploads.title, none, host).element,
    show(state) {
      none.hidden = state.uploads.length > 0;
      host.hidden = state.uploads.length === 0;
      list.show(state.uploads);
    },
  };
}

function uploadItem({ contactId }: ShownUpload): Item<ShownUpload> {
  const state = h('strong', { class: 'badge' });
  const bar = h('progress', { max: '100', 'aria-label': strings.uploads.bar(contactId) });
  const figures = h('p', { class: 'quiet figures' });
  const reason = h('p', { class: 'reason' });
  const next = h('p', { class: 'quiet' });
  const head = h('div', { class: 'head' }, h('span', { class: 'name' }, h('code', {}, contactId)), state);
  return {
    element: h('li', {}, head, bar, figures, reason, next),
    show(upload) {
      const { progress, nextTryAt, attempts } = upload;
      write(state, strings.uploads.states[upload.state]);
      setAttribute(state, 'class', `badge ${upload.state}`);
      bar.hidden = progress === null;
      if (progress === null || progress.totalBytes === null) bar.removeAttribute('value');
      else bar.value = Math.floor((progress.sentBytes * 100) / Math.max(1, progress.totalBytes));
      write(figures, progress === null ? '' : figuresOf(progress));
      write(reason, upload.reason?.message ?? '');
      write(next, nextTryAt === null ? '' : strings.uploads.nextTry(timeOfDay(nextTryAt), attempts));
    },
  };
}

function figuresOf({ sentBytes, totalBytes, bytesPerSecond }: NonNullable<ShownUpload['progress']>): string {
  const sent =
    totalBytes === null
      ? strings.uploads.sent(bytes(sentBytes))
      : strings.uploads.sentOf(bytes(sentBytes), bytes(totalBytes));
  const speed =
    bytesPerSecond > 0 ? strings.uploads.speed(bytes(bytesPerSecond)) : strings.uploads.standsStill;
  return `${sent} · ${speed}`;
}
