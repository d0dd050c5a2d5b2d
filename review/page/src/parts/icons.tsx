// The page's icons: lines of 1.5 px on 16 x 16, in the color of the text. They only repeat what a text says.

import type { JSX } from 'preact';

const shapes = {
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Zm3.3-1.2L14 14',
  refresh: 'M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 2v3h-3',
  VOICE:
    'M3 2.5h2.6l1.1 3-1.5 1a8 8 0 0 0 4.3 4.3l1-1.5 3 1.1V13c0 .6-.5 1-1 1A10.5 10.5 0 0 1 2 3.5c0-.5.4-1 1-1Z',
  CHAT: 'M2.5 3h11v8H7l-3 2.5V11H2.5Z',
  TASK: 'M3 3h10v10.5H3ZM6 1.8v2.4M10 1.8v2.4M5.6 8.6l1.7 1.7 3.1-3.4',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  close: 'M4 4l8 8M12 4l-8 8',
  help: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.3 6.4a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.6-.8 1.1M8 11.4h.01',
  theme: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5l5 0M8 8h6M8 11h5',
  suspended: 'M5.5 4v8M10.5 4v8',
  warning: 'M8 2.5 14.5 13.5h-13ZM8 6.5v3.2M8 11.6h.01',
  signOut: 'M9.5 2.5h-6v11h6M6.5 8H14M11.5 5.5 14 8l-2.5 2.5',
  log: 'M3.5 2.5h9v11h-9ZM6 5.5h4M6 8h4M6 10.5h2.5',
  download: 'M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10',
  link: 'M6.8 9.2 9.2 6.8M7 4.8l1.6-1.6a2.8 2.8 0 0 1 4 4L11 8.8M9 11.2l-1.6 1.6a2.8 2.8 0 0 1-4-4L5 7.2',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  picture: 'M2 3.5h12v9H2ZM6.7 6v4l3.2-2Z',
  check: 'M3 8.5 6.5 12 13 4.5',
  play: 'M5 3.2v9.6L12.5 8Z',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
