// Suspends while a given element (a payment form) has focus or can be seen. Nothing is polled: focus events, changes of the document
// and the browser's own visibility observer are enough. An element that is removed, hidden or renamed ends its suspension, and
// one that appears later begins it. What it cannot see is listed in docs/ccp.md.

export interface SuspendWhileOptions {
  /** `focused` (default): the element, or something in it, has the focus. `visible`: some of it is in the window. */
  readonly when?: 'focused' | 'visible';
  /** How long after that the recording resumes, in milliseconds; 1000 unless told. */
  readonly resumeAfterMs?: number;
  /** For the recording's manifest and the indicator. */
  readonly reason?: string;
}

export interface SuspendTarget {
  /** For all contacts, also those that come, until `resumeAll` of the same cause. Sent at once. */
  suspendAll(cause: string, reason: string): void;
  resumeAll(cause: string): void;
}

const RESUME_AFTER_MS = 1000;
const LONGEST_CAUSE = 100;
/** Of the watchers that run. Two of the same selector must not end each other's suspension. */
const causes = new Set<string>();

/**
 * @param where a selector (elements of open shadow roots count for `focused`), or one element
 * @returns ends the watching, and its suspension
 * @throws SyntaxError for a selector that the browser does not know
 */
export function suspendWhile(
  where: string | Element,
  options: SuspendWhileOptions,
  target: SuspendTarget,
): () => void {
  if (typeof where === 'string') document.querySelector(where); // throws now, not at the first event
  const { when = 'focused', resumeAfterMs = RESUME_AFTER_MS, reason = 'sensitive field' } = options;
  const cause = uniqueCause(where);
  const watch = when === 'focused' ? watchFocus : watchVisibility;
  let isActive = false as boolean;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stopWatching = watch(where, (active) => {
    if (active === isActive) return;
    isActive = active;
    clearTimeout(timer);
    if (active) target.suspendAll(cause, reason);
    else timer = setTimeout(() => target.resumeAll(cause), resumeAfterMs);
  });
  // What an earlier life of the page left suspended for this cause.
  if (!isActive) timer = setTimeout(() => target.resumeAll(cause), resumeAfterMs);

  return () => {
    stopWatching();
    clearTimeout(timer);
    target.resumeAll(cause);
    causes.delete(cause);
  };
}

function uniqueCause(where: string | Element): string {
  const name = typeof where === 'string' ? where : where.id === '' ? where.localName : `#${where.id}`;
  const first = `form:${name}`.slice(0, LONGEST_CAUSE);
  let cause = first;
  // Counted, not random: after a reload the same watcher has the same cause again.
  for (let count = 2; causes.has(cause); count++) cause = `${first}#${count}`;
  causes.add(cause);
  return cause;
}

type Report = (active: boolean) => void;

function watchFocus(where: string | Element, report: Report): () => void {
  const roots = new Set<Node>();
  const changes = new MutationObserver(check);
  const observe = (root: Node): void => {
    if (roots.has(root)) return;
    roots.add(root);
    changes.observe(root, { subtree: true, childList: true, attributes: true });
  };

  function check(): void {
    const path = focusPath();
    report(path.some((element) => isOne(element, where)));
    // The document's observer does not see into shadow roots, where the focused element may be removed.
    for (const element of path) observe(element.getRootNode());
  }

  const onFocusIn = (event: Event): void => {
    // Before the first key: the event comes while the element gets the focus. It has the path through shadow roots.
    if (event.composedPath().some((one) => one instanceof Element && isOne(one, where))) report(true);
    else check();
  };
  // While it is dispatched, the old element still has the focus, or none has it.
  const onFocusOut = (): void => queueMicrotask(check);
  // Focus that goes into an iframe is only seen as the window's loss; the iframe is the active element then, or soon.
  const onBlur = (): void => {
    check();
    setTimeout(check, 0);
  };
  observe(document);
  addEventListener('focusin', onFocusIn, true);
  addEventListener('focusout', onFocusOut, true);
  addEventListener('blur', onBlur);
  addEventListener('focus', check);
  check();
  return () => {
    changes.disconnect();
    removeEventListener('focusin', onFocusIn, true);
    removeEventListener('focusout', onFocusOut, true);
    removeEventListener('blur', onBlur);
    removeEventListener('focus', check);
  };
}

/** The element that has the focus, through open shadow roots, and all it is in. Empty for the body alone. */
function focusPath(): Element[] {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  const path: Element[] = [];
  if (focused === document.body) return path;
  for (let element: Element | null = focused; element !== null; element = parentOf(element))
    path.push(element);
  return path;
}

function parentOf(element: Element): Element | null {
  // A slotted element is in its slot as well, but its own ancestors are what a page's developer sees.
  if (element.parentElement !== null) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

function isOne(element: Element, where: string | Element): boolean {
  return typeof where === 'string' ? element.matches(where) : element === where;
}

/** What the browser's observer said last of an element, and where the element was then. */
interface Seen {
  readonly isIntersecting: boolean;
  readonly place: string;
}

function watchVisibility(where: string | Element, report: Report): () => void {
  /** undefined until the observer has spoken, which is a frame after it was asked: visible until then. */
  const watched = new Map<Element, Seen | undefined>();
  const intersections = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      if (watched.has(target)) watched.set(target, { isIntersecting, place: placeOf(boundingClientRect) });
    }
    decide();
  });
  const changes = new MutationObserver(check);

  const decide = (): void => {
    report([...watched].some(([element, seen]) => seen?.isIntersecting !== false && isRendered(element)));
  };

  function check(): void {
    const found =
      typeof where === 'string' ? [...document.querySelectorAll(where)] : where.isConnected ? [where] : [];
    for (const element of watched.keys()) {
      if (found.includes(element)) continue;
      watched.delete(element);
      intersections.unobserve(element);
    }
    for (const element of found) {
      if (watched.has(element) && !hasAppeared(element, watched.get(element))) continue;
      watched.set(element, undefined);
      // The observer reports changes only: asked anew, it answers.
      intersections.unobserve(element);
      intersections.observe(element);
    }
    decide();
  }

  changes.observe(document, { subtree: true, childList: true, attributes: true });
  check();
  return () => {
    changes.disconnect();
    intersections.disconnect();
  };
}

/** It was out of sight, and is now somewhere in the window: it counts before the observer says so. */
function hasAppeared(element: Element, seen: Seen | undefined): boolean {
  if (seen === undefined || seen.isIntersecting || !isRendered(element)) return false;
  const rectangle = element.getBoundingClientRect();
  const { top, left, bottom, right } = rectangle;
  const isInWindow = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
  return isInWindow && placeOf(rectangle) !== seen.place;
}

function placeOf({ top, left, width, height }: DOMRectReadOnly): string {
  return [top, left, width, height].join();
}

function isRendered(element: Element): boolean {
  // Older browsers than Chrome 105: in doubt visible.
  const shown = 'checkVisibility' in element ? element.checkVisibility({ visibilityProperty: true }) : true;
  return shown && element.getClientRects().length > 0;
}
