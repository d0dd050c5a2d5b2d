// Playing time, and beside it the time of day that the screen shows: in the viewer's zone and in UTC.

import type { JSX } from 'preact';
import { locale } from '../strings/language.ts';
import { texts } from '../strings/player.ts';
import { localTime, playingTime, utcTime } from './model/clock.ts';
import type { Playback } from './playback.ts';

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function Clock({ playback }: { readonly playback: Playback }): JSX.Element {
  const atMs = playback.atMs.value;
  const wallMs = Date.parse(playback.detail.manifest.startTime) + atMs;
  // At UTC the same time would be written twice.
  const isUtc = new Date(wallMs).getTimezoneOffset() === 0 && zone === 'UTC';
  // Not a live region: it changes twenty times a second. The timeline says it to a screen reader.
  return (
    <dl class="player-clock">
      <div>
        <dt>{texts.playingTime}</dt>
        <dd data-clock="playing">
          {playingTime(atMs, true)} / {playingTime(playback.durationMs)}
        </dd>
      </div>
      <div>
        <dt>{texts.wallClock}</dt>
        <dd>
          {!isUtc && <span data-clock="local">{localTime(wallMs, locale)} </span>}
          <span class={isUtc ? '' : 'player-dim'} data-clock="utc">
            {utcTime(wallMs)}
          </span>
        </dd>
      </div>
    </dl>
  );
}
