// The player is a file of its own: the list is shown before it is loaded, and opening a recording does not wait for it.

import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { PlayerProps } from './player/index.tsx';
import { EmptyNotice } from './parts/notice.tsx';
import { shell } from './strings/shell.ts';

type Loaded = { readonly player: ComponentType<PlayerProps> } | 'failed' | null;
const loaded = signal<Loaded>(null);

/** May be called again. */
export async function loadPlayer(): Promise<void> {
  if (loaded.value !== null && loaded.value !== 'failed') return;
  try {
    const { Player } = await import('./player/index.tsx');
    loaded.value = { player: Player };
  } catch {
    loaded.value = 'failed';
  }
}

export function LazyPlayer(props: PlayerProps): JSX.Element | null {
  useEffect(() => void loadPlayer(), []);
  const now = loaded.value;
  if (now === null) return null; // for a moment
  if (now === 'failed') {
    return (
      <EmptyNotice heading={shell.failureHeading} tone="problem">
        <p>{shell.failures.UNREACHABLE}</p>
        <button type="button" class="button" onClick={() => location.reload()}>
          {shell.reload}
        </button>
      </EmptyNotice>
    );
  }
  const Player = now.player;
  return <Player {...props} />;
}
