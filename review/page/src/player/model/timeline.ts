// What the timeline under the video shows, from the manifest and the contact's record. Times are ms of the video. No texts: those
// are made where it is shown (describe.ts).

import type { ContactEvent } from '../../../../contract.ts';
import type { Manifest } from '../../../../../main/shared/manifest.ts';

type Gap = Manifest['gaps'][number];
type Run = Manifest['runs'][number];

export type TimelineItem = { readonly fromMs: number; readonly toMs: number } & (
  | { readonly kind: 'run'; readonly run: Run }
  | {
      readonly kind: 'gap';
      readonly gap: Gap;
      readonly look: GapLook;
      /** The page's own words, where the suspension is this contact's. */
      readonly words: string | null;
    }
  | { readonly kind: 'black' }
  /** The monitors are others, or elsewhere, than in the run before. */
  | { readonly kind: 'display-change'; readonly before: Run; readonly after: Run }
  | { readonly kind: 'contact'; readonly event: ContactEvent }
);

/** `suspended`: on purpose. `paused`: there was nothing to see. `lost`: something failed. */
export type GapLook = 'suspended' | 'paused' | 'lost';

export function gapLook(reason: Gap['reason']): GapLook {
  switch (reason) {
    case 'suspended':
      return 'suspended';
    case 'locked':
    case 'switched-away':
    case 'disconnected':
    case 'asleep':
    case 'display-changed':
      return 'paused';
    case 'interrupted':
    case 'display-unavailable':
    case 'app-restarted':
    case 'spool-full':
    case 'unreadable':
      return 'lost';
  }
}

/** In the order of time; what begins at the same time: runs, gaps, changes, black, contact. */
export function timelineItems(manifest: Manifest, events: readonly ContactEvent[]): TimelineItem[] {
  const startMs = Date.parse(manifest.startTime);
  const inVideo = (time: string): number =>
    Math.min(Math.max(0, Date.parse(time) - startMs), manifest.durationMs);
  const runs: TimelineItem[] = manifest.runs.map((run) => ({
    ...{ kind: 'run', run, fromMs: run.offsetMs },
    toMs: run.offsetMs + Date.parse(run.endTime) - Date.parse(run.startTime),
  }));
  const gaps: TimelineItem[] = manifest.gaps.map((gap) => ({
    ...{ kind: 'gap', gap, look: gapLook(gap.reason), words: wordsOf(gap, manifest.suspensions) },
    ...{ fromMs: gap.offsetMs, toMs: gap.offsetMs + gap.durationMs },
  }));
  const changes: TimelineItem[] = manifest.runs.slice(1).flatMap((after, index) => {
    const before = manifest.runs[index];
    if (before === undefined || layoutOf(before) === layoutOf(after)) return [];
    return [{ kind: 'display-change', before, after, fromMs: after.offsetMs, toMs: after.offsetMs }];
  });
  const black: TimelineItem[] = (manifest.black?.stretches ?? []).map(({ offsetMs, durationMs }) => ({
    ...{ kind: 'black', fromMs: offsetMs, toMs: offsetMs + durationMs },
  }));
  // What was before the video or after it is not on its timeline.
  const contact: TimelineItem[] = events
    .filter(
      ({ startTime, endTime }) =>
        Date.parse(startTime) <= startMs + manifest.durationMs && Date.parse(endTime ?? startTime) >= startMs,
    )
    .map((event) => ({
      ...{ kind: 'contact', event, fromMs: inVideo(event.startTime) },
      toMs: inVideo(event.endTime ?? event.startTime),
    }));
  return [...runs, ...gaps, ...changes, ...black, ...contact].sort((a, b) => a.fromMs - b.fromMs);
}

/** Where keys go to: the beginnings of runs and gaps, and changes of the monitors. */
export function chapterStarts(items: readonly TimelineItem[]): number[] {
  const starts = items
    .filter(({ kind }) => kind === 'run' || kind === 'gap' || kind === 'display-change')
    .map(({ fromMs }) => fromMs);
  return [...new Set(starts)].sort((a, b) => a - b);
}

/** The next chapter, or the one before: where one has run for two seconds, its own beginning. */
export function chapterFrom(starts: readonly number[], atMs: number, direction: 1 | -1): number {
  if (direction === 1) return starts.find((start) => start > atMs + 50) ?? atMs;
  return starts.findLast((start) => start < atMs - 2000) ?? 0;
}

/** What lies at a moment, `nearMs` around what has no length. */
export function itemsAt(items: readonly TimelineItem[], atMs: number, nearMs: number): TimelineItem[] {
  return items.filter(({ fromMs, toMs }) =>
    toMs - fromMs < nearMs ? Math.abs((fromMs + toMs) / 2 - atMs) <= nearMs : fromMs <= atMs && atMs < toMs,
  );
}

/** The run that is shown at a moment; null in a gap. */
export function runAt(manifest: Manifest, atMs: number): Run | null {
  const run = manifest.runs.findLast(({ offsetMs }) => offsetMs <= atMs);
  const gap = manifest.gaps.findLast(({ offsetMs }) => offsetMs <= atMs);
  if (run === undefined || (gap !== undefined && gap.offsetMs >= run.offsetMs)) return null;
  return run;
}

/** The suspension of a page begins within its gap: the gap from the end of the last kept frame. */
function wordsOf(gap: Gap, suspensions: Manifest['suspensions']): string | null {
  if (gap.reason !== 'suspended') return null;
  const [from, to] = [Date.parse(gap.startTime), Date.parse(gap.endTime)];
  const found = suspensions.find(({ suspendedAt, reason }) => {
    const at = Date.parse(suspendedAt);
    return reason !== undefined && from <= at && at <= to;
  });
  return found?.reason ?? null;
}

function layoutOf(run: Run): string {
  return JSON.stringify(
    run.monitors.map(({ name, x, y, width, height, picture }) => [name, x, y, width, height, picture]),
  );
}
