// The element's shadow tree: made once, node by node, so that no markup is parsed (Trusted Types) and focus stays where it is.

import { css } from './styles.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Each state has its own shape, so that color only repeats it. */
const SHAPES: readonly (readonly [name: string, path: string])[] = [
  ['idle', 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Zm0 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z'],
  ['starting', 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Zm0 2a4 4 0 1 0 0 8Z'],
  [
    'recording',
    'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 2a5 5 0 1 0 0 10A5 5 0 0 0 8 3Zm0 1.6a3.4 3.4 0 1 1 0 6.8 3.4 3.4 0 0 1 0-6.8Z',
  ],
  ['rest', 'M3 2h4v12H3ZM9 2h4v12H9Z'],
  ['problem', 'M8 .8l7.8 14H.2ZM7 5.5v4.5h2V5.5ZM7 11.2v2h2v-2Z'],
];
let sheet: CSSStyleSheet | undefined;

export interface Parts {
  readonly base: HTMLElement;
  readonly label: HTMLElement;
  readonly detail: HTMLElement;
  readonly elapsed: HTMLElement;
  readonly action: HTMLElement;
  readonly details: HTMLElement;
  readonly panel: HTMLElement;
  readonly meaning: HTMLElement;
  readonly steps: HTMLElement;
  readonly contacts: HTMLElement;
  readonly retry: HTMLElement;
  readonly code: HTMLElement;
}

interface Handlers {
  onAction(): void;
  onRetry(): void;
  onDetails(): void;
  /** True: there was something to close. */
  onEscape(): boolean;
}

/** Fills the host's shadow root. Called once for each element. */
export function build(host: HTMLElement, handlers: Handlers): Parts {
  const make = (tag: string, id: string, attributes: Record<string, string> = {}): HTMLElement => {
    const element = document.createElement(tag);
    element.id = id;
    for (const [name, value] of Object.entries({ part: id, ...attributes }))
      element.setAttribute(name, value);
    return element;
  };
  const button = (id: string, part: string, onClick: () => void): HTMLElement => {
    const element = make('button', id, { type: 'button', part: `button ${part}` });
    element.addEventListener('click', onClick);
    return element;
  };
  const parts: Parts = {
    base: make('div', 'base'),
    label: make('strong', 'label'),
    detail: make('span', 'detail'),
    elapsed: make('span', 'elapsed', { role: 'timer' }),
    action: button('action', 'action', () => handlers.onAction()),
    details: button('details', 'details', () => handlers.onDetails()),
    panel: make('div', 'panel'),
    meaning: make('p', 'meaning'),
    steps: make('ol', 'steps'),
    contacts: make('ul', 'contacts'),
    retry: button('retry', 'retry', () => handlers.onRetry()),
    code: make('p', 'code'),
  };
  const line = make('div', 'line');
  // Without the running time, which would be read every second.
  const status = make('p', 'status', { role: 'status' });
  status.append(parts.label, ' ', parts.detail);
  line.append(icon('icon', SHAPES), status, parts.elapsed, parts.action, parts.details);
  parts.details.append(icon('', [['chevron', 'M4 6l4 4 4-4']]));
  parts.details.setAttribute('aria-controls', 'panel');
  parts.panel.append(parts.meaning, parts.steps, parts.contacts, parts.retry, parts.code);
  parts.base.append(line, parts.panel);
  parts.base.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && handlers.onEscape()) event.stopPropagation();
  });
  const root = host.attachShadow({ mode: 'open' });
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  root.adoptedStyleSheets = [sheet];
  root.append(parts.base);
  return parts;
}

function icon(id: string, shapes: typeof SHAPES): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  if (id !== '') svg.id = id;
  for (const [name, value] of Object.entries({ part: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' })) {
    svg.setAttribute(name, value);
  }
  for (const [name, d] of shapes) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', d);
    path.setAttribute('fill-rule', 'evenodd');
    svg.append(path);
  }
  return svg;
}
