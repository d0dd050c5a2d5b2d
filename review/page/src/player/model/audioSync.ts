// What to do with the call's audio so that it sounds when the video shows the moment: by the wall clock, not by either's start.
// Small differences are corrected by a little more or less speed, which nobody hears; large ones by a seek.

/** Faster than that nobody understands it. */
export const MAX_AUDIBLE_RATE = 4;

export interface SyncInput {
  /** Of the video, as of the audio: where each is now, in ms of its own time. */
  readonly videoMs: number;
  readonly audioMs: number;
  /** How much later in its own time the audio is at the same moment: video's startTime - audio's startTime + the reviewer's shift. */
  readonly offsetMs: number;
  readonly audioDurationMs: number;
  readonly rate: number;
  /** The video plays and has data. */
  readonly isPlaying: boolean;
  readonly isAudioPlaying: boolean;
  readonly isAudioSeeking: boolean;
  /** Since the audio's last seek or start; Infinity: never. */
  readonly sinceSeekMs: number;
}

export type SyncAction =
  /** `play`: from where it is. */
  | { readonly do: 'nothing' | 'pause' | 'play' }
  /** `toMs` of the audio; and play. */
  | { readonly do: 'seek'; readonly toMs: number }
  | { readonly do: 'rate'; readonly rate: number };

/** In ms of listening: the audio at another speed is as far off as the reviewer hears. */
const SEEK_ABOVE_MS = 120;
const CLOSE_MS = 40;
/** Below that the two clocks' readings are not better than the difference. */
const CORRECT_ABOVE_MS = 12;
const MAX_CORRECTION = 0.06;
/** A seek takes some time, and its end has to be seen before the next one. */
const SETTLE_MS = 300;

export function syncAction(input: SyncInput): SyncAction {
  const { videoMs, audioMs, offsetMs, audioDurationMs, rate, isPlaying, isAudioPlaying } = input;
  const wantedMs = videoMs + offsetMs;
  const isAudible = isPlaying && rate <= MAX_AUDIBLE_RATE && wantedMs >= 0 && wantedMs < audioDurationMs;
  if (!isAudible) return { do: isAudioPlaying ? 'pause' : 'nothing' };
  if (input.isAudioSeeking) return { do: 'nothing' };
  const offMs = (audioMs - wantedMs) / rate;
  // After a pause it is where it was: a seek would only delay it.
  if (!isAudioPlaying) return Math.abs(offMs) < CLOSE_MS ? { do: 'play' } : { do: 'seek', toMs: wantedMs };
  if (Math.abs(offMs) > SEEK_ABOVE_MS) {
    return input.sinceSeekMs > SETTLE_MS ? { do: 'seek', toMs: wantedMs } : { do: 'nothing' };
  }
  const correction = Math.abs(offMs) < CORRECT_ABOVE_MS ? 0 : Math.round((-offMs / 800) * 100) / 100;
  const limited = Math.min(Math.max(-MAX_CORRECTION, correction), MAX_CORRECTION);
  return { do: 'rate', rate: rate * (1 + limited) };
}
