// Under the filters: how many recordings there are, what the index is doing, refresh, and the export of notes.

import type { JSX } from 'preact';
import type { IndexState, Session } from '../../../contract.ts';
import { addresses } from '../api.ts';
import { Icon } from '../parts/icons.tsx';
import { toQuery, type Filters } from '../route.ts';
import { navigate } from '../router.ts';
import { list } from '../strings/list.ts';
import { compactMoment, count } from '../words.ts';
import { isFiltered, withoutFilters } from './filters.ts';
import { index, pending, refresh, total } from './rows.ts';

interface StatusLineProps {
  readonly session: Session;
  readonly filters: Filters;
}

export function StatusLine({ session, filters }: StatusLineProps): JSX.Element {
  const state = index.value;
  const updatedAt = state?.updatedAt ?? null;
  const working = state?.state === 'listing' || state?.state === 'reading';
  const busy = working || pending.value;
  return (
    <div class="status-line" aria-busy={busy}>
      <span role="status" class="count">
        {countText(total.value, state, isFiltered(filters))}
      </span>
      {isFiltered(filters) && (
        <button
          type="button"
          class="quiet-button"
          onClick={() => navigate({ at: 'list', filters: withoutFilters(filters) })}
        >
          <Icon name="close" />
          {list.clear}
        </button>
      )}
      {state !== null && updatedAt === null && <Progress state={state} />}
      <span class="space" />
      {session.may.download && (total.value ?? 0) > 0 && (
        <a class="quiet-button" href={addresses.notesCsv(toQuery(filters))} download="">
          <Icon name="download" />
          {list.exportNotes}
        </a>
      )}
      <button
        type="button"
        class={working ? 'quiet-button working' : 'quiet-button'}
        title={updatedAt === null ? list.refresh : list.updated(compactMoment(updatedAt))}
        onClick={() => void refresh()}
      >
        <Icon name="refresh" />
        {list.refresh}
      </button>
      <span class={pending.value ? 'pending-bar on' : 'pending-bar'} />
    </div>
  );
}

function countText(found: number | null, state: IndexState | null, filtered: boolean): string {
  if (found === null || state === null) return '';
  if (filtered && state.state === 'ready') return list.countOf(count(found), count(state.indexed));
  return list.count(count(found), found === 1);
}

function Progress({ state }: { readonly state: IndexState }): JSX.Element | null {
  const { indexed, total: all } = state;
  if (state.state !== 'listing' && state.state !== 'reading') return null;
  const text =
    state.state === 'reading'
      ? all === null
        ? list.readingSome(count(indexed))
        : list.reading(count(indexed), count(all))
      : indexed === 0
        ? list.listing
        : list.listingSoFar(count(indexed));
  return (
    <span class="progress">
      <progress aria-label={text} {...(all === null || all === 0 ? {} : { value: indexed, max: all })} />
      {text}
    </span>
  );
}
