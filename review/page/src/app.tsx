// What the page shows, by its address.

import type { JSX } from 'preact';
import { signal } from '@preact/signals';
import { Virtualizer } from 'virtua';
import { Player } from './player/index.tsx';
import { parseRoute } from './route.ts';
import { shell } from './strings/shell.ts';

const route = signal(parseRoute(location.hash));
addEventListener('hashchange', () => (route.value = parseRoute(location.hash)));

export function App(): JSX.Element {
  const now = route.value;
  if (now.at === 'recording') return <Player id={now.id} atMs={now.atMs} />;
  return (
    <main>
      <h1>{shell.title}</h1>
      <Virtualizer data={[1, 2]}>{(one) => <p>{one}</p>}</Virtualizer>
    </main>
  );
}
