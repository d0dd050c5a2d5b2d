// Whether a manifest agrees with itself: what Sightline writes always does, so a contradiction means that it was changed. Pure.

import type { Manifest } from '../../../main/shared/manifest.ts';

/** At most so many are worth reading. */
const MAX_FINDINGS = 10;
/** A shorter gap has no slate, and so no frame of its own. */
const SLATE_FROM_MS = 1000;

/** @returns sentences for a reviewer; none: it agrees with itself */
export function contradictionsIn(manifest: Manifest): string[] {
  const found = [...contradictions(manifest)];
  return found.length <= MAX_FINDINGS
    ? found
    : [...found.slice(0, MAX_FINDINGS), `And ${found.length - MAX_FINDINGS} more contradictions.`];
}

function* contradictions(manifest: Manifest): Generator<string> {
  const { startTime, endTime, durationMs, video, runs, gaps, suspensions, black, integrity } = manifest;
  const start = Date.parse(startTime);
  const end = Date.parse(endTime);
  if (end - start !== durationMs)
    yield 'The manifest contradicts itself: durationMs is not endTime minus startTime.';

  let covered = start;
  const pieces = [
    ...runs.map((run) => ({ ...run, name: 'run' })),
    ...gaps.map((gap) => ({ ...gap, name: 'gap' })),
  ].sort((one, other) => one.offsetMs - other.offsetMs);
  for (const piece of pieces) {
    const from = Date.parse(piece.startTime);
    const to = Date.parse(piece.endTime);
    const what = `the ${piece.name} at ${piece.startTime}`;
    if (piece.offsetMs !== from - start)
      yield `The manifest contradicts itself: offsetMs of ${what} does not agree with its time.`;
    if (to <= from) yield `The manifest contradicts itself: ${what} ends before it begins.`;
    if (from > covered)
      yield `The manifest is not complete: nothing is said about the ${from - covered} ms before ${what}.`;
    if (from < covered) yield `The manifest contradicts itself: ${what} overlaps what is before it.`;
    covered = to;
  }
  if (covered !== end)
    yield 'The manifest contradicts itself: runs and gaps do not end where the recording ends.';

  for (const { startTime: from, endTime: to, durationMs: ms } of [...gaps, ...(black?.stretches ?? [])])
    if (Date.parse(to) - Date.parse(from) !== ms)
      yield `The manifest contradicts itself: the length of what began at ${from} is wrong.`;
  for (const { suspendedAt, resumedAt } of suspensions)
    if (resumedAt !== null && Date.parse(resumedAt) < Date.parse(suspendedAt))
      yield `The manifest contradicts itself: the suspension of ${suspendedAt} ends before it begins.`;

  const slates = gaps.filter((gap) => gap.durationMs >= SLATE_FROM_MS).length;
  if (video.frames < slates)
    yield 'The manifest contradicts itself: the MP4 has fewer frames than there are slates.';
  const partBytes = video.parts?.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (partBytes !== undefined && partBytes !== video.sizeBytes)
    yield 'The manifest contradicts itself: the parts of the MP4 are not as long together as the MP4.';
  for (const finding of integrity?.findings ?? [])
    if (finding.kind === 'run-damaged' && finding.readableFrames > finding.frames)
      yield 'The manifest contradicts itself: of a damaged run more frames are readable than it had.';
}
