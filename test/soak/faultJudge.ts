// The judge of disk faults, when all is over: nothing of a suspension in any file, nothing that was acknowledged is lost,
// and every contact has come to exactly one end.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { deskEventSchema, type AnyEvent } from '../../main/shared/deskEvent.ts';
import { parseJson } from '../../main/shared/json.ts';
import { statusEventSchema, type StatusEvent } from '../../main/shared/statusEvent.ts';
import { decodeRecording } from '../rig/recordingFrames.ts';
import { readPublished } from '../rig/recorder.ts';
import { filesIn, framesOfSpoolFile, leakIn, seenIn } from './leakCheck.ts';
import type { Story } from './faultStory.ts';

const FRAME_MS = 200;

/** The events of one recording, in the order of the file. */
type Life = readonly StatusEvent['detail'][];

/** Whether every contact has come to its end and the spool is empty. */
export async function isOver(home: string, story: Story): Promise<boolean> {
  const { lives } = await livesIn(home);
  const ended = [...lives.values()].every((life) =>
    ['PUBLISHED', 'FAILED'].includes(life.at(-1)!.recordingStatus),
  );
  const known = [...story.contacts.values()].every(
    ({ recordingId }) => recordingId === null || lives.has(recordingId),
  );
  return ended && known && (await spoolFolders(home)).length === 0;
}

/** Waits for that; false when it takes longer. */
export async function becomesOver(home: string, story: Story, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (!(await isOver(home, story))) {
    if (performance.now() > until) return false;
    await sleep(50);
  }
  return true;
}

/** What a process that is gone has left in the spool: pictures that the MP4 may not even get. */
export async function judgeSpool(home: string, story: Story): Promise<string[]> {
  if (story.exposures.length === 0) return [];
  const complaints: string[] = [];
  const runs = (await filesIn(join(home, 'data', 'spool')).catch(() => [])).filter(({ path }) =>
    path.endsWith('.run'),
  );
  for (const { path } of runs) {
    // What nobody can read holds no picture for anybody.
    const frames = await framesOfSpoolFile(path, home).catch(() => []);
    const leak = frames.map((frame) => leakIn(frame, story.exposures)).find((one) => one !== null);
    if (leak !== undefined) complaints.push(`LEAK: ${leak}`);
  }
  return complaints;
}

/** After the last process has ended. @returns complaints */
export async function judgeEnd(home: string, story: Story): Promise<string[]> {
  const complaints: string[] = [];
  const complain = (words: string): void => void complaints.push(words);
  const folders = await spoolFolders(home);
  if (folders.length > 0) complain(`${folders.join(', ')} is left in the spool`);
  const published = await readPublished(join(home, 'sink'));
  for (const { mp4, manifest } of published) {
    const frames = await decodeRecording(mp4, manifest);
    const leaks = seenIn(mp4, frames).flatMap((frame) => leakIn(frame, story.exposures) ?? []);
    if (leaks.length > 0) complain(`LEAK: ${leaks.length} frames; ${leaks[0]}`);
  }
  for (const contact of story.contacts.values()) {
    const { contactId, startTime, endTime, recordingId } = contact;
    const mine = published.filter(({ manifest }) => manifest.recordingId === recordingId);
    if (startTime !== null && mine.length !== 1)
      complain(`LOST: ${contactId} was published ${mine.length} times`);
    for (const { manifest } of mine) {
      if (manifest.startTime !== startTime)
        complain(`${contactId} begins at ${manifest.startTime}, not ${startTime}`);
      if (endTime !== null && manifest.endTime !== endTime)
        complain(`LOST: ${contactId} ends at ${manifest.endTime} (${manifest.endCause}), not ${endTime}`);
      for (const at of contact.suspendedAt) {
        // After a crash it may be known as beginning where the last frame ends.
        const isKnown = manifest.suspensions.some(
          ({ suspendedAt, resumedAt }) =>
            Math.abs(Date.parse(suspendedAt) - Date.parse(at)) <= FRAME_MS * 3 &&
            (resumedAt === null || resumedAt > at),
        );
        if (!isKnown) complain(`the manifest of ${contactId} knows no suspension at ${at}`);
      }
    }
  }
  complaints.push(...(await judgeLives(home, story)));
  return complaints;
}

/** Told twice is allowed after a crash, with the same deduplication id and the same words. */
async function judgeLives(home: string, story: Story): Promise<string[]> {
  const complaints: string[] = [];
  const { lives, unreadable } = await livesIn(home);
  if (unreadable > 0) complaints.push(`${unreadable} lines of the status events cannot be read`);
  const promised = [...story.contacts.values()].filter(({ recordingId }) => recordingId !== null);
  const names = new Map(promised.map(({ recordingId, contactId }) => [recordingId ?? '', contactId]));
  for (const [recordingId, life] of lives) {
    const name =
      names.get(recordingId) ?? `a recording without an answer (${life[0]!.contactArn.split('/').at(-1)})`;
    const last = life.at(-1)!.recordingStatus;
    if (last !== 'PUBLISHED' && last !== 'FAILED')
      complaints.push(`LOST: the last word about ${name} is ${last}`);
    const ends = new Set(
      life.flatMap((one) =>
        one.recordingStatus === 'COMPLETED' || one.recordingStatus === 'PUBLISHED'
          ? [`${one.recordingInfo.startTime} to ${one.recordingInfo.endTime}`]
          : [],
      ),
    );
    if (ends.size > 1) complaints.push(`${name} was completed as ${[...ends].join(' and as ')}`);
    const told = [...new Set(life.map((one) => one.recordingStatus))].join();
    // One that nobody was promised may have failed before anything could be told.
    const isRight = names.has(recordingId)
      ? /^INITIATED,COMPLETED,(FAILED,)?PUBLISHED$/
      : /^(INITIATED,)?(FAILED|(COMPLETED,)?(FAILED,)?PUBLISHED)$/;
    if (!isRight.test(told)) complaints.push(`${name} was told as ${told}`);
  }
  for (const [recordingId, name] of names) {
    if (!lives.has(recordingId)) complaints.push(`LOST: nothing was told about ${name}`);
  }
  return complaints;
}

/** By recording. */
async function livesIn(home: string): Promise<{ lives: Map<string, Life>; unreadable: number }> {
  const text = await readFile(join(home, 'data', 'status-events.ndjson'), 'utf8').catch(() => '');
  const lives = new Map<string, StatusEvent['detail'][]>();
  let unreadable = 0;
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const event = eventIn(line);
    if (event === null) unreadable += 1;
    // Of a recording, not of the desk.
    if (event === null || !('recordingStatus' in event.detail)) continue;
    const [recordingId = ''] = event.detail.eventDeduplicationId.split(':');
    lives.set(recordingId, [...(lives.get(recordingId) ?? []), event.detail]);
  }
  return { lives, unreadable };
}

function eventIn(line: string): AnyEvent | null {
  return z.union([statusEventSchema, deskEventSchema]).safeParse(parseJson(line)).data ?? null;
}

async function spoolFolders(home: string): Promise<string[]> {
  const entries = await readdir(join(home, 'data', 'spool'), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
