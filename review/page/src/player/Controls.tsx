// The buttons below the timeline: play, frames, volume, speed, full screen, help.

import type { JSX } from 'preact';
import { texts } from '../strings/player.ts';
import { Icon } from './icons.tsx';
import { SPEEDS, type Command } from './model/keys.ts';
import type { Playback } from './playback.ts';

interface Props {
  readonly playback: Playback;
  readonly run: (command: Command) => void;
}

export function Controls({ playback, run }: Props): JSX.Element {
  const isPaused = playback.isPaused.value;
  const isMuted = playback.isMuted.value;
  const isFull = playback.isFullscreen.value;
  return (
    <div class="player-controls" role="group" aria-label={texts.controls}>
      {button(isPaused ? texts.play : texts.pause, 'k', <Icon name={isPaused ? 'play' : 'pause'} />, () =>
        run({ do: 'toggle' }),
      )}
      {button(texts.previousFrame, ',', <Icon name="previous" />, () => run({ do: 'step', frames: -1 }))}
      {button(texts.nextFrame, '.', <Icon name="next" />, () => run({ do: 'step', frames: 1 }))}
      <select
        class="player-speed"
        aria-label={texts.speedLabel}
        title={`${texts.speedLabel} (<, >)`}
        value={String(playback.rate.value)}
        onChange={(event) => playback.setRate(Number(event.currentTarget.value))}
      >
        {SPEEDS.map((speed) => (
          <option key={speed} value={String(speed)}>
            {texts.speed(speed)}
          </option>
        ))}
      </select>
      {button(isMuted ? texts.unmute : texts.mute, 'm', <Icon name={isMuted ? 'muted' : 'sound'} />, () =>
        run({ do: 'mute' }),
      )}
      <input
        class="player-volume"
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label={texts.volume}
        value={isMuted ? 0 : playback.volume.value}
        onInput={(event) => playback.setVolume(Number(event.currentTarget.value))}
      />
      {button(
        isFull ? texts.exitFullscreen : texts.fullscreen,
        'f',
        <Icon name={isFull ? 'small' : 'full'} />,
        () => run({ do: 'fullscreen' }),
      )}
      {button(texts.help, '?', <Icon name="help" />, () => run({ do: 'help' }))}
    </div>
  );
}

function button(label: string, key: string, icon: JSX.Element, onClick: () => void): JSX.Element {
  return (
    <button
      type="button"
      class="player-icon"
      aria-label={label}
      title={`${label} (${key})`}
      onClick={onClick}
    >
      {icon}
    </button>
  );
}
