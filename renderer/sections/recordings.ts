// The newest recordings with their status, and what an agent may do about each: retry the upload now, open its folder.

import type { SightlineBridge } from '../../main/shared/ipc.ts';
import type { ShownRecording } from '../../main/shared/overview.ts';
import type { Item } from '../dom.ts';
import { KeyedList, h, icon, setAttribute, write } from '../dom.ts';
import { contactName, duration } from '../format.ts';
import { strings } from '../strings.ts';
import type { Announce, Section } from './section.ts';
import { frame, nameOf, problemPart } from './section.ts';

type Bridge = Pick<SightlineBridge, 'retryRecording' | 'openFolder'>;

export function recordings(bridge: Bridge, announce: Announce): Section {
  const host = h('ul', { class: 'rows' });
  const list = new KeyedList<ShownRecording>(
    host,
    ({ recordingId }) => recordingId,
    (recording) => recordingItem(recording, bridge, announce),
  );
  const { element, actions } = frame('recordings', strings.recordings.title, host);
  const openAll = h('button', { type: 'button' }, strings.recordings.openAll);
  openAll.addEventListener('click', () => openFolder(bridge, announce, null));
  actions.append(openAll);
  return {
    element,
    show(state) {
      element.hidden = state.recordings.length === 0;
      openAll.hidden = !state.about.sinkIsFolder;
      list.show(state.recordings);
    },
  };
}

function recordingItem(first: ShownRecording, bridge: Bridge, announce: Announce): Item<ShownRecording> {
  const { recordingId } = first;
  const texts = strings.recordings;
  const name = nameOf(first.name);
  const state = h('strong', { class: 'badge' });
  const length = h('span', { class: 'quiet figures' });
  const retry = h('button', { type: 'button' }, texts.retry);
  const open = h('button', { type: 'button' }, texts.openFolder);
  const problem = problemPart();
  let called = '';
  retry.addEventListener('click', () => {
    bridge.retryRecording(recordingId).then(
      (isPending) => announce((isPending ? texts.retrying : texts.nothingToRetry)(called)),
      () => announce(strings.failedRequest),
    );
  });
  open.addEventListener('click', () => openFolder(bridge, announce, recordingId));
  const head = h('div', { class: 'head' }, name.element, h('div', { class: 'now' }, length, state));
  const foot = h('div', { class: 'actions' }, retry, open);
  let shown = '';
  return {
    element: h('li', {}, head, problem.element, foot),
    show(recording) {
      const { status, waiting, reason, durationMs } = recording;
      called = contactName(recording.name);
      name.show(recording.name);
      setAttribute(retry, 'aria-label', texts.retryLabel(called));
      setAttribute(open, 'aria-label', texts.openFolderLabel(called));
      const kind = waiting ? 'waiting' : status.toLowerCase();
      if (shown !== kind) {
        shown = kind;
        state.className = `badge ${kind}`;
        const text = waiting ? texts.pending : texts.statuses[status];
        state.replaceChildren(icon(shapes[waiting ? 'COMPLETED' : status]), text);
      }
      write(length, durationMs === null ? '' : duration(durationMs));
      // Of what is pending, the uploads show why.
      problem.show(waiting || status === 'PUBLISHED' ? null : reason);
      retry.hidden = !recording.canRetry;
      open.hidden = !recording.hasFolder;
    },
  };
}

const shapes: Readonly<Record<ShownRecording['status'], string>> = {
  INITIATED: 'recording',
  COMPLETED: 'uploading',
  PUBLISHED: 'ok',
  FAILED: 'failed',
};

function openFolder(bridge: Bridge, announce: Announce, recordingId: string | null): void {
  bridge.openFolder(recordingId).then(
    (opened) => {
      if (!opened) announce(strings.recordings.noFolder);
    },
    () => announce(strings.failedRequest),
  );
}
