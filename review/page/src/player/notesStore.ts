// The reviewer's notes: what is saved, what is changed, and what two people changed. Text that is not saved yet survives errors,
// navigation and a sign-in in this tab's session storage; a closed tab loses it, after a warning.

import { computed, signal } from '@preact/signals';
import { MAX_NOTES, MAX_NOTE_TEXT, type NoteEntry, type Notes } from '../../../contract.ts';
import { api, isAbort, toFailure } from '../api.ts';
import { texts } from '../strings/player.ts';
import { failureText } from '../strings/shell.ts';
import { inOrder, isSame, mergeNotes, type Conflict } from './model/notesMerge.ts';

interface Draft {
  /** What the changes are based on. */
  readonly base: Notes;
  readonly entries: readonly NoteEntry[];
}

export class NotesStore {
  readonly entries = signal<readonly NoteEntry[]>([]);
  readonly conflicts = signal<readonly Conflict[]>([]);
  readonly isSaving = signal(false);
  readonly problem = signal<string | null>(null);
  readonly wasSaved = signal(false);
  /** The entry whose text wants the focus. */
  readonly focus = signal<string | null>(null);
  private readonly saved = signal<Notes>({ entries: [] });
  readonly unsaved = computed(() => changesBetween(this.saved.value.entries, this.entries.value));

  constructor(
    private readonly id: string,
    private readonly user: string,
  ) {}

  async load(abort: AbortSignal): Promise<void> {
    const draft = this.storedDraft();
    try {
      this.saved.value = await api.notes(this.id, abort);
    } catch (error) {
      if (isAbort(error)) return;
      this.problem.value = failureText(toFailure(error));
      if (draft !== null) {
        this.saved.value = draft.base;
        this.entries.value = inOrder(draft.entries);
      }
      return;
    }
    if (draft === null) this.entries.value = inOrder(this.saved.value.entries);
    else this.merge(draft.base.entries, draft.entries);
  }

  /** @returns false: there are as many as there may be */
  add(atMs: number | null): boolean {
    if (this.entries.value.length >= MAX_NOTES) {
      this.problem.value = texts.notesFull;
      return false;
    }
    const entry: NoteEntry = {
      ...{ id: crypto.randomUUID(), atMs, text: '', score: null },
      ...{ author: this.user, changedAt: new Date().toISOString() },
    };
    this.change([...this.entries.value, entry]);
    this.focus.value = entry.id;
    return true;
  }

  update(id: string, change: Partial<Pick<NoteEntry, 'text' | 'score'>>): void {
    const text = change.text?.slice(0, MAX_NOTE_TEXT);
    this.change(
      this.entries.value.map((entry) =>
        entry.id === id ? { ...entry, ...change, ...(text === undefined ? {} : { text }) } : entry,
      ),
    );
  }

  remove(id: string): void {
    this.change(this.entries.value.filter((entry) => entry.id !== id));
  }

  /** What the reviewer chose of a conflict. */
  resolve(id: string, keep: 'mine' | 'theirs' | 'both'): void {
    const conflict = this.conflicts.value.find((one) => one.id === id);
    if (conflict === undefined) return;
    const { mine, theirs } = conflict;
    const kept =
      keep === 'mine'
        ? [mine]
        : keep === 'theirs'
          ? [theirs]
          : [theirs, mine === null ? null : { ...mine, id: crypto.randomUUID() }];
    this.conflicts.value = this.conflicts.value.filter((one) => one !== conflict);
    this.change([...this.entries.value, ...kept.filter((entry) => entry !== null)]);
  }

  async save(): Promise<void> {
    if (this.isSaving.value || this.conflicts.value.length > 0) return;
    this.isSaving.value = true;
    this.problem.value = null;
    const sent = this.entries.value;
    const base = this.saved.value;
    try {
      // Empty ones were begun by mistake.
      const worth = sent.filter(({ text, score }) => text.trim() !== '' || score !== null);
      this.saved.value = await api.saveNotes(this.id, worth, base.version);
      // What was typed meanwhile stays.
      this.merge(sent, this.entries.value);
      this.wasSaved.value = this.unsaved.value === 0;
    } catch (error) {
      const failure = toFailure(error);
      if (failure.code === 'NOTES_CHANGED') await this.mergeNewest(base.entries);
      else this.problem.value = `${failureText(failure)} ${texts.notesNotSaved}`;
    } finally {
      this.isSaving.value = false;
    }
  }

  private async mergeNewest(base: readonly NoteEntry[]): Promise<void> {
    try {
      this.saved.value = await api.notes(this.id);
    } catch (error) {
      this.problem.value = `${failureText(toFailure(error))} ${texts.notesNotSaved}`;
      return;
    }
    this.merge(base, this.entries.value);
    this.isSaving.value = false;
    if (this.conflicts.value.length === 0) await this.save();
  }

  private merge(base: readonly NoteEntry[], mine: readonly NoteEntry[]): void {
    const { entries, conflicts } = mergeNotes(base, mine, this.saved.value.entries);
    this.conflicts.value = conflicts;
    this.change(entries);
  }

  private change(entries: readonly NoteEntry[]): void {
    this.entries.value = inOrder(entries);
    this.wasSaved.value = false;
    this.storeDraft();
  }

  private storeDraft(): void {
    const open = this.conflicts.value.flatMap(({ mine }) => (mine === null ? [] : [mine]));
    if (this.unsaved.value === 0 && open.length === 0) {
      sessionStorage.removeItem(this.key);
      return;
    }
    // Those in conflict are no base for each other: a page that is loaded again asks again.
    const disputed = new Set(this.conflicts.value.map(({ id }) => id));
    const base = this.saved.value.entries.filter(({ id }) => !disputed.has(id));
    const draft: Draft = {
      base: { ...this.saved.value, entries: base },
      entries: [...this.entries.value, ...open],
    };
    try {
      sessionStorage.setItem(this.key, JSON.stringify(draft));
    } catch {
      // Full: the page still has the text.
    }
  }

  private storedDraft(): Draft | null {
    try {
      return JSON.parse(sessionStorage.getItem(this.key) ?? 'null') as Draft | null;
    } catch {
      return null;
    }
  }

  /** Another user of the same tab does not see it. */
  private get key(): string {
    return `sightline-notes-${this.user}-${this.id}`;
  }
}

function changesBetween(saved: readonly NoteEntry[], now: readonly NoteEntry[]): number {
  const ids = new Set([...saved, ...now].map(({ id }) => id));
  const find = (entries: readonly NoteEntry[], id: string): NoteEntry | null =>
    entries.find((entry) => entry.id === id) ?? null;
  return [...ids].filter((id) => !isSame(find(saved, id), find(now, id))).length;
}
