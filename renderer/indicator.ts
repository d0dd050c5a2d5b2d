// The indicator's page: writes down what the main process says, counts the seconds since, and passes on that it is
// dragged, shrunk or hidden. It has no state of its own but the newest view.

import type { IndicatorBridge, IndicatorView } from '../main/shared/indicatorIpc.ts';
import { words } from '../main/shared/words.ts';

declare global {
  interface Window {
    /** From preload/indicator.ts. */
    readonly sightlineIndicator: IndicatorBridge;
  }
}

const bridge = window.sightlineIndicator;
const pill = element('pill');
let shown: { readonly view: IndicatorView; readonly toldAt: number } | null = null;
let tick: ReturnType<typeof setTimeout> | undefined;
let dragFrom: { readonly x: number; readonly y: number } | null = null;

document.documentElement.lang = words.language;
write('heading', words.indicator.heading);
for (const id of ['elapsed', 'details', 'hide'] as const)
  element(id === 'details' ? 'shrink' : id).setAttribute('aria-label', words.indicator[id]);

// First listen, then ask: what changes in between is not missed, and the older of the two is dropped by its revision.
bridge.onView(show);
void bridge.get().then((view) => {
  if (view !== null) show(view);
});

element('shrink').addEventListener('click', () => {
  if (shown !== null) void bridge.shrink(!shown.view.shrunk);
});
element('hide').addEventListener('click', () => void bridge.hide());

// Dragged by hand: the system's own dragging needs a window that takes the focus, and this one must not.
pill.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || (event.target as Element).closest('button') !== null) return;
  dragFrom = { x: event.screenX, y: event.screenY };
  pill.setPointerCapture(event.pointerId);
});
pill.addEventListener('pointermove', (event) => drag(event, false));
for (const end of ['pointerup', 'pointercancel'] as const)
  pill.addEventListener(end, (event) => {
    drag(event, true);
    dragFrom = null;
  });

function drag({ screenX, screenY }: PointerEvent, done: boolean): void {
  if (dragFrom === null) return;
  void bridge.move(Math.round(screenX - dragFrom.x), Math.round(screenY - dragFrom.y), done);
}

function show(view: IndicatorView): void {
  if (shown !== null && view.rev < shown.view.rev) return;
  shown = { view, toldAt: performance.now() };
  pill.hidden = false;
  pill.dataset.tone = view.tone;
  pill.className = view.shrunk ? 'shrunk' : '';
  write('label', view.label);
  write('detail', view.detail ?? '');
  pill.title = view.detail === null ? view.label : `${view.label}: ${view.detail}`;
  element('shrink').setAttribute('aria-expanded', String(!view.shrunk));
  element('hide').hidden = !view.mayHide || view.shrunk;
  showElapsed();
}

/** Once a second, on the second, and only while there is a time to show. */
function showElapsed(): void {
  clearTimeout(tick);
  const elapsedMs = shown?.view.elapsedMs ?? null;
  element('elapsed').hidden = elapsedMs === null;
  if (shown === null || elapsedMs === null) return;
  const nowMs = elapsedMs + performance.now() - shown.toldAt;
  write('elapsed', clockText(nowMs));
  tick = setTimeout(showElapsed, 1000 - (nowMs % 1000) + 5);
}

function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}:` : ''}${two(minutes)}:${two(seconds % 60)}`;
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
