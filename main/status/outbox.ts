// Status events that wait for EventBridge: a folder with one file per event, in the order of announcing. What add() has
// confirmed survives a crash and a power cut. Memory must not grow with the queue.

import { chmod, mkdir, opendir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { syncFolder, writeFileAtomically } from '../platform/atomicFile.ts';
import type { Logger } from '../platform/log.ts';
import type { AnyEvent } from '../shared/deskEvent.ts';
import { errno } from '../shared/errors.ts';

/** What sending needs of an event. The rest is passed on as it is: another version may have written it. */
const queuedEventSchema = z.looseObject({
  source: z.string().min(1),
  'detail-type': z.string().min(1),
  time: z.iso.datetime(),
  resources: z.array(z.string()),
  detail: z.looseObject({ eventDeduplicationId: z.string().min(1) }),
});
export type QueuedEvent = z.infer<typeof queuedEventSchema>;

export interface QueuedEntry {
  /** The file's name; later names sort later. */
  readonly name: string;
  readonly event: QueuedEvent;
}

/** Why an event is not to be sent any more; the end of its file's name. Removing the ending queues it again. */
export type AsideReason = 'damaged' | 'refused';

const DIGITS = 16;
/** In memory, while the oldest are looked for. */
const MAX_NAMES = 1000;
const NAME = new RegExp(`^(\\d{${DIGITS}})\\.json$`);
const TAKEN_NAME = new RegExp(`^(\\d{${DIGITS}})\\.json(\\.(damaged|refused))?$`);
/** Errors that say nothing about the file. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EAGAIN']);

export class Outbox {
  private count = 0;
  private nextNumber = 1;
  private opened: Promise<void> | null = null;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: { readonly folder: string; readonly log: Logger }) {}

  /** How many events wait, as far as is known: nothing is before the folder has been opened. */
  get pending(): number {
    return this.count;
  }

  /** Makes the folder, removes what a crash left half-written, and counts. The next call retries if it fails. */
  open(): Promise<void> {
    this.opened ??= this.search().catch((error: unknown) => {
      this.opened = null;
      throw error;
    });
    return this.opened;
  }

  /** Resolves when the event is on the disk, after all those added before. */
  add(event: AnyEvent): Promise<void> {
    return this.inOrder(async () => {
      await this.open();
      const name = `${String(this.nextNumber).padStart(DIGITS, '0')}.json`;
      // A number is used once even if writing fails: the file may be there for all that.
      this.nextNumber += 1;
      await writeFileAtomically(this.path(name), `${JSON.stringify(event)}\n`, 0o600);
      this.count += 1;
    });
  }

  /** The oldest events, in order. Damaged files are set aside on the way. */
  async read(limit: number): Promise<QueuedEntry[]> {
    await this.open();
    for (;;) {
      // Not while an event is added: it could be counted twice.
      const names = await this.inOrder(() => this.oldest(limit));
      const entries: QueuedEntry[] = [];
      for (const name of names) {
        const event = await this.readOne(name);
        if (event !== null) entries.push({ name, event });
      }
      if (entries.length > 0 || names.length === 0) return entries;
    }
  }

  /** After it was sent. A power cut may bring a removed event back: then it is sent twice. */
  async remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
    this.count -= 1;
  }

  /** Keeps an event for IT to look at, out of the way of the others. */
  async setAside(name: string, reason: AsideReason): Promise<void> {
    await rename(this.path(name), this.path(`${name}.${reason}`));
    this.count -= 1;
    await syncFolder(this.options.folder);
  }

  private inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }

  private async search(): Promise<void> {
    const { folder } = this.options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    let highest = 0;
    this.count = 0;
    for await (const { name } of await opendir(folder)) {
      if (name.endsWith('.tmp')) {
        await rm(this.path(name), { force: true });
        continue;
      }
      const number = TAKEN_NAME.exec(name)?.[1];
      if (number !== undefined) highest = Math.max(highest, Number(number));
      if (NAME.test(name)) this.count += 1;
    }
    this.nextNumber = highest + 1;
  }

  private async oldest(limit: number): Promise<string[]> {
    let names: string[] = [];
    let count = 0;
    for await (const { name } of await opendir(this.options.folder)) {
      if (!NAME.test(name)) continue;
      count += 1;
      names.push(name);
      if (names.length >= MAX_NAMES) names = names.sort().slice(0, limit);
    }
    // IT may have put some back or taken some away.
    this.count = count;
    return names.sort().slice(0, limit);
  }

  private async readOne(name: string): Promise<QueuedEvent | null> {
    try {
      return queuedEventSchema.parse(JSON.parse(await readFile(this.path(name), 'utf8')));
    } catch (error) {
      if (PASSING.has(errno(error) ?? '')) throw error;
      if (errno(error) === 'ENOENT') return null;
      this.options.log.error('a status event in the outbox is damaged and set aside; the others continue', {
        file: this.path(`${name}.damaged`),
        // Messages of zod and JSON.parse may quote the content.
        reason: errno(error) ?? (error instanceof Error ? error.name : 'unknown'),
      });
      await this.setAside(name, 'damaged');
      return null;
    }
  }

  private path(name: string): string {
    return join(this.options.folder, name);
  }
}
