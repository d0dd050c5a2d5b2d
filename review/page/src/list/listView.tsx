// The list of recordings with its filters, and what is shown in its place while there is nothing to list.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { effect } from '@preact/signals';
import type { Session } from '../../../contract.ts';
import { loadPlayer } from '../lazyPlayer.tsx';
import { BarNotice, EmptyNotice } from '../parts/notice.tsx';
import type { Filters } from '../route.ts';
import { navigate } from '../router.ts';
import { isPlain, isTyping } from '../shell/keys.ts';
import { list } from '../strings/list.ts';
import { failureText, shell } from '../strings/shell.ts';
import { compactMoment } from '../words.ts';
import { Details } from './details.tsx';
import { FilterBar, searchId } from './filterBar.tsx';
import { isFiltered, withoutFilters } from './filters.ts';
import { failure, index, pending, refresh, reload, show, total } from './rows.ts';
import { detailsOpen } from './selection.ts';
import { StatusLine } from './statusLine.tsx';
import { gridId, Table } from './table.tsx';

interface ListViewProps {
  readonly session: Session;
  readonly filters: Filters;
}

// For measurements: when the first rows are on the screen.
const marking = effect(() => {
  if (total.value === null) return;
  requestAnimationFrame(() => requestAnimationFrame(firstRowsShown));
  queueMicrotask(() => marking());
});

function firstRowsShown(): void {
  performance.mark('rows-shown');
  void loadPlayer();
}

export function ListView({ session, filters }: ListViewProps): JSX.Element {
  useEffect(() => show(filters), [filters]);
  useEffect(() => {
    document.title = shell.title;
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  const wrong = failure.value;
  const state = index.value;
  return (
    <main class="list-view">
      <FilterBar filters={filters} />
      <StatusLine session={session} filters={filters} />
      {wrong !== null && total.value !== null && (
        <BarNotice heading={shell.failureHeading}>
          <p>{failureText(wrong)}</p>
          <button type="button" class="button" onClick={reload}>
            {shell.tryAgain}
          </button>
        </BarNotice>
      )}
      {state?.state === 'failed' && total.value !== 0 && (
        <BarNotice heading={list.failed}>
          <p>
            {state.problem === undefined ? list.failedFallback : failureText(state.problem)}{' '}
            {state.updatedAt !== null && list.staleSince(compactMoment(state.updatedAt))}
          </p>
          <button type="button" class="button" onClick={() => void refresh()}>
            {shell.tryAgain}
          </button>
        </BarNotice>
      )}
      <div class="list-and-details">
        {total.value === 0 || (total.value === null && wrong !== null) ? (
          <Nothing session={session} filters={filters} />
        ) : (
          <Table filters={filters} />
        )}
        <Details session={session} filters={filters} />
      </div>
    </main>
  );
}

function Nothing({ session, filters }: ListViewProps): JSX.Element {
  const wrong = failure.value;
  const state = index.value;
  if (wrong !== null) {
    return (
      <EmptyNotice heading={shell.failureHeading} tone="problem">
        <p>{failureText(wrong)}</p>
        <button type="button" class="button" onClick={reload}>
          {shell.tryAgain}
        </button>
      </EmptyNotice>
    );
  }
  if (state?.state === 'failed') {
    return (
      <EmptyNotice heading={list.failed} tone="problem">
        <p>{state.problem === undefined ? list.failedFallback : failureText(state.problem)}</p>
        <button type="button" class="button" onClick={() => void refresh()}>
          {shell.tryAgain}
        </button>
      </EmptyNotice>
    );
  }
  if (isFiltered(filters)) {
    return (
      <EmptyNotice heading={list.noMatch}>
        <p>{list.noMatchWhat}</p>
        <button
          type="button"
          class="button"
          onClick={() => navigate({ at: 'list', filters: withoutFilters(filters) })}
        >
          {list.clear}
        </button>
      </EmptyNotice>
    );
  }
  if (state?.state !== 'ready' || pending.value) return <EmptyNotice heading={list.listing} />;
  return (
    <EmptyNotice heading={list.empty}>
      <p>{list.emptyWhat(session.library)}</p>
      <button type="button" class="button" onClick={() => void refresh()}>
        {list.refresh}
      </button>
    </EmptyNotice>
  );
}

/** Shortcuts that work wherever the focus is. */
function press(event: KeyboardEvent): void {
  if (!isPlain(event) || document.querySelector('dialog[open]') !== null) return;
  if (event.key === '/' && !isTyping(event.target)) {
    event.preventDefault();
    const search = document.getElementById(searchId);
    if (search instanceof HTMLInputElement) {
      search.focus();
      search.select();
    }
  } else if (event.key === 'Escape') {
    if (isTyping(event.target)) document.getElementById(gridId)?.focus();
    else detailsOpen.value = false;
  } else if (
    event.key === 'ArrowDown' &&
    event.target instanceof HTMLElement &&
    event.target.id === searchId
  ) {
    event.preventDefault();
    document.getElementById(gridId)?.focus();
  }
}
