// The virtual list: a grid of which only visible rows exist. One focus for all of it; the keyboard moves the active row.

import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import type { SortKey } from '../../../contract.ts';
import type { Filters } from '../route.ts';
import { list } from '../strings/list.ts';
import { change } from './filters.ts';
import { RowAt, rowElementId } from './row.tsx';
import { queryNumber, revision, rowAt, total, want } from './rows.ts';
import { active, detailsOpen, open, scrolledTo } from './selection.ts';

/** In root em, as in list.css. */
const ROW_REM = 3.25;
const HEADER_REM = 2;
export const gridId = 'recordings';

interface Column {
  readonly name: string;
  readonly text: string;
  readonly sort?: SortKey;
}

const columns: readonly Column[] = [
  { name: 'picture', text: list.columns.picture },
  { name: 'start', text: list.columns.startTime, sort: 'startTime' },
  { name: 'contact', text: list.columns.contact },
  { name: 'agent', text: list.columns.agent, sort: 'agent' },
  { name: 'queue', text: list.columns.queue, sort: 'queue' },
  { name: 'channel', text: list.columns.channel },
  { name: 'length', text: list.columns.durationMs, sort: 'durationMs' },
  { name: 'suspensions', text: list.columns.suspensions, sort: 'suspensions' },
  { name: 'problems', text: list.columns.problems },
  { name: 'actions', text: list.columns.actions },
];
const unseen = new Set(['picture', 'actions']);

export function Table({ filters }: { readonly filters: Filters }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const rows = total.value ?? 0;
  const query = queryNumber.value;
  const rootPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const rowPx = ROW_REM * rootPx;
  // As long as the list; what is in it is fetched by row.
  const data = useMemo(() => ({ length: rows }), [rows, query]);
  const position = Math.min(active.value, Math.max(0, rows - 1));

  const fetchVisible = (): void => {
    const top = scroller.current?.scrollTop ?? 0;
    const height = scroller.current?.clientHeight ?? 0;
    const first = Math.max(0, Math.floor(top / rowPx) - 10);
    want(first, Math.ceil((top + height) / rowPx) + 10);
  };
  useEffect(fetchVisible, [revision.value, rows, query]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    if (scrolledTo.queryNumber === query) {
      element.scrollTop = scrolledTo.offset;
    } else {
      element.scrollTop = 0;
      active.value = 0;
      scrolledTo.offset = 0;
      scrolledTo.queryNumber = query;
    }
  }, [query]);

  // The keyboard works at once, unless somebody is typing.
  useEffect(() => {
    if (document.activeElement === document.body) scroller.current?.focus({ preventScroll: true });
  }, []);

  const moveTo = (next: number): void => {
    const bounded = Math.max(0, Math.min(rows - 1, next));
    active.value = bounded;
    const element = scroller.current;
    if (element === null) return;
    // virtua's "nearest" does not know of the header that covers the first row.
    const top = bounded * rowPx;
    const space = element.clientHeight - HEADER_REM * rootPx;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowPx > element.scrollTop + space) element.scrollTop = top + rowPx - space;
  };
  const perScreen = (): number =>
    Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 0) - HEADER_REM * rootPx) / rowPx) - 1);
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target !== event.currentTarget) return;
    const moves: Record<string, () => void> = {
      ArrowDown: () => moveTo(position + 1),
      ArrowUp: () => moveTo(position - 1),
      j: () => moveTo(position + 1),
      k: () => moveTo(position - 1),
      PageDown: () => moveTo(position + perScreen()),
      PageUp: () => moveTo(position - perScreen()),
      Home: () => moveTo(0),
      End: () => moveTo(rows - 1),
      Enter: () => {
        const row = rowAt(position);
        if (row !== null) open(row);
      },
      ' ': () => (detailsOpen.value = !detailsOpen.value),
    };
    const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };

  return (
    <div
      ref={scroller}
      id={gridId}
      class="table"
      role="grid"
      tabIndex={0}
      aria-label={list.label}
      aria-rowcount={rows + 1}
      aria-colcount={columns.length}
      {...(rows === 0 ? {} : { 'aria-activedescendant': rowElementId(position) })}
      onKeyDown={press}
      onScroll={(event) => {
        scrolledTo.offset = event.currentTarget.scrollTop;
        fetchVisible();
      }}
    >
      <div role="rowgroup" class="head">
        <div role="row" class="row" aria-rowindex={1}>
          {columns.map((column) => (
            <Heading key={column.name} column={column} filters={filters} />
          ))}
        </div>
      </div>
      <div role="rowgroup" class="body">
        <Virtualizer
          ref={virtual}
          data={data}
          itemSize={rowPx}
          bufferSize={rowPx * 4}
          startMargin={HEADER_REM * rootPx}
          scrollRef={scroller}
          keepMounted={rows === 0 ? [] : [position]}
        >
          {(_: null, one: number) => <RowAt key={one} position={one} />}
        </Virtualizer>
      </div>
    </div>
  );
}

function Heading({ column, filters }: { readonly column: Column; readonly filters: Filters }): JSX.Element {
  const { name, text, sort } = column;
  if (sort === undefined) {
    return (
      <span role="columnheader" class={name}>
        <span class={unseen.has(name) ? 'read-only' : ''}>{text}</span>
      </span>
    );
  }
  const sorted = (filters.sort ?? 'startTime') === sort;
  const descending = filters.descending ?? sort === 'startTime';
  const order = descending ? 'descending' : 'ascending';
  return (
    <span role="columnheader" class={name} aria-sort={sorted ? order : 'none'}>
      <button
        type="button"
        onClick={() => {
          // Newest and longest first are what one looks for; names from A.
          const usual = sort !== 'agent' && sort !== 'queue';
          change(filters, { sort, descending: sorted ? !descending : usual });
        }}
      >
        {text}
        <span class="arrow" aria-hidden="true">
          {sorted ? (descending ? '↓' : '↑') : ''}
        </span>
      </button>
    </span>
  );
}
