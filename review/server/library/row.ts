// A line of the list, from a manifest or, where that cannot be read, from its name.

import type { Problem, RecordingRow } from '../../contract.ts';
import type { Manifest } from '../../../main/shared/manifest.ts';
import type { GapReason } from '../../../main/shared/names.ts';
import { fromName, hasUnsafeCharacters, idOf, safeText, videoOf } from './names.ts';
import { readManifest } from './readManifest.ts';

/** Gaps that nobody asked for. */
const FAULTS: ReadonlySet<GapReason> = new Set<GapReason>([
  ...(['interrupted', 'app-restarted', 'spool-full', 'unreadable', 'display-unavailable'] as const),
]);
const EARLY: ReadonlySet<Manifest['endCause']> = new Set<Manifest['endCause']>([
  ...(['page-lost', 'shutdown', 'app-died'] as const),
]);
const MAX_NAME_SHOWN = 256;

const lists = new Map<string, readonly Problem[]>();

/** One list for all rows with the same problems. */
export function problemList(found: readonly Problem[]): readonly Problem[] {
  const name = found.join();
  const list = lists.get(name) ?? Object.freeze([...found]);
  lists.set(name, list);
  return list;
}

/** @param stem of the names of the MP4 and its manifest; @param text null: it cannot be read or is too large */
export function rowOf(stem: string, text: string | null, modifiedMs: number): RecordingRow {
  const manifest = text === null || hasUnsafeCharacters(stem) ? null : readManifest(text);
  return manifest === null ? unreadable(stem, modifiedMs) : readable(stem, manifest);
}

function readable(stem: string, manifest: Manifest): RecordingRow {
  const { contact, agent, gaps, startTime, durationMs, video, trial } = manifest;
  return {
    id: idOf(videoOf(stem)),
    contactId: shown(contact.contactId),
    agent: shown(agent.username ?? agent.arn.slice(agent.arn.lastIndexOf('/') + 1)),
    queue: contact.queue === undefined ? null : shown(contact.queue),
    channel: contact.channel,
    startTime,
    durationMs,
    sizeBytes: video.sizeBytes,
    suspensions: gaps.filter(({ reason }) => reason === 'suspended').length,
    problems: problemList(problemsOf(manifest)),
    trial: trial === true,
  };
}

function unreadable(stem: string, modifiedMs: number): RecordingRow {
  const named = fromName(stem);
  return {
    id: idOf(videoOf(stem)),
    contactId: shown(named?.contactId ?? stem.slice(stem.lastIndexOf('/') + 1)),
    agent: '',
    queue: null,
    channel: null,
    startTime: named?.startTime ?? new Date(modifiedMs).toISOString(),
    durationMs: 0,
    sizeBytes: 0,
    suspensions: 0,
    problems: problemList(['unreadable-manifest']),
    trial: false,
  };
}

function problemsOf({ integrity, gaps, black, endCause }: Manifest): Problem[] {
  return [
    ...(integrity === undefined ? [] : [integrity.state]),
    ...(gaps.some(({ reason }) => FAULTS.has(reason)) ? (['interrupted'] as const) : []),
    ...(black === undefined ? [] : (['black'] as const)),
    ...(EARLY.has(endCause) ? (['ended-early'] as const) : []),
  ];
}

/** Whether there is an MP4, which no manifest tells. */
export function withVideo(row: RecordingRow, hasVideo: boolean): RecordingRow {
  if (row.problems.includes('no-video') !== hasVideo) return row;
  const others = row.problems.filter((one) => one !== 'no-video');
  return { ...row, problems: problemList(hasVideo ? others : [...others, 'no-video']) };
}

function shown(text: string): string {
  return safeText(text, MAX_NAME_SHOWN);
}
