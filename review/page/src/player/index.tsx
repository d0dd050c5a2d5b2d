// The player of one recording: loads what it needs, and shows it. `Player` is all that the rest of the page knows.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { RecordingDetail, Session } from '../../../contract.ts';
import { api, isAbort, toFailure, type ApiFailure } from '../api.ts';
import { texts } from '../strings/player.ts';
import { failureText } from './failureText.ts';
import { RecordingView } from './RecordingView.tsx';
import './player.css';

export interface PlayerProps {
  readonly id: string;
  /** Where to begin; null: at the start. */
  readonly atMs: number | null;
}

type Loaded =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly failure: ApiFailure }
  | { readonly state: 'ready'; readonly detail: RecordingDetail; readonly session: Session };

export function Player({ id, atMs }: PlayerProps): JSX.Element {
  const loaded = useSignal<Loaded>({ state: 'loading' });
  const attempt = useSignal(0);
  useEffect(() => {
    const cancel = new AbortController();
    loaded.value = { state: 'loading' };
    Promise.all([api.recording(id, cancel.signal), api.session(cancel.signal)]).then(
      ([detail, session]) => (loaded.value = { state: 'ready', detail, session }),
      (error: unknown) => {
        if (!isAbort(error)) loaded.value = { state: 'failed', failure: toFailure(error) };
      },
    );
    return () => cancel.abort();
  }, [id, attempt.value]);

  const now = loaded.value;
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
      return <RecordingView key={id} detail={now.detail} session={now.session} atMs={atMs} />;
  }
}
