// Changes of the filters, as changes of the address.

import type { Filters } from '../route.ts';
import { navigate } from '../router.ts';

export function change(filters: Filters, changes: Changes, how: 'push' | 'replace' = 'push'): void {
  const merged = Object.entries({ ...filters, ...changes }).filter(([, value]) => value !== undefined);
  navigate({ at: 'list', filters: Object.fromEntries(merged) }, how);
}

type Changes = { readonly [K in keyof Filters]?: Filters[K] | undefined };

/** Whether anything but the order is chosen. */
export function isFiltered({ sort: _, descending: __, ...rest }: Filters): boolean {
  return Object.keys(rest).length > 0;
}

export function withoutFilters({ sort, descending }: Filters): Filters {
  return { ...(sort === undefined ? {} : { sort }), ...(descending === undefined ? {} : { descending }) };
}
