// The call's audio, an <audio> element that follows the video by the wall clock (model/audioSync.ts decides, this one does).

import { effect, signal } from '@preact/signals';
import type { AudioTrack } from '../../../contract.ts';
import { addresses } from '../api.ts';
import { MAX_AUDIBLE_RATE, syncAction } from './model/audioSync.ts';
import type { Playback } from './playback.ts';

const CHECK_MS = 100;
/** Audio whose time is known to the minute only may be off by as much. */
export const MAX_SHIFT_MS = 90_000;

export class CallAudio {
  /** null: off. */
  readonly track = signal<AudioTrack | null>(null);
  /** How much later than its file says the audio is heard, ms: for tracks of precision `minute`. */
  readonly shiftMs = signal(0);
  readonly hasFailed = signal(false);
  readonly tracks: readonly AudioTrack[];
  private readonly element = new Audio();
  private seekedAt = -Infinity;

  /** @param mayHearOriginal what the role allows: the original has what a redacted one leaves out */
  constructor(
    private readonly playback: Playback,
    mayHearOriginal: boolean,
  ) {
    const { audio, row } = playback.detail;
    this.tracks = audio.filter(({ kind }) => kind === 'redacted' || mayHearOriginal);
    this.track.value = this.tracks.find(({ kind }) => kind === 'redacted') ?? null;
    this.shiftMs.value = storedShift(row.id);
    this.element.preload = 'auto';
    this.element.preservesPitch = true;
  }

  /** @returns stops it */
  attach(video: HTMLVideoElement, place: HTMLElement): () => void {
    const { element, playback } = this;
    // In the page, so that the reviewer's tools and the tests find it.
    place.append(element);
    const stops = [
      effect(() => {
        const track = this.track.value;
        this.hasFailed.value = false;
        if (track === null) element.removeAttribute('src');
        else element.src = addresses.audio(playback.detail.row.id, track.kind);
        element.load();
      }),
      effect(() => {
        element.volume = playback.volume.value;
        element.muted = playback.isMuted.value || playback.rate.value > MAX_AUDIBLE_RATE;
      }),
      effect(() => {
        if (playback.isPaused.value) return this.check();
        const timer = setInterval(() => this.check(), CHECK_MS);
        return () => clearInterval(timer);
      }),
    ];
    const onError = (): void => {
      this.hasFailed.value = this.track.value !== null;
    };
    element.addEventListener('error', onError);
    stops.push(() => element.removeEventListener('error', onError));
    const check = (): void => this.check();
    for (const type of ['seeking', 'seeked', 'playing', 'waiting', 'pause', 'ratechange']) {
      video.addEventListener(type, check);
      stops.push(() => video.removeEventListener(type, check));
    }
    return () => {
      stops.forEach((stop) => stop());
      element.pause();
      element.removeAttribute('src');
      element.load();
      element.remove();
    };
  }

  setShift(ms: number): void {
    this.shiftMs.value = Math.min(Math.max(-MAX_SHIFT_MS, Math.round(ms)), MAX_SHIFT_MS);
    localStorage.setItem(shiftKey(this.playback.detail.row.id), String(this.shiftMs.value));
    this.check();
  }

  /** In the video, ms, of a moment in a track. */
  toVideoMs(track: AudioTrack, audioMs: number): number {
    return audioMs - this.offsetMs(track);
  }

  /** In the track, ms, of a moment in the video. */
  toAudioMs(track: AudioTrack, videoMs: number): number {
    return videoMs + this.offsetMs(track);
  }

  private offsetMs(track: AudioTrack): number {
    const { manifest } = this.playback.detail;
    return Date.parse(manifest.startTime) - Date.parse(track.startTime) - this.shiftMs.value;
  }

  private check(): void {
    const { element, playback } = this;
    const { video } = playback;
    const track = this.track.value;
    if (video === null || track === null) {
      element.pause();
      return;
    }
    const action = syncAction({
      videoMs: video.currentTime * 1000,
      audioMs: element.currentTime * 1000,
      offsetMs: this.offsetMs(track),
      audioDurationMs: Number.isFinite(element.duration) ? element.duration * 1000 : track.durationMs,
      rate: video.playbackRate,
      isPlaying: !video.paused && !video.seeking && !video.ended && video.readyState >= 3,
      isAudioPlaying: !element.paused,
      isAudioSeeking: element.seeking,
      sinceSeekMs: performance.now() - this.seekedAt,
    });
    switch (action.do) {
      case 'nothing':
        return;
      case 'pause':
        element.pause();
        return;
      case 'seek':
        element.currentTime = action.toMs / 1000;
        this.begin(video.playbackRate);
        return;
      case 'play':
        this.begin(video.playbackRate);
        return;
      case 'rate':
        if (Math.abs(element.playbackRate - action.rate) > 0.001) element.playbackRate = action.rate;
    }
  }

  private begin(rate: number): void {
    this.seekedAt = performance.now();
    this.element.playbackRate = rate;
    // Refused before the first click on the page: the next check tries again.
    this.element.play().catch(() => undefined);
  }
}

const shiftKey = (id: string): string => `sightline-audio-shift-${id}`;

function storedShift(id: string): number {
  const stored = Number(localStorage.getItem(shiftKey(id)));
  return Number.isFinite(stored) && Math.abs(stored) <= MAX_SHIFT_MS ? stored : 0;
}
