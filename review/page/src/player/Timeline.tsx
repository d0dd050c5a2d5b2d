// The timeline under the video: one slider. What it draws is described again, for everybody, in the list of events.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { locale } from '../strings/language.ts';
import { texts } from '../strings/player.ts';
import { describeItem } from './describe.ts';
import { localTime, playingTime, utcTime } from './model/clock.ts';
import type { Command } from './model/keys.ts';
import { activityGraph } from './model/stillness.ts';
import { itemsAt, type TimelineItem } from './model/timeline.ts';
import type { NotesStore } from './notesStore.ts';
import type { Playback } from './playback.ts';

const MAX_GRAPH_PARTS = 240;
/** Of the graph, at least: some frames fall into each. */
const PART_MS = 500;
/** Around what has no length, or little. */
const HOVER_PIXELS = 6;

interface Props {
  readonly playback: Playback;
  readonly items: readonly TimelineItem[];
  readonly notes: NotesStore;
  readonly run: (command: Command) => void;
}

export function Timeline({ playback, items, notes, run }: Props): JSX.Element {
  const track = useRef<HTMLDivElement>(null);
  const hoverMs = useSignal<number | null>(null);
  const isDragging = useRef(false);
  const { durationMs, detail } = playback;
  const startMs = Date.parse(detail.manifest.startTime);

  const momentOf = (event: PointerEvent): number => {
    const element = track.current;
    if (element === null || element.clientWidth === 0) return 0;
    // Within the border, where the playhead's place is counted from. clientWidth is rounded: half a pixel of an hour is two seconds.
    const { left, width } = element.getBoundingClientRect();
    const share = (event.clientX - left - element.clientLeft) / (width - 2 * element.clientLeft);
    return Math.min(Math.max(0, share), 1) * durationMs;
  };
  const nearMs = (): number => (HOVER_PIXELS / Math.max(1, track.current?.clientWidth ?? 1)) * durationMs;

  const onKeyDown = (event: KeyboardEvent): void => {
    // As every slider; the player's other keys work here as everywhere.
    const up = event.key === 'ArrowUp';
    if (!up && event.key !== 'ArrowDown') return;
    event.preventDefault();
    run({ do: 'seek-by', ms: up ? 5000 : -5000 });
  };

  const drawn = useMemo(
    () => items.map((item, index) => <Mark key={index} {...{ item, durationMs }} />),
    [items],
  );
  return (
    <div class="player-timeline">
      <div
        class="player-track"
        ref={track}
        role="slider"
        tabIndex={0}
        aria-label={texts.timeline}
        aria-valuemin={0}
        aria-valuemax={Math.round(durationMs / 1000)}
        {...useSliderValue(playback, items)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          isDragging.current = true;
          playback.seek(momentOf(event));
        }}
        onPointerMove={(event) => {
          hoverMs.value = momentOf(event);
          if (isDragging.current) playback.seek(momentOf(event));
        }}
        onPointerUp={() => (isDragging.current = false)}
        onPointerCancel={() => (isDragging.current = false)}
        onPointerLeave={() => (hoverMs.value = null)}
      >
        <Graph playback={playback} />
        <Skips playback={playback} />
        {drawn}
        {notes.entries.value.map(({ id, atMs }) =>
          atMs === null ? null : (
            <span key={id} class="mark-note" style={{ left: percent(atMs, durationMs) }} />
          ),
        )}
        <Playhead playback={playback} />
      </div>
      {hoverMs.value !== null && (
        <Hover
          atMs={hoverMs.value}
          items={itemsAt(items, hoverMs.value, nearMs())}
          {...{ durationMs, startMs }}
        />
      )}
    </div>
  );
}

/** Whole seconds, so that a screen reader is not told twenty times a second. */
function useSliderValue(
  playback: Playback,
  items: readonly TimelineItem[],
): { readonly 'aria-valuenow': number; readonly 'aria-valuetext': string } {
  const second = useComputed(() => Math.floor(playback.atMs.value / 1000));
  const atMs = second.value * 1000;
  const what = itemsAt(items, playback.atMs.peek(), 0).filter(({ kind }) => kind !== 'run');
  const position = texts.position(playingTime(atMs), playingTime(playback.durationMs));
  const wall = localTime(Date.parse(playback.detail.manifest.startTime) + atMs, locale);
  return {
    'aria-valuenow': second.value,
    'aria-valuetext': [position, wall, ...what.map(describeItem)].join(', '),
  };
}

function Playhead({ playback }: { readonly playback: Playback }): JSX.Element {
  return <span class="playhead" style={{ left: percent(playback.atMs.value, playback.durationMs) }} />;
}

function Mark({
  item,
  durationMs,
}: {
  readonly item: TimelineItem;
  readonly durationMs: number;
}): JSX.Element {
  const place = {
    left: percent(item.fromMs, durationMs),
    width: percent(item.toMs - item.fromMs, durationMs),
  };
  const look =
    item.kind === 'gap' ? ` is-${item.look}` : item.kind === 'contact' ? ` is-${item.event.kind}` : '';
  return <span class={`mark-${item.kind}${look}`} style={place} />;
}

/** What playing leaves out, lightly. */
function Skips({ playback }: { readonly playback: Playback }): JSX.Element {
  const { durationMs } = playback;
  return (
    <>
      {playback.skips.value.map(({ fromMs, toMs }) => (
        <span
          key={fromMs}
          class="mark-skip"
          style={{ left: percent(fromMs, durationMs), width: percent(toMs - fromMs, durationMs) }}
        />
      ))}
    </>
  );
}

/** How much changed, from the sizes of the frames. */
function Graph({ playback }: { readonly playback: Playback }): JSX.Element | null {
  const activity = playback.activity.value;
  const { durationMs } = playback;
  const parts = Math.min(MAX_GRAPH_PARTS, Math.max(1, Math.round(durationMs / PART_MS)));
  const path = useMemo(() => {
    if (activity === null) return '';
    const bars = activityGraph(activity, playback.detail.manifest.video, durationMs, parts);
    return bars
      .map((value, x) => (value > 0 ? `M${x} 100V${Math.round(100 - 100 * value)}h1V100z` : ''))
      .join('');
  }, [activity]);
  return (
    <svg class="player-graph" viewBox={`0 0 ${parts} 100`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

interface HoverProps {
  readonly atMs: number;
  readonly items: readonly TimelineItem[];
  readonly durationMs: number;
  readonly startMs: number;
}

function Hover({ atMs, items, durationMs, startMs }: HoverProps): JSX.Element {
  const share = atMs / Math.max(1, durationMs);
  return (
    <div
      class="player-hover"
      aria-hidden="true"
      style={{ left: `${share * 100}%`, transform: `translateX(${-share * 100}%)` }}
    >
      <strong>{playingTime(atMs, true)}</strong> {localTime(startMs + atMs, locale)}{' '}
      <span class="player-dim">{utcTime(startMs + atMs)}</span>
      {items.map((item, index) => (
        <div key={index}>{describeItem(item)}</div>
      ))}
    </div>
  );
}

function percent(ms: number, durationMs: number): string {
  return `${((ms / Math.max(1, durationMs)) * 100).toFixed(3)}%`;
}
