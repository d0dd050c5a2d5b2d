// What is chosen for a while: skips, monitor, audio; and what leaves the page: snapshot, link, download.

import type { JSX } from 'preact';
import { texts } from '../strings/player.ts';
import { MAX_SHIFT_MS, type CallAudio } from './callAudio.ts';
import { MAX_AUDIBLE_RATE } from './model/audioSync.ts';
import { playingTime } from './model/clock.ts';
import type { Command } from './model/keys.ts';
import { skippedMs } from './model/skips.ts';
import { NO_ZOOM } from './model/zoom.ts';
import type { Playback } from './playback.ts';
import { downloadVideo } from './share.ts';
import { singleKeys } from './useKeys.ts';
import type { ViewChoice } from './viewChoice.ts';

interface Props {
  readonly id: string;
  readonly playback: Playback;
  readonly audio: CallAudio;
  readonly view: ViewChoice;
  readonly mayDownload: boolean;
  readonly activityFailed: boolean;
  readonly run: (command: Command) => void;
}

export function Options({ id, playback, audio, view, mayDownload, activityFailed, run }: Props): JSX.Element {
  const skip = playback.skip.value;
  const leftOut = skippedMs(playback.skips.value);
  return (
    <div class="player-options">
      <div class="player-option-group">
        <label>
          <input
            type="checkbox"
            checked={skip.suspensions}
            onChange={(event) => playback.setSkip({ suspensions: event.currentTarget.checked })}
          />
          {texts.skipSuspensions}
        </label>
        <label title={texts.onlyChangesHint}>
          <input
            type="checkbox"
            checked={skip.still}
            onChange={(event) => playback.setSkip({ still: event.currentTarget.checked })}
          />
          {texts.onlyChanges}
        </label>
        {leftOut > 0 && <span class="player-dim">{texts.saved(playingTime(leftOut))}</span>}
      </div>
      {view.names.length > 1 && (
        <label>
          {texts.monitors}
          <select
            value={view.monitor.value ?? ''}
            onChange={(event) =>
              view.show(event.currentTarget.value === '' ? null : event.currentTarget.value)
            }
          >
            <option value="">{texts.allMonitors}</option>
            {view.names.map(({ name, primary }) => (
              <option key={name} value={name}>
                {texts.monitor(name, primary)}
              </option>
            ))}
          </select>
        </label>
      )}
      {view.zoom.value.factor > 1 && (
        <button type="button" onClick={() => (view.zoom.value = NO_ZOOM)}>
          {texts.resetZoom}
        </button>
      )}
      <AudioChoice {...{ playback, audio }} />
      <label>
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => (singleKeys.value = event.currentTarget.checked)}
        />
        {texts.shortcutsOn}
      </label>
      <div class="player-option-group player-share">
        <button type="button" onClick={() => run({ do: 'link' })}>
          {texts.copyLink}
        </button>
        {mayDownload && (
          <>
            <button type="button" onClick={() => run({ do: 'snapshot' })}>
              {texts.snapshot}
            </button>
            <button type="button" onClick={() => downloadVideo(id)}>
              {texts.download}
            </button>
          </>
        )}
      </div>
      {activityFailed && <p class="player-warning">{texts.activityFailed}</p>}
    </div>
  );
}

function AudioChoice({
  playback,
  audio,
}: {
  readonly playback: Playback;
  readonly audio: CallAudio;
}): JSX.Element | null {
  if (audio.tracks.length === 0) return null;
  const track = audio.track.value;
  const names = { redacted: texts.audioRedacted, original: texts.audioOriginal };
  return (
    <div class="player-option-group">
      <label>
        {texts.audio}
        <select
          value={track?.kind ?? ''}
          onChange={(event) => {
            const kind = event.currentTarget.value;
            audio.track.value = audio.tracks.find((one) => one.kind === kind) ?? null;
          }}
        >
          <option value="">{texts.audioOff}</option>
          {audio.tracks.map(({ kind }) => (
            <option key={kind} value={kind}>
              {names[kind]}
            </option>
          ))}
        </select>
      </label>
      {track?.precision === 'minute' && (
        <label title={texts.audioShiftHint}>
          {texts.audioShift}
          <input
            type="number"
            step="0.1"
            min={-MAX_SHIFT_MS / 1000}
            max={MAX_SHIFT_MS / 1000}
            value={audio.shiftMs.value / 1000}
            onChange={(event) => audio.setShift(Number(event.currentTarget.value) * 1000)}
          />
          s
        </label>
      )}
      {audio.hasFailed.value && <span class="player-warning">{texts.audioFailed}</span>}
      {track !== null && playback.rate.value > MAX_AUDIBLE_RATE && (
        <span class="player-dim">{texts.audioTooFast}</span>
      )}
    </div>
  );
}
