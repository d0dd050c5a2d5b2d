// The rows of the list as the server hands them over, in pages: which are here, which are being fetched. One query at a time.
// What is shown stays until the answer to a new query is here, so that nothing flickers.

import { batch, signal, type Signal } from '@preact/signals';
import { MAX_ROWS, type IndexState, type RecordingPage, type RecordingRow } from '../../../contract.ts';
import { api, isAbort, toFailure, type ApiFailure } from '../api.ts';
import { toQuery, type Filters } from '../route.ts';

const POLL_MS = 1000;
const SOON_MS = 200;

interface Page {
  readonly rows: Signal<readonly RecordingRow[] | null>;
  /** Rows of an older state of the index are shown until newer ones are here. */
  stale: boolean;
  request: AbortController | null;
}

/** null before the first answer. */
export const total = signal<number | null>(null);
export const index = signal<IndexState | null>(null);
/** A new query was sent and not yet answered. */
export const pending = signal(false);
export const failure = signal<ApiFailure | null>(null);
/** Changes with each query, so that the list begins at the top again. */
export const queryNumber = signal(0);
/** Changes with each answer: what is visible may have to be fetched anew. */
export const revision = signal(0);

let filters: Filters | null = null;
let pages = new Map<number, Page>();
let asking: AbortController | null = null;
let poll: ReturnType<typeof setTimeout> | undefined;

/** Shows what the filters find. The same filters again change nothing. */
export function show(next: Filters): void {
  if (filters !== null && JSON.stringify(filters) === JSON.stringify(next) && failure.value === null) return;
  filters = next;
  void ask(true);
}

/** Asks again, for what is shown now. */
export function reload(): void {
  if (filters !== null) void ask(false);
}

/** Lists the library again on the server. */
export async function refresh(): Promise<void> {
  try {
    index.value = await api.refresh();
    // The answer may be from just before the listing began.
    schedulePoll(SOON_MS);
  } catch (error) {
    if (!isAbort(error)) failure.value = toFailure(error);
  }
}

/** The row, or null while it is being fetched. Read it in a component: it is drawn again when the row is here. */
export function rowAt(position: number): RecordingRow | null {
  // Another query has other pages.
  if (queryNumber.value === 0) return null;
  return pageAt(Math.floor(position / MAX_ROWS)).rows.value?.[position % MAX_ROWS] ?? null;
}

/** Fetches the pages of these rows, and gives up on others. */
export function want(first: number, last: number): void {
  if (asking !== null) return; // its answer decides what there is
  const end = Math.min(last, (total.value ?? 1) - 1);
  const wanted = new Set<number>();
  for (let page = Math.floor(first / MAX_ROWS); page <= Math.floor(end / MAX_ROWS); page += 1)
    wanted.add(page);
  for (const [number, page] of pages) if (!wanted.has(number)) page.request?.abort();
  for (const number of wanted) {
    const page = pageAt(number);
    if (page.request === null && (page.rows.peek() === null || page.stale)) void fetchPage(number, page);
  }
}

async function ask(fresh: boolean): Promise<void> {
  asking?.abort();
  for (const page of pages.values()) page.request?.abort();
  const request = new AbortController();
  asking = request;
  pending.value = fresh;
  try {
    const answer = await api.recordings(
      { ...toQuery(filters ?? {}), offset: 0, limit: MAX_ROWS },
      request.signal,
    );
    asking = null;
    batch(() => {
      if (fresh) pages = new Map();
      else for (const page of pages.values()) page.stale = true;
      accept(0, pageAt(0), answer);
      pending.value = false;
      failure.value = null;
      if (fresh) queryNumber.value += 1;
    });
  } catch (error) {
    if (isAbort(error)) return;
    asking = null;
    batch(() => {
      pending.value = false;
      failure.value = toFailure(error);
    });
  }
}

async function fetchPage(number: number, page: Page): Promise<void> {
  const request = new AbortController();
  page.request = request;
  try {
    const query = { ...toQuery(filters ?? {}), offset: number * MAX_ROWS, limit: MAX_ROWS };
    const answer = await api.recordings(query, request.signal);
    if (pages.get(number) === page) batch(() => accept(number, page, answer));
  } catch (error) {
    if (!isAbort(error)) failure.value = toFailure(error);
  } finally {
    if (page.request === request) page.request = null;
  }
}

function accept(number: number, page: Page, answer: RecordingPage): void {
  const known = total.peek();
  if (known !== null && known !== answer.total) {
    for (const [other, one] of pages) if (other !== number) one.stale = true;
  }
  page.rows.value = answer.rows;
  page.stale = false;
  total.value = answer.total;
  index.value = answer.index;
  revision.value += 1;
  schedulePoll();
}

/** While the index grows, its state is asked for; rows only when something has changed. */
function schedulePoll(afterMs?: number): void {
  clearTimeout(poll);
  const state = index.peek()?.state;
  if (afterMs === undefined && state !== 'listing' && state !== 'reading') return;
  poll = setTimeout(() => {
    api.recordings({ ...toQuery(filters ?? {}), limit: 1 }).then(
      ({ index: now, total: found }) => {
        const before = index.peek();
        index.value = now;
        const changed = now.indexed !== before?.indexed || found !== total.peek();
        if ((changed || now.updatedAt !== before.updatedAt) && asking === null) reload();
        else schedulePoll();
      },
      () => schedulePoll(),
    );
  }, afterMs ?? POLL_MS);
}

function pageAt(number: number): Page {
  let page = pages.get(number);
  if (page === undefined) {
    page = { rows: signal<readonly RecordingRow[] | null>(null), stale: false, request: null };
    pages.set(number, page);
  }
  return page;
}
