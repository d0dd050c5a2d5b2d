// The status window: shows what the main process sends. Its only state is the newest revision, and the clock that counts
// on from it.

import type { ShownState, SightlineBridge } from '../main/shared/ipc.ts';
import { h, write } from './dom.ts';
import { checks, problemsIn } from './sections/checks.ts';
import { contacts } from './sections/contacts.ts';
import { header } from './sections/header.ts';
import { recordings } from './sections/recordings.ts';
import { screen } from './sections/screen.ts';
import type { Section } from './sections/section.ts';
import { support } from './sections/support.ts';
import { uploads } from './sections/uploads.ts';
import { strings } from './strings.ts';

declare global {
  interface Window {
    /** From preload/index.ts. */
    readonly sightline: SightlineBridge;
  }
}

const bridge = window.sightline;
document.documentElement.lang = strings.language;

const notice = h('p', { class: 'notice', role: 'status' });
const announce = (text: string): void => write(notice, text);
const top = header(bridge, announce);
const [uploadList, recordingList, checkList] = [
  uploads(),
  recordings(bridge, announce),
  checks(bridge, announce),
];
const inMain = [contacts(), uploadList, recordingList, checkList, screen(), support(bridge, announce)];
const sections: readonly Section[] = [top, ...inMain];
document.body.append(top.element, notice, h('main', {}, ...inMain.map(({ element }) => element)));

let newestRev = -1;
let hasProblems = false;
/** Of the state on show, and when it was received, by this window's clock. */
let shownAt = { now: 0, came: 0 };
let ticking: number | null = null;

// First listen, then ask: what changes in between is not missed, and the older of the two is dropped by its revision.
bridge.onState(show);
bridge.getState().then(show, () => top.say(strings.noAnswer));
document.addEventListener('visibilitychange', tick);

function show(state: ShownState): void {
  if (state.rev < newestRev) return;
  newestRev = state.rev;
  shownAt = { now: state.now, came: performance.now() };
  for (const section of sections) section.show(state);
  putProblemsFirst(problemsIn(state.checks).length > 0);
  tick();
  const isOn = state.contacts.length > 0 || state.since !== null;
  if (isOn && ticking === null) ticking = window.setInterval(tick, 1000);
  if (!isOn && ticking !== null) {
    window.clearInterval(ticking);
    ticking = null;
  }
}

/** The others move around the checks, whose button may have the focus: an element that is moved loses it. */
function putProblemsFirst(now: boolean): void {
  if (now === hasProblems) return;
  hasProblems = now;
  const others = [uploadList.element, recordingList.element];
  if (now) checkList.element.after(...others);
  else checkList.element.before(...others);
}

/** Once a second while a duration is shown, and never for a hidden window. */
function tick(): void {
  if (document.hidden) return;
  const now = shownAt.now + performance.now() - shownAt.came;
  for (const section of sections) section.tick?.(now);
}
