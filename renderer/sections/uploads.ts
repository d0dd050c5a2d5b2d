// What is being uploaded or pending: how much is sent, how fast, and why it is retried.

import type { ShownUpload } from '../../main/shared/overview.ts';
import type { Item } from '../dom.ts';
import { KeyedList, h, setAttribute, write } from '../dom.ts';
import { bytes, contactName, timeOfDay } from '../format.ts';
import { strings } from '../strings.ts';
import type { Section } from './section.ts';
import { frame, nameOf, problemPart } from './section.ts';

export function uploads(): Section {
  const host = h('ul', { class: 'rows' });
  const { element } = frame('uploads', strings.uploads.title, host);
  const list = new KeyedList<ShownUpload>(host, ({ recordingId }) => recordingId, uploadItem);
  return {
    element,
    show(state) {
      element.hidden = state.uploads.length === 0;
      list.show(state.uploads);
    },
  };
}

function uploadItem(first: ShownUpload): Item<ShownUpload> {
  const name = nameOf(first.name);
  const state = h('strong', { class: 'badge' });
  const bar = h('progress', { max: '100' });
  const figures = h('p', { class: 'quiet figures' });
  const next = h('p', { class: 'quiet' });
  const problem = problemPart();
  const head = h('div', { class: 'head' }, name.element, state);
  return {
    element: h('li', {}, head, bar, figures, next, problem.element),
    show(upload) {
      const { progress, nextTryAt, attempts } = upload;
      name.show(upload.name);
      setAttribute(bar, 'aria-label', strings.uploads.bar(contactName(upload.name)));
      write(state, strings.uploads.states[upload.state]);
      setAttribute(state, 'class', `badge ${upload.state}`);
      bar.hidden = progress === null;
      if (progress === null || progress.totalBytes === null) bar.removeAttribute('value');
      else bar.value = Math.floor((progress.sentBytes * 100) / Math.max(1, progress.totalBytes));
      write(figures, progress === null ? '' : figuresOf(progress));
      write(next, nextTryAt === null ? '' : strings.uploads.nextTry(timeOfDay(nextTryAt), attempts));
      problem.show(upload.reason);
    },
  };
}

function figuresOf({ sentBytes, totalBytes, bytesPerSecond }: NonNullable<ShownUpload['progress']>): string {
  const sent =
    totalBytes === null
      ? strings.uploads.sent(bytes(sentBytes))
      : strings.uploads.sentOf(bytes(sentBytes), bytes(totalBytes));
  const speed = bytesPerSecond > 0 ? strings.uploads.speed(bytes(bytesPerSecond)) : strings.uploads.stalled;
  return `${sent} · ${speed}`;
}
