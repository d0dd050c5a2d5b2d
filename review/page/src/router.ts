// The page's address as a signal, and how to change it. The filters of the list are kept, so that a recording leads back to them.

import { signal } from '@preact/signals';
import { parseRoute, routeHash, type Route } from './route.ts';

export const route = signal<Route>(parseRoute(location.hash));

/** Of the list as it was left. */
export const listHash = signal(route.value.at === 'list' ? routeHash(route.value) : '#/');

/** Once: the entry's parts call it. */
export function followAddress(): void {
  // pushState below fires neither; Back and links of the page fire both, which is harmless.
  addEventListener('popstate', readAddress);
  addEventListener('hashchange', readAddress);
}

/** @param how `replace`: the entry of the browser's history is changed, as while somebody types */
export function navigate(to: Route, how: 'push' | 'replace' = 'push'): void {
  const hash = routeHash(to);
  if (hash === location.hash) return;
  if (how === 'push') history.pushState(null, '', hash);
  else history.replaceState(null, '', hash);
  readAddress();
}

function readAddress(): void {
  const next = parseRoute(location.hash);
  if (routeHash(next) === routeHash(route.value)) return;
  route.value = next;
  if (next.at === 'list') listHash.value = routeHash(next);
}
