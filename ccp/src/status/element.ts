// <sightline-status>: shows the agent whether the screen is being recorded, and what to do when it is not. It reads the
// states of a client and its contacts and changes nothing, unless the page asks for its button (attribute `controls`).
// No markup is parsed and no style is inline, so that it works under a strict CSP with Trusted Types.

import { onBridges, onlyBridge, type StatusSource } from '../bridges.ts';
import type { ContactState, Unsubscribe } from '../contract.ts';
import { build, type Parts } from './parts.ts';
import { english, withTexts, type StatusKind, type Texts, type TextsPart } from './texts.ts';
import { formatElapsed, statusView, type StatusView } from './view.ts';

const PROBLEMS: ReadonlySet<StatusKind> = new Set([
  ...(['problem', 'not-running', 'blocked', 'refused', 'wrong-version'] as const),
]);

/** Where there are no elements (a server that renders pages), importing this file must not fail. */
const Base = typeof HTMLElement === 'undefined' ? (Object as unknown as typeof HTMLElement) : HTMLElement;

export class SightlineStatus extends Base {
  static readonly observedAttributes = ['compact', 'controls'];

  #source: StatusSource | undefined;
  #texts: Texts = english;
  #subscriptions: Unsubscribe[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #parts: Parts | undefined;
  /** What the agent chose; undefined: open when there is something to do. */
  #open: boolean | undefined;
  #kind: StatusKind | undefined;
  #action: StatusView['action'] = null;

  /** The bridge whose state is shown; by default the page's only one. Null or undefined: back to the default. */
  get source(): StatusSource | undefined {
    return this.#source ?? onlyBridge();
  }
  set source(source: StatusSource | null | undefined) {
    this.#source = source ?? undefined;
    if (this.isConnected) this.#attach();
  }

  /** Texts in place of the English ones; what is missing stays English. Reads back complete. */
  get texts(): Texts {
    return this.#texts;
  }
  set texts(texts: TextsPart) {
    this.#texts = withTexts(english, texts);
    this.#render();
  }

  connectedCallback(): void {
    // Set by the page before this class was defined: own properties, which hide the accessors above.
    for (const name of ['source', 'texts'] as const) {
      const own = Object.getOwnPropertyDescriptor(this, name);
      if (own === undefined) continue;
      Reflect.deleteProperty(this, name);
      this[name] = own.value as never;
    }
    this.#attach();
  }

  disconnectedCallback(): void {
    this.#detach();
  }

  attributeChangedCallback(): void {
    this.#render();
  }

  #attach(): void {
    this.#detach();
    this.#subscriptions = [onBridges(() => this.#attach())];
    const { source } = this;
    if (source === undefined) {
      this.#render();
      return;
    }
    const render = () => this.#render();
    this.#subscriptions.push(source.client.subscribe(render), source.contacts.subscribe(render));
    this.#render();
  }

  #detach(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#subscriptions = [];
    clearTimeout(this.#timer);
  }

  #render(): void {
    if (!this.isConnected) return;
    clearTimeout(this.#timer);
    this.#parts ??= build(this, {
      onAction: () => this.#act(),
      onRetry: () => this.source?.client.connectNow(),
      onDetails: () => {
        this.#open = this.#parts?.panel.hidden !== false;
        this.#render();
      },
      onEscape: () => {
        if (this.#parts?.panel.hidden !== false) return false;
        this.#open = false;
        this.#render();
        this.#parts.details.focus();
        return true;
      },
    });
    const parts = this.#parts;
    const { source } = this;
    parts.base.hidden = source === undefined;
    if (source === undefined) return;
    const { client, contacts } = source;
    const view = statusView(
      client.connection,
      client.appState,
      contacts.contacts,
      this.#texts,
      isFrameAllowed(),
    );
    if (view.kind !== this.#kind) this.#open = undefined;
    this.#kind = view.kind;
    this.#action = view.action;
    this.#show(parts, view);
    this.#tick(view.timed);
  }

  #show(parts: Parts, view: StatusView): void {
    const texts = this.#texts;
    const isProblem = PROBLEMS.has(view.kind);
    parts.base.lang = texts.language;
    parts.base.dataset['kind'] = view.kind;
    parts.base.dataset['tone'] = isProblem ? 'problem' : 'plain';
    setText(parts.label, view.label);
    setText(parts.detail, view.detail);
    setText(parts.meaning, view.detail);
    setText(parts.code, view.code === null ? '' : texts.code(view.code));
    setText(parts.retry, texts.retry);
    setText(parts.action, view.action === 'resume' ? texts.resume : texts.suspend);
    parts.elapsed.setAttribute('aria-label', texts.elapsed);
    parts.details.setAttribute('aria-label', texts.details);
    setList(parts.steps, view.steps);
    setList(parts.contacts, view.contacts);
    parts.meaning.hidden = view.detail === '';
    parts.code.hidden = view.code === null;
    parts.retry.hidden = !view.canRetry;
    parts.action.hidden = view.action === null || !this.hasAttribute('controls');
    const isCompact = this.hasAttribute('compact');
    const hasMore = view.steps.length + view.contacts.length > 0 || view.code !== null;
    const hasPanel = hasMore || (isCompact && view.detail !== '');
    const isOpen = hasPanel && (this.#open ?? (isProblem && !isCompact));
    parts.details.hidden = !hasPanel;
    parts.details.setAttribute('aria-expanded', String(isOpen));
    parts.panel.hidden = !isOpen;
  }

  /** The running time: a timer once a second, and none when nothing is timed. */
  #tick(timed: ContactState | null): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    const since = Date.parse(timed?.startTime ?? '');
    parts.elapsed.hidden = Number.isNaN(since);
    if (Number.isNaN(since)) return;
    const elapsedMs = Date.now() - since;
    setText(parts.elapsed, formatElapsed(elapsedMs));
    this.#timer = setTimeout(() => this.#tick(timed), 1000 - (Math.max(0, elapsedMs) % 1000));
  }

  #act(): void {
    const { source } = this;
    const action = this.#action;
    if (source === undefined || action === null) return;
    if (source[action] !== undefined) {
      source[action]();
      return;
    }
    for (const { contactId } of source.contacts.contacts) {
      if (action === 'suspend') source.contacts.suspend(contactId, 'page');
      else source.contacts.resumeAll(contactId);
    }
  }
}

/** Chromium says whether the embedding page allows its frame to reach this computer (Permissions Policy). */
function isFrameAllowed(): boolean {
  const { featurePolicy } = document as {
    featurePolicy?: { features(): string[]; allowsFeature(name: string): boolean };
  };
  const known = featurePolicy?.features() ?? [];
  const names = ['loopback-network', 'local-network-access'].filter((name) => known.includes(name));
  return names.length === 0 || names.some((name) => featurePolicy?.allowsFeature(name));
}

/** Only when it changes: a live region reads what is set. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function setList(list: HTMLElement, lines: readonly string[]): void {
  list.hidden = lines.length === 0;
  const shown = [...list.children].map((item) => item.textContent);
  if (shown.length === lines.length && shown.every((text, index) => text === lines[index])) return;
  list.replaceChildren(
    ...lines.map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }),
  );
}

/** Defines the element; does nothing where it is defined already, or where there are no elements. */
export function defineStatusElement(): void {
  if (typeof customElements === 'undefined' || customElements.get('sightline-status') !== undefined) return;
  customElements.define('sightline-status', SightlineStatus);
}
