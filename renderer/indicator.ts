// The indicator's page: shows what the main process sends, counts the seconds since then, and passes on what the agent does
// with it: click, drag, shrink, hide, suspend. It shows a suspension when the main process does, never at the click.

import type { IndicatorBridge, IndicatorView } from '../main/shared/indicatorIpc.ts';
import { strings } from '../main/shared/strings.ts';

declare global {
  interface Window {
    /** From preload/indicator.ts. */
    readonly sightlineIndicator: IndicatorBridge;
  }
}

/** A hand that clicks moves a little. */
const DRAG_FROM_PIXELS = 4;

const bridge = window.sightlineIndicator;
const texts = strings.indicator;
const pill = element('pill');
let shown: { readonly view: IndicatorView; readonly receivedAt: number } | null = null;
let tick: ReturnType<typeof setTimeout> | undefined;
let pressed: { readonly x: number; readonly y: number; isDragging: boolean } | null = null;

document.documentElement.lang = strings.language;
write('heading', texts.heading);
element('elapsed').setAttribute('aria-label', texts.elapsed);
element('shrink').setAttribute('aria-label', texts.details);
element('hide').setAttribute('aria-label', texts.hide);

// First listen, then ask: what changes in between is not missed, and the older of the two is dropped by its revision.
bridge.onView(show);
void bridge.get().then((view) => {
  if (view !== null) show(view);
});
new ResizeObserver(() => {
  if (!pill.hidden) void bridge.fit(Math.ceil(pill.getBoundingClientRect().width));
}).observe(pill);

element('shrink').addEventListener('click', () => {
  if (shown !== null) void bridge.shrink(!shown.view.shrunk);
});
element('suspend').addEventListener('click', () => {
  if (shown !== null) void bridge.suspend(shown.view.agent === 'may-suspend');
});
element('hide').addEventListener('click', () => void bridge.hide());

// Dragged here: the system's dragging needs a window that takes the focus, which this one must not.
pill.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || (event.target as Element).closest('button') !== null) return;
  pressed = { x: event.screenX, y: event.screenY, isDragging: false };
  pill.setPointerCapture(event.pointerId);
});
pill.addEventListener('pointermove', (event) => drag(event, false));
pill.addEventListener('pointerup', (event) => {
  if (pressed?.isDragging === false) void bridge.open();
  release(event);
});
pill.addEventListener('pointercancel', release);

function release(event: PointerEvent): void {
  if (pressed?.isDragging === true) drag(event, true);
  pressed = null;
}

function drag({ screenX, screenY }: PointerEvent, done: boolean): void {
  if (pressed === null) return;
  const [x, y] = [Math.round(screenX - pressed.x), Math.round(screenY - pressed.y)];
  pressed.isDragging ||= Math.hypot(x, y) >= DRAG_FROM_PIXELS;
  if (pressed.isDragging) void bridge.move(x, y, done);
}

function show(view: IndicatorView): void {
  if (shown !== null && view.rev < shown.view.rev) return;
  shown = { view, receivedAt: performance.now() };
  pill.hidden = false;
  pill.dataset.tone = view.tone;
  pill.dataset.agent = view.agent;
  pill.className = view.shrunk ? 'shrunk' : '';
  write('label', view.label);
  write('detail', view.detail ?? '');
  pill.title = texts.tooltip(view.detail === null ? view.label : `${view.label}: ${view.detail}`);
  const suspend = element('suspend');
  suspend.hidden = view.agent === 'no';
  const label = view.agent === 'may-resume' ? texts.resume : texts.suspend;
  suspend.setAttribute('aria-label', label);
  suspend.title = label;
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
  const nowMs = elapsedMs + performance.now() - shown.receivedAt;
  write('elapsed', clockText(nowMs));
  tick = setTimeout(showElapsed, 1000 - (nowMs % 1000) + 5);
}

function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}:` : ''}${two(minutes)}:${two(seconds % 60)}`;
}

/** Only what has changed: a screen reader announces each change of the state. */
function write(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found;
}
