// Reviewers' notes: a JSON file for each recording in a folder of their own, never in the library. Written whole or not at
// all; a version (the hash of the file) prevents that two people overwrite each other's notes.

import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../../../../main/platform/atomicFile.ts';
import { errno } from '../../../../main/shared/errors.ts';
import { parseJson } from '../../../../main/shared/json.ts';
import { MAX_NOTES, MAX_NOTE_TEXT, type NoteEntry, type Notes } from '../../../contract.ts';
import { ReviewFailure } from '../../failure.ts';
import { sha256Hex } from '../constantTime.ts';

export const MAX_NOTES_BYTES = 8 * 1024 * 1024;
const LOCK_WITHIN_MS = 3000;
/** Whoever has a lock for longer has died: a save takes milliseconds. */
const LOCK_IS_STALE_MS = 30_000;

const scoreSchema = z.strictObject({
  criterion: z.string().min(1).max(200),
  points: z.number().min(0).max(10),
});
export const entrySchema = z.object({
  id: z.uuid(),
  atMs: z.number().int().nonnegative().max(1e10).nullable(),
  text: z.string().max(MAX_NOTE_TEXT),
  score: scoreSchema.nullable(),
});
export type NewEntry = z.infer<typeof entrySchema>;
export const newNotesSchema = z.object({
  entries: z
    .array(entrySchema)
    .max(MAX_NOTES)
    .refine((entries) => new Set(entries.map(({ id }) => id)).size === entries.length, 'has an id twice'),
});

const fileSchema = z.object({
  notesVersion: z.literal(1),
  recordingId: z.string(),
  contactId: z.string(),
  key: z.string(),
  entries: z.array(entrySchema.extend({ author: z.string(), changedAt: z.iso.datetime() })).max(MAX_NOTES),
});

export interface NotedRecording {
  readonly id: string;
  readonly contactId: string;
  readonly key: string;
}

export interface Author {
  readonly user: string;
  /** Whether somebody may change and remove what others wrote. */
  readonly isAdmin: boolean;
}

export interface NotesChange {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export class NotesStore {
  constructor(
    private readonly folder: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** Makes the folder. @throws a Node error */
  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
  }

  /** @param id of a recording that the library has: never a text from outside. @throws ReviewFailure */
  async read(id: string): Promise<Notes> {
    const text = await this.#text(id);
    if (text === null) return { entries: [] };
    return { version: versionOf(text), entries: entriesIn(text) };
  }

  /** Ids of recordings that have notes. */
  async ids(): Promise<ReadonlySet<string>> {
    const names = await readdir(this.folder);
    return new Set(names.flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : [])));
  }

  /**
   * @param version of the notes that the entries were made from; null: there were none
   * @param announce called before anything is written; its rejection prevents that
   * @throws ReviewFailure NOTES_CHANGED, NOT_ALLOWED
   */
  async save(
    recording: NotedRecording,
    version: string | null,
    entries: readonly NewEntry[],
    author: Author,
    announce: (change: NotesChange) => Promise<void>,
  ): Promise<Notes> {
    const unlock = await this.#lock(recording.id);
    try {
      const before = await this.read(recording.id);
      if ((before.version ?? null) !== version)
        throw new ReviewFailure(
          'NOTES_CHANGED',
          'Somebody else saved notes for this recording meanwhile. Load them, and enter yours again.',
        );
      const merged = merge(before.entries, entries, author, new Date(this.now()).toISOString());
      await announce(merged.change);
      const { id: recordingId, contactId, key } = recording;
      const file = { notesVersion: 1, recordingId, contactId, key, entries: merged.entries };
      const text = `${JSON.stringify(file, null, 2)}\n`;
      await writeFileAtomically(this.#path(recordingId), text);
      return { version: versionOf(text), entries: merged.entries };
    } finally {
      await unlock();
    }
  }

  #path(id: string): string {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) throw new Error('not an id');
    return join(this.folder, `${id}.json`);
  }

  async #text(id: string): Promise<string | null> {
    // A link in a shared folder could lead anywhere.
    const flags = constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NOFOLLOW);
    const file = await open(this.#path(id), flags).catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return null;
      throw unreadable(error);
    });
    if (file === null) return null;
    try {
      const found = await file.stat();
      if (!found.isFile() || found.size > MAX_NOTES_BYTES) throw unreadable();
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  }

  /** Between servers too, which may share the folder. */
  async #lock(id: string): Promise<() => Promise<void>> {
    const path = `${this.#path(id)}.lock`;
    const until = Date.now() + LOCK_WITHIN_MS;
    for (;;) {
      try {
        await (await open(path, 'wx', 0o600)).close();
        return () => rm(path, { force: true });
      } catch (error) {
        if (errno(error) !== 'EEXIST') throw error;
      }
      const age = await stat(path).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      if (age > LOCK_IS_STALE_MS) await rm(path, { force: true });
      else if (Date.now() > until)
        throw new ReviewFailure(
          'NOTES_CHANGED',
          'Somebody else is saving notes for this recording. Try again.',
        );
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** What differs gets its author and time from here, whatever the page says. @throws ReviewFailure NOT_ALLOWED */
function merge(
  before: readonly NoteEntry[],
  entries: readonly NewEntry[],
  { user, isAdmin }: Author,
  changedAt: string,
): { readonly entries: NoteEntry[]; readonly change: NotesChange } {
  const known = new Map(before.map((entry) => [entry.id, entry]));
  let [added, changed] = [0, 0];
  const insistOnOwn = (entry: NoteEntry): void => {
    if (entry.author === user || isAdmin) return;
    throw new ReviewFailure(
      'NOT_ALLOWED',
      `Only ${entry.author} or an admin may change or remove this note.`,
    );
  };
  const merged = entries.map(({ id, atMs, text, score }) => {
    const old = known.get(id);
    known.delete(id);
    if (old !== undefined && isSame(old, { id, atMs, text, score })) return old;
    if (old === undefined) added += 1;
    else {
      insistOnOwn(old);
      changed += 1;
    }
    return { id, atMs, text, score, author: user, changedAt };
  });
  for (const removed of known.values()) insistOnOwn(removed);
  return { entries: merged, change: { added, changed, removed: known.size } };
}

function isSame(a: NewEntry, b: NewEntry): boolean {
  const facts = ({ atMs, text, score }: NewEntry): string =>
    JSON.stringify([atMs, text, score?.criterion ?? null, score?.points ?? null]);
  return facts(a) === facts(b);
}

function entriesIn(text: string): NoteEntry[] {
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success) throw unreadable();
  return parsed.data.entries;
}

function versionOf(text: string): string {
  return sha256Hex(text).slice(0, 32);
}

function unreadable(cause?: unknown): ReviewFailure {
  return new ReviewFailure(
    'UNKNOWN',
    'The notes of this recording cannot be read. Ask the administrator to look at the notes folder.',
    { cause },
  );
}
