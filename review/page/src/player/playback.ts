// Plays the video of one recording: media-chrome's store drives the element (state, volume, full screen); what a recorder's video
// needs beyond that is here: exact seeks, frame steps, and skips. The parts of the player read its signals.

import { batch, computed, effect, signal } from '@preact/signals';
import { createMediaStore, type MediaStore } from 'media-chrome/dist/media-store/media-store.js';
import type { Activity, RecordingDetail } from '../../../contract.ts';
import { frameAt, seekTarget, stepFrom } from './model/frames.ts';
import { speedFrom } from './model/keys.ts';
import { jumpFrom, plannedSkips, type Skip } from './model/skips.ts';
import { stillStretches } from './model/stillness.ts';

/** How often the position is read while it plays: often enough for the eye and for skips, not for each frame of the display. */
const TICK_MS = 50;
const SKIP_SETTINGS = 'sightline-skip';

export class Playback {
  /** In the video, ms: where it is, or where it is going. */
  readonly atMs = signal(0);
  readonly isPaused = signal(true);
  readonly isWaiting = signal(false);
  readonly rate = signal(1);
  readonly volume = signal(1);
  readonly isMuted = signal(false);
  readonly isFullscreen = signal(false);
  /** The browser cannot play the video. */
  readonly hasFailed = signal(false);
  readonly skip = signal(storedSkip());
  /** null until it is loaded; without it seeks are not exact and stillness is unknown. */
  readonly activity = signal<Activity | null>(null);
  readonly still = computed(() => {
    const activity = this.activity.value;
    const { manifest } = this.detail;
    return activity === null ? [] : stillStretches(activity, manifest.video, manifest.durationMs);
  });
  readonly skips = computed(() => plannedSkips(this.detail.manifest.gaps, this.still.value, this.skip.value));
  /** The last jump, for the notice about it. */
  readonly skipped = signal<{
    readonly why: Skip['why'];
    readonly fromMs: number;
    readonly toMs: number;
  } | null>(null);
  readonly durationMs: number;
  video: HTMLVideoElement | null = null;

  private store: MediaStore | null = null;
  /** Where the reviewer went last; skips do not apply there. */
  private chosenMs: number | null = null;
  private seekingTo: number | null = null;
  private next: number | null = null;

  constructor(readonly detail: RecordingDetail) {
    this.durationMs = detail.manifest.durationMs;
  }

  /** @returns detaches it */
  attach(video: HTMLVideoElement, fullscreenElement: HTMLElement): () => void {
    this.video = video;
    const store = createMediaStore({ media: video, fullscreenElement });
    this.store = store;
    const stops = [
      store.subscribe((state) =>
        batch(() => {
          this.isPaused.value = state.mediaPaused ?? true;
          this.rate.value = state.mediaPlaybackRate ?? 1;
          this.volume.value = state.mediaVolume ?? 1;
          this.isMuted.value = state.mediaMuted ?? false;
          this.isFullscreen.value = state.mediaIsFullscreen ?? false;
          this.hasFailed.value = typeof state.mediaErrorCode === 'number';
        }),
      ),
      effect(() => {
        if (this.isPaused.value) return undefined;
        const timer = setInterval(() => this.tick(), TICK_MS);
        return () => clearInterval(timer);
      }),
    ];
    const on = (type: string, listener: () => void): void => {
      video.addEventListener(type, listener);
      stops.push(() => video.removeEventListener(type, listener));
    };
    on('seeked', () => this.seekEnded());
    on('waiting', () => (this.isWaiting.value = true));
    for (const type of ['playing', 'seeked', 'canplay', 'pause', 'error'])
      on(type, () => (this.isWaiting.value = false));
    on('ended', () => (this.atMs.value = this.durationMs));
    on('loadedmetadata', () => {
      if (this.atMs.value > 0) this.start(this.atMs.value);
    });
    return () => {
      stops.forEach((stop) => stop());
      video.pause();
      this.video = null;
      this.store = null;
    };
  }

