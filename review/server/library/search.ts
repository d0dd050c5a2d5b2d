// Which recordings a query finds, and which of them somebody may see at all.

import {
  MAX_ROWS,
  type Facets,
  type RecordingPage,
  type RecordingQuery,
  type RecordingRow,
  type SortKey,
} from '../../contract.ts';
import { forSearch, type Entry } from './entry.ts';
import { videoOf } from './names.ts';
import type { Scope } from './ports.ts';

const MAX_WORDS = 20;
const MAX_FACETS = 200;

type Test = (entry: Entry) => boolean;

/** Without `sort` the newest are first. */
export function orderOf({ sort, descending }: RecordingQuery): { sort: SortKey; descending: boolean } {
  return { sort: sort ?? 'startTime', descending: descending ?? sort === undefined };
}

export function pageOf(
  ascending: readonly Entry[],
  query: RecordingQuery,
  scope: Scope,
): Omit<RecordingPage, 'index'> {
  const offset = Math.max(0, query.offset ?? 0);
  const limit = Math.min(MAX_ROWS, Math.max(0, query.limit ?? MAX_ROWS));
  const rows: RecordingRow[] = [];
  let total = 0;
  const { length } = ascending;
  const { descending } = orderOf(query);
  const isFound = matcherOf(query, scope);
  for (let index = 0; index < length; index += 1) {
    const entry = ascending[descending ? length - 1 - index : index] as Entry;
    if (!isFound(entry)) continue;
    if (total >= offset && rows.length < limit) rows.push(entry.row);
    total += 1;
  }
  return { rows, offset, total };
}

export function* rowsOf(
  ascending: readonly Entry[],
  query: RecordingQuery,
  scope: Scope,
): Generator<RecordingRow> {
  const isFound = matcherOf(query, scope);
  const { descending } = orderOf(query);
  const { length } = ascending;
  for (let index = 0; index < length; index += 1) {
    const entry = ascending[descending ? length - 1 - index : index] as Entry;
    if (isFound(entry)) yield entry.row;
  }
}

export function facetsOf(entries: Iterable<Entry>, scope: Scope): Facets {
  const agents = new Map<string, number>();
  const queues = new Map<string, number>();
  for (const entry of entries) {
    if (!inScope(entry.stem, scope)) continue;
    const { agent, queue } = entry.row;
    if (agent !== '') agents.set(agent, (agents.get(agent) ?? 0) + 1);
    if (queue !== null) queues.set(queue, (queues.get(queue) ?? 0) + 1);
  }
  return { agents: mostFrequent(agents), queues: mostFrequent(queues) };
}

export function inScope(stem: string, scope: Scope): boolean {
  for (const beginning of scope)
    if (beginning.length <= stem.length ? stem.startsWith(beginning) : videoOf(stem).startsWith(beginning))
      return true;
  return false;
}

function matcherOf(query: RecordingQuery, scope: Scope): Test {
  const tests = testsOf(query, scope);
  return (entry) => {
    for (const test of tests) if (!test(entry)) return false;
    return true;
  };
}

/**
 * Only those that the query needs. In the order of what they cost with a hundred thousand entries: first what is in the entry
 * itself, then what is in its row, then texts.
 */
function testsOf(query: RecordingQuery, scope: Scope): Test[] {
  const tests: Test[] = [];
  const { agent, queue, channel, from, to, minDurationMs, maxDurationMs, suspended, problem } = query;
  if (query.trials !== true) tests.push(({ isTrial }) => !isTrial);
  if (from !== undefined) {
    const fromMs = Date.parse(from);
    tests.push(({ startMs }) => startMs >= fromMs);
  }
  if (to !== undefined) {
    const toMs = Date.parse(to);
    tests.push(({ startMs }) => startMs < toMs);
  }
  if (agent !== undefined) tests.push(({ row }) => row.agent === agent);
  if (queue !== undefined) tests.push(({ row }) => row.queue === queue);
  if (channel !== undefined) tests.push(({ row }) => row.channel === channel);
  if (minDurationMs !== undefined) tests.push(({ row }) => row.durationMs >= minDurationMs);
  if (maxDurationMs !== undefined) tests.push(({ row }) => row.durationMs <= maxDurationMs);
  if (suspended !== undefined) tests.push(({ row }) => row.suspensions > 0 === suspended);
  if (problem === 'any') tests.push(({ row }) => row.problems.length > 0);
  else if (problem !== undefined) tests.push(({ row }) => row.problems.includes(problem));
  if (!scope.includes('')) tests.push(({ stem }) => inScope(stem, scope));
  const words = forSearch(query.text ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS);
  for (const word of words) tests.push(({ text }) => text.includes(word));
  return tests;
}

function mostFrequent(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([one, often], [other, oftener]) => oftener - often || (one < other ? -1 : 1))
    .slice(0, MAX_FACETS)
    .map(([name]) => name);
}
