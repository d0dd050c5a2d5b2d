// What became of the newest recordings, with what an agent may do about each: try a delivery now, open its folder.

import type { SightlineBridge } from '../../main/shared/ipc.ts';
import type { ShownRecording } from '../../main/shared/overview.ts';
import type { Item } from '../dom.ts';
import { KeyedList, h, icon, write } from '../dom.ts';
import { dateTime } from '../format.ts';
import { strings } from '../strings.ts';
import type { Announce, Section } from './section.ts';
import { frame } from './section.ts';

type Bridge = Pick<SightlineBridge, 'retryRecording' | 'openFolder'>;

export function recordings(bridge: Bridge, announce: Announce): Section {
  const none = h('p', { class: 'quiet' }, strings.recordings.none);
  const host = h('ul', { class: 'rows' });
  const list = new KeyedList<ShownRecording>(
    host,
    ({ recordingId }) => recordingId,
    (recording) => recordingItem(recording, bridge, announce),
  );
  const { element, actions } = frame('recordings', strings.recordings.title, none, host);
  const openAll = h('button', { type: 'button' }, strings.recordings.openAll);
  openAll.addEventListener('click', () => openFolder(bridge, announce, null));
  actions.append(openAll);
  return {
    element,
    show(state) {
      none.hidden = state.recordings.length > 0;
      host.hidden = state.recordings.length === 0;
      openAll.hidden = !state.about.sinkIsFolder;
      list.show(state.recordings);
    },
  };
}

function recordingItem(
  { contactId, recordingId }: ShownRecording,
  bridge: Bridge,
  announce: Announce,
): Item<ShownRecording> {
  const state = h('strong', { class: 'badge' });
  const time = h('span', { class: 'quiet figures' });
  const detail = h('p', { class: 'reason' });
  const retry = h(
    'button',
    { type: 'button', 'aria-label': strings.recordings.retryLabel(contactId) },
    strings.recordings.retry,
  );
  const open = h(
    'button',
    { type: 'button', 'aria-label': strings.recordings.openFolderLabel(contactId) },
    strings.recordings.openFolder,
  );
  retry.addEventListener('click', () => {
    bridge.retryRecording(recordingId).then(
      (tried) =>
        announce((tried ? strings.recordings.retrying : strings.recordings.nothingToRetry)(contactId)),
      () => announce(strings.failedRequest),
    );
  });
  open.addEventListener('click', () => openFolder(bridge, announce, recordingId));
  const head = h('div', { class: 'head' }, h('span', { class: 'name' }, h('code', {}, contactId)), state);
  const foot = h('div', { class: 'foot' }, time, h('span', { class: 'actions' }, retry, open));
  let shown = '';
  return {
    element: h('li', {}, head, detail, foot),
    show(recording) {
      const { status, waiting, reason } = recording;
      const kind = waiting ? 'waiting' : status.toLowerCase();
      if (shown !== kind) {
        shown = kind;
        state.className = `badge ${kind}`;
        const words = waiting ? strings.recordings.waiting : strings.recordings.statuses[status];
        state.replaceChildren(icon(shapes[waiting ? 'COMPLETED' : status]), words);
      }
      write(time, dateTime(recording.at));
      // Of what waits the deliveries say why.
      write(detail, waiting || status === 'PUBLISHED' ? '' : (reason?.message ?? ''));
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