  toggle(): void {
    if (this.isPaused.value) this.play();
    else this.pause();
  }

  play(): void {
    if (this.atMs.value >= this.durationMs) this.seek(0);
    this.store?.dispatch({ type: 'mediaplayrequest' });
  }

  pause(): void {
    this.store?.dispatch({ type: 'mediapauserequest' });
    this.readPosition();
  }

  /** Shows the frame of this moment. What lies there is played, even if it would be skipped. */
  seek(atMs: number): void {
    this.chosenMs = Math.min(Math.max(0, atMs), this.durationMs);
    this.start(this.chosenMs);
  }

  seekBy(ms: number): void {
    this.seek(this.atMs.value + ms);
  }

  /** Pauses, as a step of 200 ms would be lost in motion. */
  step(frames: 1 | -1): void {
    this.pause();
    const timesMs = this.activity.value?.timesMs;
    if (timesMs === undefined) this.seekBy(frames * (1000 / this.detail.manifest.video.fps));
    else this.seek(stepFrom(timesMs, this.atMs.value, frames));
  }

  setRate(rate: number): void {
    this.store?.dispatch({ type: 'mediaplaybackraterequest', detail: rate });
  }

  changeSpeed(direction: 1 | -1): void {
    this.setRate(speedFrom(this.rate.value, direction));
  }

  toggleMute(): void {
    this.store?.dispatch({ type: this.isMuted.value ? 'mediaunmuterequest' : 'mediamuterequest' });
  }

  setVolume(volume: number): void {
    this.store?.dispatch({ type: 'mediavolumerequest', detail: volume });
  }

  toggleFullscreen(): void {
    const type = this.isFullscreen.value ? 'mediaexitfullscreenrequest' : 'mediaenterfullscreenrequest';
    this.store?.dispatch({ type });
  }

  setSkip(change: Partial<{ suspensions: boolean; still: boolean }>): void {
    this.skip.value = { ...this.skip.value, ...change };
    localStorage.setItem(SKIP_SETTINGS, JSON.stringify(this.skip.value));
  }

  /** Where the shown frame begins. */
  frameStartMs(): number {
    const timesMs = this.activity.value?.timesMs ?? [];
    return timesMs[frameAt(timesMs, this.atMs.value)] ?? this.atMs.value;
  }

  private tick(): void {
    if (this.seekingTo !== null) return;
    this.readPosition();
    const atMs = this.atMs.value;
    const jump = jumpFrom(this.skips.value, atMs, this.chosenMs);
    if (jump === null) return;
    this.chosenMs = null;
    this.skipped.value = { why: jump.why, fromMs: atMs, toMs: jump.toMs };
    this.start(jump.toMs);
  }

  private readPosition(): void {
    if (this.video === null || this.seekingTo !== null) return;
    this.atMs.value = Math.min(this.video.currentTime * 1000, this.durationMs);
  }

  /** While one seek is under way, only the newest of the others counts: dragging makes dozens a second. */
  private start(atMs: number): void {
    this.atMs.value = atMs;
    if (this.video === null || this.video.readyState === 0) return;
    if (this.seekingTo !== null) {
      this.next = atMs;
      return;
    }
    this.seekingTo = atMs;
    // The store would do the same; `seeked` must not come before `seekingTo` is set.
    const target = seekTarget(this.activity.value?.timesMs ?? [], atMs, this.durationMs);
    this.video.currentTime = target / 1000;
  }

  private seekEnded(): void {
    this.seekingTo = null;
    const { next } = this;
    this.next = null;
    if (next !== null) this.start(next);
  }
}

/** Suspensions are left out unless the reviewer wants to see their slates: there is nothing else in them. */
function storedSkip(): { readonly suspensions: boolean; readonly still: boolean } {
  try {
    const stored = JSON.parse(localStorage.getItem(SKIP_SETTINGS) ?? '{}') as Record<string, unknown>;
    return { suspensions: stored['suspensions'] !== false, still: stored['still'] === true };
  } catch {
    return { suspensions: true, still: false };
  }
}
