// The player of one recording: loads what it needs, and shows it. `Player` is all that the rest of the page knows.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { RecordingDetail } from '../../../contract.ts';
import { api, isAbort, toFailure, type ApiFailure } from '../api.ts';
import { sessionState } from '../session.ts';
import { keyGroups } from '../shell/keys.ts';
import { texts } from '../strings/player.ts';
import { failureText } from '../strings/shell.ts';
import { RecordingView } from './RecordingView.tsx';
import './player.css';

export interface PlayerProps {
  readonly id: string;
  /** Where to begin; null: at the start. */
  readonly atMs: number | null;
}

keyGroups.push({ title: texts.player, keys: texts.keys });

type Loaded =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly failure: ApiFailure }
  | { readonly state: 'ready'; readonly detail: RecordingDetail };

export function Player({ id, atMs }: PlayerProps): JSX.Element {
  const loaded = useSignal<Loaded>({ state: 'loading' });
  const attempt = useSignal(0);
  useEffect(() => {
    const cancel = new AbortController();
    loaded.value = { state: 'loading' };
    api.recording(id, cancel.signal).then(
      (detail) => (loaded.value = { state: 'ready', detail }),
      (error: unknown) => {
        if (!isAbort(error)) loaded.value = { state: 'failed', failure: toFailure(error) };
      },
    );
    return () => cancel.abort();
  }, [id, attempt.value]);

  const now = loaded.value;
  const session = sessionState.value;
  switch (now.state) {
    case 'loading':
      return <p class="player-message">{texts.loading}</p>;
    case 'failed':
      return (
        <div class="player-message" role="alert">
          <h2>{texts.loadFailed}</h2>
          <p>{failureText(now.failure)}</p>
          <button type="button" onClick={() => (attempt.value += 1)}>
            {texts.retry}
          </button>
        </div>
      );
    case 'ready':
      return session.is === 'open' ? (
        <RecordingView key={id} detail={now.detail} session={session.session} atMs={atMs} />
      ) : (
        <p class="player-message">{texts.loading}</p>
      );
  }
}
