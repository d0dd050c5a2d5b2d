// Short notices under the video: a skip, a snapshot, a link. One polite live region for all of them.

import { useSignalEffect, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { texts } from '../strings/player.ts';
import { playingTime } from './model/clock.ts';
import type { Playback } from './playback.ts';

const SHOWN_MS = 6000;

interface Props {
  readonly playback: Playback;
  readonly notice: Signal<string | null>;
}

export function Notice({ playback, notice }: Props): JSX.Element {
  useSignalEffect(() => {
    const skipped = playback.skipped.value;
    if (skipped === null) return;
    const length = playingTime(skipped.toMs - skipped.fromMs, true);
    notice.value = skipped.why === 'still' ? texts.skippedStill(length) : texts.skippedSuspension(length);
  });
  useSignalEffect(() => {
    if (notice.value === null) return undefined;
    const timer = setTimeout(() => (notice.value = null), SHOWN_MS);
    return () => clearTimeout(timer);
  });
  return (
    <p class={`player-notice${notice.value === null ? '' : ' is-shown'}`} role="status">
      {notice.value}
    </p>
  );
}
