// The notes, to read, write and save.

import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { MAX_NOTE_TEXT, type NoteEntry } from '../../../contract.ts';
import { locale } from '../strings/language.ts';
import { texts } from '../strings/player.ts';
import { playingTime } from './model/clock.ts';
import type { Conflict } from './model/notesMerge.ts';
import type { NotesStore } from './notesStore.ts';
import type { Playback } from './playback.ts';

const POINTS = Array.from({ length: 11 }, (_, points) => points);
const MAX_CRITERION = 100;

interface Props {
  readonly playback: Playback;
  readonly notes: NotesStore;
}

export function NotesPanel({ playback, notes }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const unsaved = notes.unsaved.value;
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      if (notes.unsaved.value > 0) event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [notes]);
  useSignalEffect(() => {
    const id = notes.focus.value;
    if (id === null) return;
    notes.focus.value = null;
    // After the new entry is drawn.
    requestAnimationFrame(() =>
      place.current?.querySelector<HTMLElement>(`[data-note="${id}"] textarea`)?.focus(),
    );
  });
  return (
    <div
      class="player-notes"
      ref={place}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void notes.save();
      }}
    >
      <div class="player-option-group">
        <button type="button" onClick={() => notes.add(Math.round(playback.atMs.value))}>
          {texts.addNoteHere}
        </button>
        <button type="button" onClick={() => notes.add(null)}>
          {texts.addGeneralNote}
        </button>
      </div>
      {notes.conflicts.value.map((conflict) => (
        <ConflictChoice key={conflict.id} {...{ conflict, notes }} />
      ))}
      {notes.entries.value.length === 0 && notes.conflicts.value.length === 0 && <p>{texts.noNotes}</p>}
      <ul>
        {notes.entries.value.map((entry) => (
          <Entry key={entry.id} {...{ entry, notes, playback }} />
        ))}
      </ul>
      <div class="player-save">
        <button
          type="button"
          aria-disabled={unsaved === 0 || notes.isSaving.value || notes.conflicts.value.length > 0}
          onClick={() => void notes.save()}
        >
          {texts.saveNotes}
        </button>
        <span role="status">
          {notes.wasSaved.value ? texts.notesSaved : unsaved > 0 ? texts.unsaved(unsaved) : ''}
        </span>
      </div>
      {notes.problem.value !== null && (
        <p class="player-warning" role="alert">
          {notes.problem.value}
        </p>
      )}
    </div>
  );
}

function Entry({ entry, notes, playback }: Props & { readonly entry: NoteEntry }): JSX.Element {
  const { id, atMs, text, score, author, changedAt } = entry;
  const name = atMs === null ? texts.generalNote : texts.noteAt(playingTime(atMs));
  const time = new Date(changedAt).toLocaleString(locale, { dateStyle: 'short', timeStyle: 'short' });
  return (
    <li data-note={id}>
      <fieldset>
        <legend>
          {atMs === null ? (
            name
          ) : (
            <button type="button" class="player-link" onClick={() => playback.seek(atMs)}>
              {name}
            </button>
          )}
        </legend>
        <textarea
          aria-label={texts.noteText}
          rows={2}
          maxLength={MAX_NOTE_TEXT}
          value={text}
          onInput={(event) => notes.update(id, { text: event.currentTarget.value })}
        />
        <div class="player-option-group">
          <label>
            {texts.criterion}
            <input
              type="text"
              maxLength={MAX_CRITERION}
              value={score?.criterion ?? ''}
              onInput={(event) => {
                const criterion = event.currentTarget.value;
                notes.update(id, {
                  score: criterion === '' ? null : { criterion, points: score?.points ?? 0 },
                });
              }}
            />
          </label>
          <label>
            {texts.pointsLabel}
            <select
              value={score === null ? '' : String(score.points)}
              disabled={score === null}
              onChange={(event) => {
                if (score !== null)
                  notes.update(id, { score: { ...score, points: Number(event.currentTarget.value) } });
              }}
            >
              {score === null && <option value="">{texts.noScore}</option>}
              {POINTS.map((points) => (
                <option key={points} value={String(points)}>
                  {points}
                </option>
              ))}
            </select>
          </label>
          <button type="button" onClick={() => notes.remove(id)}>
            {texts.removeNote}
          </button>
        </div>
        <p class="player-dim">{texts.changedBy(author, time)}</p>
      </fieldset>
    </li>
  );
}

function ConflictChoice({
  conflict,
  notes,
}: {
  readonly conflict: Conflict;
  readonly notes: NotesStore;
}): JSX.Element {
  const { id, mine, theirs } = conflict;
  const side = (title: string, entry: NoteEntry | null): JSX.Element => (
    <div>
      <h2>{title}</h2>
      {entry === null ? (
        <p>{texts.conflictRemoved}</p>
      ) : (
        <>
          <p class="player-note-text">{entry.text}</p>
          {entry.score !== null && (
            <p>
              {entry.score.criterion}: {texts.points(entry.score.points)}
            </p>
          )}
        </>
      )}
    </div>
  );
  return (
    <div class="player-conflict" role="group" aria-label={texts.conflict}>
      <p role="alert">{texts.conflict}</p>
      <div class="player-conflict-sides">
        {side(texts.conflictMine, mine)}
        {side(theirs === null ? texts.conflictTheirs : `${texts.conflictTheirs} (${theirs.author})`, theirs)}
      </div>
      <div class="player-option-group">
        <button type="button" onClick={() => notes.resolve(id, 'mine')}>
          {texts.keepMine}
        </button>
        <button type="button" onClick={() => notes.resolve(id, 'theirs')}>
          {texts.keepTheirs}
        </button>
        {mine !== null && theirs !== null && (
          <button type="button" onClick={() => notes.resolve(id, 'both')}>
            {texts.keepBoth}
          </button>
        )}
      </div>
    </div>
  );
}
