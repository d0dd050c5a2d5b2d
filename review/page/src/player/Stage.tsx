// The video, placed so that the chosen part fills the stage. The wheel zooms at the pointer, dragging pans.

import { useSignal } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { addresses } from '../api.ts';
import { texts } from '../strings/player.ts';
import { NO_ZOOM, panBy, place, zoomAt, type Size } from './model/zoom.ts';
import type { Playback } from './playback.ts';
import type { ViewChoice } from './viewChoice.ts';

/** A pointer that moved less was a click. */
const CLICK_PIXELS = 4;

interface Props {
  readonly playback: Playback;
  readonly view: ViewChoice;
  readonly video: RefObject<HTMLVideoElement | null>;
}

export function Stage({ playback, view, video }: Props): JSX.Element {
  const stage = useRef<HTMLDivElement>(null);
  const size = useSignal<Size>({ width: 1, height: 1 });
  const { manifest, row } = playback.detail;

  useEffect(() => {
    const element = stage.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      size.value = { width: element.clientWidth, height: element.clientHeight };
    });
    observer.observe(element);
    // Not by an attribute: those listeners are passive, and the page would scroll.
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const point = { x: event.clientX - box.left, y: event.clientY - box.top };
      view.zoom.value = zoomAt(
        view.zoom.value,
        Math.exp(-event.deltaY / 400),
        point,
        view.part.value,
        size.value,
      );
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', onWheel);
    };
  }, []);

  const drag = useRef<{ x: number; y: number; moved: number } | null>(null);
  const onPointerMove = (event: PointerEvent): void => {
    const from = drag.current;
    if (from === null) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    drag.current = { x: event.clientX, y: event.clientY, moved: from.moved + Math.abs(dx) + Math.abs(dy) };
    if (view.zoom.value.factor > 1)
      view.zoom.value = panBy(view.zoom.value, dx, dy, view.part.value, size.value);
  };
  const onPointerUp = (): void => {
    if (drag.current !== null && drag.current.moved < CLICK_PIXELS) playback.toggle();
    drag.current = null;
  };

  const part = view.part.value;
  const { scale, x, y } = place(part, size.value, view.zoom.value);
  const isZoomed = view.zoom.value !== NO_ZOOM && view.zoom.value.factor > 1;
  // Other monitors beside the chosen one would be seen where the stage is wider than it.
  const inset = isZoomed
    ? 'none'
    : `inset(${part.y}px ${manifest.video.width - part.x - part.width}px ${manifest.video.height - part.y - part.height}px ${part.x}px)`;
  return (
    <div
      class={`player-stage${isZoomed ? ' is-zoomed' : ''}`}
      ref={stage}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, y: event.clientY, moved: 0 };
      }}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={() => (drag.current = null)}
      onDblClick={() => playback.toggleFullscreen()}
    >
      <video
        ref={video}
        src={addresses.video(row.id)}
        preload="auto"
        playsInline
        disablePictureInPicture
        disableRemotePlayback
        controlsList="nodownload"
        onContextMenu={(event) => event.preventDefault()}
        tabIndex={-1}
        aria-label={texts.video}
        width={manifest.video.width}
        height={manifest.video.height}
        style={{ transform: `translate(${x}px, ${y}px) scale(${scale})`, clipPath: inset }}
      />
      {playback.hasFailed.value && (
        <p class="player-stage-message" role="alert">
          {texts.videoFailed}
        </p>
      )}
      {playback.isWaiting.value && !playback.hasFailed.value && (
        <p class="player-stage-message">{texts.waiting}</p>
      )}
    </div>
  );
}
