// Notices that the recorder before this one ended without leaving properly: while it runs there is a file run.json in the data
// folder. Its time is renewed every minute: it says when the recorder was last known to run. An end renames the file, which
// works on a full disk, and it is removed when the event of that end is durable: so an end is announced at least once, always
// with the same deduplication id, and the first start of all announces none.

import { randomUUID } from 'node:crypto';
import { readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import type { Logger } from '../platform/log.ts';
import type { EndCause, EndInfo } from '../shared/deskEvent.ts';
import { endCauseSchema } from '../shared/deskEvent.ts';
import { errorMessage } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import { timestamp } from '../shared/statusEvent.ts';
import { toTimestamp } from '../shared/time.ts';

const markSchema = z.object({
  runId: z.uuid(),
  startTime: timestamp,
  appVersion: z.string().max(40),
  contactIsOn: z.boolean(),
});
type Mark = z.infer<typeof markSchema>;

export interface EndedRun {
  readonly deduplicationId: string;
  readonly info: EndInfo;
  /** The event is durable. */
  readonly settle: () => Promise<void>;
}

export interface RunMarkOptions {
  readonly dataDir: string;
  readonly appVersion: string;
  /** The wall clock, as the file system has it. */
  readonly now?: () => number;
  readonly log: Logger;
}

const FILE = 'run.json';
const ENDED = /^run-ended\.([a-z-]+)\.([0-9a-f-]{36})\.json$/;
/** At one start; the next one announces the others. */
const MAX_ENDS = 20;
const MAX_MARK_BYTES = 4096;
/** The resolution of a file's time, on FAT. */
const GRAIN_MS = 2000;

export class RunMark {
  /** Of the files, in order: what is renamed must not be written again. */
  private last: Promise<unknown> = Promise.resolve();
  private readonly mark: Mark;
  private isWritten = false;
  private cause: EndCause | null = null;

  /** Writes nothing before `begin`. */
  constructor(private readonly options: RunMarkOptions) {
    const { appVersion } = options;
    this.mark = { runId: randomUUID(), startTime: this.time(), appVersion, contactIsOn: false };
  }

  get startTime(): string {
    return this.mark.startTime;
  }

  /** This process has locked the data folder. @returns the ends of earlier recorders that are not announced yet, oldest first */
  async begin(): Promise<EndedRun[]> {
    const ends = await this.inOrder('the end of an earlier recorder cannot be found out', async () => {
      const before = await readMark(this.path(FILE));
      if (before !== undefined) await rename(this.path(FILE), this.endedPath(before?.runId, 'unexpected'));
      return this.findEnds();
    });
    await this.write();
    return ends ?? [];
  }

  /** Every minute. Where the disk did not take the file before, this retries. */
  async alive(): Promise<void> {
    if (!this.isWritten) return this.write();
    await this.inOrder('run.json cannot be renewed', () => this.touch());
  }

  async contactsAreOn(areOn: boolean): Promise<void> {
    if (this.mark.contactIsOn === areOn) return;
    this.mark.contactIsOn = areOn;
    await this.write();
  }

  /** Sightline is leaving on purpose: should it be killed on the way, the next start announces this cause. */
  async end(cause: EndCause): Promise<EndedRun | null> {
    if (this.cause !== null) return null;
    this.cause = cause;
    const path = this.endedPath(this.mark.runId, cause);
    await this.inOrder('the end cannot be recorded', async () => {
      await this.touch();
      await rename(this.path(FILE), path);
    });
    const { runId, startTime, appVersion, contactIsOn: contactWasOn } = this.mark;
    const info = { cause, startTime, endTime: this.time(), appVersion, contactWasOn };
    return { deduplicationId: idOf(runId), info, settle: () => this.forget(path) };
  }

  /** Resolves when nothing is being written any more. */
  async idle(): Promise<void> {
    await this.last;
  }

  private async findEnds(): Promise<EndedRun[]> {
    const { dataDir } = this.options;
    const found = (await readdir(dataDir, { withFileTypes: true })).flatMap((entry) => {
      const [, cause, runId = ''] = (entry.isFile() && ENDED.exec(entry.name)) || [];
      const known = endCauseSchema.safeParse(cause);
      return known.success ? [{ path: join(dataDir, entry.name), cause: known.data, runId }] : [];
    });
    const ends = await Promise.all(
      found.slice(0, MAX_ENDS).map(async ({ path, cause, runId }): Promise<EndedRun & { at: number }> => {
        const mark = await readMark(path);
        const { mtimeMs } = await stat(path);
        // A clock that was set back must not make it end after it returned.
        const at = Math.min(mtimeMs, this.now());
        const crashReport = cause === 'unexpected' ? await this.crashReport(mtimeMs) : undefined;
        const info = {
          ...{ cause, endTime: toTimestamp(Math.round(at)), returnTime: this.time() },
          ...(mark && {
            startTime: mark.startTime,
            appVersion: mark.appVersion,
            contactWasOn: mark.contactIsOn,
          }),
          ...(crashReport && { crashReport }),
        };
        return { at, deduplicationId: idOf(runId), info, settle: () => this.forget(path) };
      }),
    );
    return ends.sort((one, other) => one.at - other.at);
  }

  /** The newest report since then: only its name, because the path has the user's. */
  private async crashReport(since: number): Promise<string | undefined> {
    const folder = join(this.options.dataDir, 'logs');
    const names = await readdir(folder).catch(() => []);
    const reports = names.filter((name) => /^crash-[\w.-]{1,80}\.json$/.test(name)).sort();
    for (const name of reports.reverse().slice(0, MAX_ENDS)) {
      const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: -Infinity }));
      if (mtimeMs >= since - GRAIN_MS) return name;
    }
    return undefined;
  }

  private async write(): Promise<void> {
    await this.inOrder('run.json cannot be written', async () => {
      if (this.cause !== null) return;
      await writeFileAtomically(this.path(FILE), `${JSON.stringify(this.mark)}\n`);
      this.isWritten = true;
    });
  }

  private async touch(): Promise<void> {
    const now = new Date(this.now());
    await utimes(this.path(FILE), now, now);
  }

  private async forget(path: string): Promise<void> {
    await this.inOrder('the record of an announced end cannot be removed', () => rm(path, { force: true }));
  }

  /** Recording does not depend on any of this. */
  private async inOrder<T>(problem: string, act: () => Promise<T>): Promise<T | undefined> {
    const done = this.last.then(act).catch((error: unknown) => {
      this.options.log.warn(`${problem}: the event of an end may be missing or wrong`, {
        reason: errorMessage(error),
      });
      return undefined;
    });
    this.last = done;
    return done;
  }

  private now(): number {
    return this.options.now?.() ?? Date.now();
  }

  private time(): string {
    return toTimestamp(this.now());
  }

  private path(name: string): string {
    return join(this.options.dataDir, name);
  }

  private endedPath(runId: string = randomUUID(), cause: EndCause): string {
    return this.path(`run-ended.${cause}.${runId}.json`);
  }
}

const idOf = (runId: string): string => `${runId}:ENDED`;

/** null: it cannot be read, which is an end all the same; undefined: there is none. */
async function readMark(path: string): Promise<Mark | null | undefined> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) return undefined;
  if (size > MAX_MARK_BYTES) return null;
  return markSchema.safeParse(parseJson(await readFile(path, 'utf8').catch(() => ''))).data ?? null;
}
