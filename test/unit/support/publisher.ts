// A publisher over a real spool session, with a sink that succeeds or fails as the test says.
import { expect, onTestFinished } from 'vitest';
import type { UploadResult } from '../../../main/publisher/upload.ts';
import type { Uploads } from '../../../main/publisher/publisher.ts';
import { Publisher } from '../../../main/publisher/publisher.ts';
import type { Failure } from '../../../main/shared/errors.ts';
import { isPublishedOrFailed } from '../../../main/spool/ledger.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { Spool } from '../../../main/spool/spool.ts';
import type { QueuedWrite } from '../../../main/status/eventQueue.ts';
import { temporaryFolder } from './folders.ts';
import { entry, recording, run } from './journalEntries.ts';
import { openedSession, testKeys } from './keys.ts';
import type { LogLine } from './logs.ts';
import { keepingLogger } from './logs.ts';

export const NOW = 1_800_000_000_000;
export const delivered = { location: 'file:///recordings/one.mp4', sizeBytes: 1234 };
export const receipt = { key: 'one.mp4', ...delivered, digest: { sha256: 'a'.repeat(64) } };

export interface Bench {
  readonly publisher: Publisher;
  readonly session: SpoolSession;
  /** The recordings that were tried, in order. */
  readonly tries: string[];
  readonly published: string[];
  readonly failed: { recordingId: string; why: Failure }[];
  /** As pages received them. */
  readonly uploads: Uploads[];
  readonly log: LogLine[];
  /** What each attempt does; without one it succeeds. */
  outcomes: (() => Promise<void> | void)[];
  onPublished: () => void;
  onFailed: () => Promise<void>;
  /** What becomes of the PUBLISHED events. */
  telling: QueuedWrite;
  eventRetries: number;
}

/** An event that is durable at the first try. */
export const durable: QueuedWrite = { tried: Promise.resolve(null), durable: Promise.resolve() };

/** A publisher over a real spool session with these recordings, none of them uploaded yet. */
export async function bench(random = 1, ...recordingIds: string[]): Promise<Bench> {
  const root = await temporaryFolder();
  const spool = new Spool({
    root,
    keys: testKeys(),
    newSessionId: () => 'one',
    onUnreadable: () => {},
  });
  const session = await openedSession(spool);
  for (const id of recordingIds.length > 0 ? recordingIds : ['rec-1']) {
    for (const one of [...recording(id, 1000, 3000), ...run(`run-of-${id}`, 1000, 3000)]) {
      await session.append(one);
    }
  }
  onTestFinished(async () => {
    for (const [id, one] of session.ledger.recordings) {
      if (!isPublishedOrFailed(one)) await session.append(entry.published(id));
    }
    await session.release(); // closes its journal
  });
  const { log, lines } = keepingLogger();
  const it: Bench = {
    session,
    tries: [],
    published: [],
    failed: [],
    uploads: [],
    log: lines,
    outcomes: [],
    onPublished: () => undefined,
    onFailed: () => Promise.resolve(),
    telling: durable,
    eventRetries: 0,
    publisher: new Publisher({
      async publish(_, recordingId) {
        it.tries.push(recordingId);
        await it.outcomes.shift()?.();
        // Only the receipt is of interest to the publisher; the manifest is passed on.
        return { receipt, manifest: {} } as UploadResult;
      },
      announcePublished(from, recordingId) {
        // Announced first: otherwise a crash in between would leave it unannounced.
        expect(from.ledger.recordings.get(recordingId)?.published).toBeNull();
        it.published.push(recordingId);
        return it.telling;
      },
      retryEvents: () => void (it.eventRetries += 1),
      onPublished: () => it.onPublished(),
      onFailed(_, recordingId, why) {
        it.failed.push({ recordingId, why });
        return it.onFailed();
      },
      onChange: (uploads) => it.uploads.push(uploads),
      clock: { now: () => NOW, steps: 0, fromWall: (wall) => wall },
      random: () => random,
      log,
    }),
  };
  return it;
}

/** The error of a failing sink. */
export function systemError(code: string): () => void {
  return () => {
    throw Object.assign(new Error(`${code}: no such luck`), { code });
  };
}
