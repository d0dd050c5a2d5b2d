// The player's icons, as paths of 24 x 24.

import type { JSX } from 'preact';

const paths = {
  play: 'M8 5v14l11-7z',
  pause: 'M6 5h4v14H6zM14 5h4v14h-4z',
  previous: 'M16 6v12l-8-6zM6 6h2v12H6z',
  next: 'M8 6v12l8-6zM16 6h2v12h-2z',
  sound: 'M4 9v6h4l5 4V5L8 9zM16 8a5 5 0 0 1 0 8zM16 4v2a7 7 0 0 1 0 12v2a9 9 0 0 0 0-16z',
  muted:
    'M4 9v6h4l5 4V5L8 9zM15.4 9 14 10.4l1.6 1.6-1.6 1.6 1.4 1.4 1.6-1.6 1.6 1.6 1.4-1.4-1.6-1.6 1.6-1.6L18.6 9 17 10.6z',
  full: 'M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z',
  small: 'M8 4h2v6H4V8h4zM14 4h2v4h4v2h-6zM4 14h6v6H8v-4H4zM14 14h6v2h-4v4h-2z',
  help: 'M11 17h2v2h-2zM12 3a6 6 0 0 0-6 6h2a4 4 0 1 1 6 3.5c-1.700 1-3 2-3 3.500h2c0-1 .9-1.500 2-2.200A6 6 0 0 0 12 3z',
} as const;

export function Icon({ name }: { readonly name: keyof typeof paths }): JSX.Element {
  return (
    <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill="currentColor" />
    </svg>
  );
}
