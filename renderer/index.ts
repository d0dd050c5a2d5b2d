// The status window: writes down what the main process says. It has no state of its own but the newest revision.

import type { ShownState, SightlineBridge } from '../main/shared/ipc.ts';
import type { RecordingState } from '../main/shared/names.ts';
import type { OpenRecording } from '../main/shared/protocol.ts';

declare global {
  interface Window {
    /** From preload/index.ts. */
    readonly sightline: SightlineBridge;
  }
}

const recordingStates: Readonly<Record<RecordingState, string>> = {
  starting: 'Starting',
  recording: 'Recording',
  suspended: 'Suspended',
  paused: 'Paused',
  problem: 'Not captured',
  stopping: 'Coming to its end',
};

let newestRev = -1;

// First listen, then ask: what changes in between is not missed, and the older of the two is dropped by its revision.
window.sightline.onState(show);
window.sightline.getState().then(show, () => write('words', 'Sightline does not answer. Start it again.'));

function show({ rev, inWords, contacts, about }: ShownState): void {
  if (rev < newestRev) return;
  newestRev = rev;
  document.body.dataset.icon = inWords.icon;
  document.title = `Sightline: ${inWords.words}`;
  write('words', inWords.words);
  write('detail', inWords.detail ?? '');
  write('uploads', inWords.uploads ?? '');
  element('no-contacts').hidden = contacts.length > 0;
  element('contacts').replaceChildren(...contacts.map(contactItem));
  write('version', about.version);
  write('port', about.port === null ? 'not listening' : String(about.port));
  write('encoder', about.encoder ?? 'not known yet');
}

function contactItem({ contactId, state }: OpenRecording): HTMLLIElement {
  const item = document.createElement('li');
  const name = document.createElement('span');
  name.className = 'contact';
  name.textContent = contactId;
  const words = document.createElement('span');
  words.textContent = recordingStates[state];
  item.append(name, words);
  return item;
}

/** Only what has changed: a screen reader announces each writing to the state. */
function write(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found;
}
