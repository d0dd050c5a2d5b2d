// Where the page is: the part of the address after #. The list's filters are in it, so that Back works and an address can be sent.

import { problems, sortKeys, type RecordingQuery } from '../../contract.ts';

export type Route =
  | { readonly at: 'list'; readonly filters: Filters }
  | { readonly at: 'recording'; readonly id: string; readonly atMs: number | null }
  | { readonly at: 'audit' };

/** What the list shows. Days are of the viewer's time zone, `YYYY-MM-DD`, both inclusive. */
export interface Filters extends Omit<RecordingQuery, 'offset' | 'limit' | 'from' | 'to'> {
  readonly fromDay?: string;
  readonly toDay?: string;
}

const channels = ['VOICE', 'CHAT', 'TASK'] as const;
const MAX_WORDS = 200;

/** @param hash with or without its #; anything that is not understood is left out */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const parameters = new URLSearchParams(query);
  const [, first, second] = path.split('/');
  if (first === 'audit') return { at: 'audit' };
  if (first === 'recordings' && second !== undefined && second !== '') {
    return { at: 'recording', id: decoded(second), atMs: wholeNumber(parameters.get('t')) ?? null };
  }
  return { at: 'list', filters: parseFilters(parameters) };
}

export function routeHash(route: Route): string {
  switch (route.at) {
    case 'audit':
      return '#/audit';
    case 'recording':
      return `#/recordings/${encodeURIComponent(route.id)}${route.atMs === null ? '' : `?t=${route.atMs}`}`;
    case 'list': {
      const entries = Object.entries(route.filters);
      const query = new URLSearchParams(
        entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
      ).toString();
      return query === '' ? '#/' : `#/?${query}`;
    }
  }
}

export function parseFilters(parameters: URLSearchParams): Filters {
  const found = {
    text: words(parameters.get('text')),
    agent: words(parameters.get('agent')),
    queue: words(parameters.get('queue')),
    channel: oneOf(channels, parameters.get('channel')),
    fromDay: day(parameters.get('fromDay')),
    toDay: day(parameters.get('toDay')),
    minDurationMs: wholeNumber(parameters.get('minDurationMs')),
    maxDurationMs: wholeNumber(parameters.get('maxDurationMs')),
    suspended: parameters.get('suspended') === 'true' ? true : undefined,
    problem: oneOf(['any', ...problems] as const, parameters.get('problem')),
    trials: parameters.get('trials') === 'true' ? true : undefined,
    sort: oneOf(sortKeys, parameters.get('sort')),
    descending: parameters.has('descending') ? parameters.get('descending') === 'true' : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** What the server is asked for; newest first unless the filters say otherwise. */
export function toQuery(filters: Filters): RecordingQuery {
  const { fromDay, toDay, ...rest } = filters;
  return {
    sort: 'startTime',
    descending: filters.sort === undefined || filters.sort === 'startTime',
    ...rest,
    ...(fromDay === undefined ? {} : { from: startOf(fromDay, 0) }),
    ...(toDay === undefined ? {} : { to: startOf(toDay, 1) }),
  };
}

/** Not a number of hours later: days of a change to summer time have 23. */
function startOf(text: string, daysLater: number): string {
  const [year = 0, month = 1, date = 1] = text.split('-').map(Number);
  return new Date(year, month - 1, date + daysLater).toISOString();
}

function words(text: string | null): string | undefined {
  return text === null || text.trim() === '' ? undefined : text.slice(0, MAX_WORDS);
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

function day(text: string | null): string | undefined {
  const valid = text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  return valid ? text : undefined;
}

function oneOf<T extends string>(values: readonly T[], text: string | null): T | undefined {
  return values.find((value) => value === text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not ours: the server does not know it either
  }
}
