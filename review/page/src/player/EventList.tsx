// Everything on the timeline as a list: to read, and to go to with the keyboard.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { texts } from '../strings/player.ts';
import { describeItem } from './describe.ts';
import { playingTime, utcTime } from './model/clock.ts';
import type { TimelineItem } from './model/timeline.ts';
import type { Playback } from './playback.ts';

interface Props {
  readonly playback: Playback;
  readonly items: readonly TimelineItem[];
}

export function EventList({ playback, items }: Props): JSX.Element {
  const startMs = Date.parse(playback.detail.manifest.startTime);
  const current = useComputed(() => items.findLastIndex(({ fromMs }) => fromMs <= playback.atMs.value));
  if (items.length <= 1) return <p>{texts.noEvents}</p>;
  return (
    <ol class="player-list player-events">
      {items.map((item, index) => (
        <li key={index}>
          <button
            type="button"
            class={`event-${item.kind}${item.kind === 'gap' ? ` is-${item.look}` : ''}`}
            aria-current={current.value === index ? 'true' : undefined}
            onClick={() => playback.seek(item.fromMs)}
          >
            <span class="player-time">{playingTime(item.fromMs)}</span>
            <span>{describeItem(item)}</span>
            <span class="player-dim">{utcTime(startMs + item.fromMs)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
