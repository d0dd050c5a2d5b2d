// What the sections need of the DOM: creating elements, writing only what has changed, and lists whose items keep their
// elements, so that an update never loses focus or open details.

type Child = Node | string;
type Attributes = Readonly<Record<string, string>>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Only what has changed: a screen reader announces each change of a live region. */
export function write(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function setAttribute(target: Element, name: string, value: string): void {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

/** A shape beside text that says the same: screen readers skip it. */
export function icon(name: string): SVGSVGElement {
  return svg('svg', { class: `icon ${name}`, 'aria-hidden': 'true' }, svg('use', { href: `#shape-${name}` }));
}

export interface Item<T> {
  readonly element: HTMLElement;
  show(value: T): void;
}

/** Keeps the host's children in step with the values: one element for each key, in their order. */
export class KeyedList<T> {
  private readonly items = new Map<string, Item<T>>();

  constructor(
    private readonly host: HTMLElement,
    private readonly keyOf: (value: T) => string,
    private readonly make: (value: T) => Item<T>,
  ) {}

  show(values: readonly T[]): void {
    const keys = new Set(values.map(this.keyOf));
    for (const [key, item] of this.items) {
      if (keys.has(key)) continue;
      const hadFocus = item.element.contains(document.activeElement);
      item.element.remove();
      this.items.delete(key);
      if (hadFocus) this.host.closest('section')?.querySelector('h2')?.focus();
    }
    values.forEach((value, index) => {
      const key = this.keyOf(value);
      const item = this.items.get(key) ?? this.make(value);
      this.items.set(key, item);
      item.show(value);
      // Moving an element takes its focus away: only where it must be.
      if (this.host.children[index] !== item.element)
        this.host.insertBefore(item.element, this.host.children[index] ?? null);
    });
  }
}
