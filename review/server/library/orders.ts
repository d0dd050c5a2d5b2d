// The recordings in the order of each column that somebody has sorted by. An order is sorted once; what the index adds later is
// merged into it, so that a page costs the same while the index is still being read.

import type { SortKey } from '../../contract.ts';
import type { Entry } from './entry.ts';

type Compare = (one: Entry, other: Entry) => number;

interface Order {
  sorted: readonly Entry[];
  /** How much of `added` is in it. */
  seen: number;
  removals: number;
}

export class Orders {
  private readonly orders = new Map<SortKey, Order>();
  private added: Entry[] = [];
  private removals = 0;

  /** @param isCurrent whether the entry is in the index, and not an earlier one of that name */
  constructor(
    private readonly current: () => Iterable<Entry>,
    private readonly isCurrent: (entry: Entry) => boolean,
  ) {}

  add(entry: Entry): void {
    this.added.push(entry);
  }

  /** An entry is no longer current. */
  remove(): void {
    this.removals += 1;
  }

  /** Forgets what has been added: it is in every order. */
  settle(): void {
    for (const key of this.orders.keys()) this.ascending(key);
    this.added = [];
    for (const order of this.orders.values()) order.seen = 0;
  }

  ascending(key: SortKey): readonly Entry[] {
    const order = this.orders.get(key);
    if (order === undefined) {
      const sorted = [...this.current()];
      sorted.sort(comparing(key, sorted));
      this.orders.set(key, { sorted, seen: this.added.length, removals: this.removals });
      return sorted;
    }
    if (order.removals !== this.removals) {
      order.sorted = order.sorted.filter(this.isCurrent);
      order.removals = this.removals;
    }
    if (order.seen < this.added.length) {
      const fresh = this.added.slice(order.seen).filter(this.isCurrent);
      const compare = comparing(key, [...order.sorted, ...fresh]);
      order.sorted = merged(order.sorted, fresh.sort(compare), compare);
      order.seen = this.added.length;
    }
    return order.sorted;
  }
}

function comparing(key: SortKey, all: readonly Entry[]): Compare {
  const byTime: Compare = (one, other) =>
    one.startMs - other.startMs || (one.row.id < other.row.id ? -1 : one.row.id > other.row.id ? 1 : 0);
  switch (key) {
    case 'startTime':
      return byTime;
    case 'durationMs':
    case 'suspensions':
      return (one, other) => one.row[key] - other.row[key] || byTime(one, other);
    case 'agent':
    case 'queue': {
      const ranks = ranksOf(new Set(all.map(({ row }) => row[key] ?? '')));
      const rank = ({ row }: Entry): number => ranks.get(row[key] ?? '') ?? 0;
      return (one, other) => rank(one) - rank(other) || byTime(one, other);
    }
  }
}

/** As a reader expects names to be sorted; comparing each pair so would take seconds. */
function ranksOf(names: ReadonlySet<string>): Map<string, number> {
  const { compare } = new Intl.Collator('en', { numeric: true });
  return new Map([...names].sort(compare).map((name, rank) => [name, rank]));
}

function merged(one: readonly Entry[], other: readonly Entry[], compare: Compare): Entry[] {
  const all: Entry[] = [];
  let at = 0;
  for (const entry of other) {
    for (let next = one[at]; next !== undefined && compare(next, entry) <= 0; next = one[at]) {
      all.push(next);
      at += 1;
    }
    all.push(entry);
  }
  for (; at < one.length; at += 1) all.push(one[at] as Entry);
  return all;
}
