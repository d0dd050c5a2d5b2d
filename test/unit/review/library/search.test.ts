// Queries over the index: each filter against a plain filter of the same rows, each order against a plain sort, also while rows are
// being added.
import { describe, expect, it } from 'vitest';
import type { RecordingQuery, RecordingRow } from '../../../../review/contract.ts';
import { entryOf, type Entry } from '../../../../review/server/library/entry.ts';
import { Orders } from '../../../../review/server/library/orders.ts';
import { rowOf } from '../../../../review/server/library/row.ts';
import { facetsOf, pageOf } from '../../../../review/server/library/search.ts';
import { madeRecording } from '../../../rig/reviewLibrary.ts';
import { EVERYTHING } from './support.ts';

function entry(index: number): Entry {
  const { key, manifest } = madeRecording(index);
  const stem = key.replace(/\.mp4$/, '');
  return entryOf(stem, 's', rowOf(stem, JSON.stringify(manifest), 0));
}
const entries = Array.from({ length: 400 }, (_, index) => entry(index));
const ascending = new Orders(
  () => entries,
  () => true,
).ascending('startTime');
const { startTime: middle } = entries[200]!.row;

const filters: readonly [RecordingQuery, (row: RecordingRow) => boolean][] = [
  [{ text: 'BILLING chat' }, ({ queue, channel }) => queue === 'Billing' && channel === 'CHAT'],
  [{ text: 'ru\u0308ckfragen' }, ({ queue }) => queue === 'Rückfragen'],
  [{ text: '  ' }, () => true],
  [{ agent: 'agent26' }, ({ agent }) => agent === 'agent26'],
  [{ queue: 'VIP' }, ({ queue }) => queue === 'VIP'],
  [{ channel: 'TASK' }, ({ channel }) => channel === 'TASK'],
  [{ from: middle }, ({ startTime }) => startTime >= middle],
  [{ to: middle }, ({ startTime }) => startTime < middle],
  [
    { minDurationMs: 900_000, maxDurationMs: 1_000_000 },
    (one) => one.durationMs >= 900_000 && one.durationMs <= 1_000_000,
  ],
  [{ suspended: true }, ({ suspensions }) => suspensions > 0],
  [{ suspended: false }, ({ suspensions }) => suspensions === 0],
  [{ problem: 'any' }, ({ problems }) => problems.length > 0],
  [{ problem: 'interrupted' }, ({ problems }) => problems.includes('interrupted')],
];

describe('a query', () => {
  it.each(filters)('%j finds what it says', (query, isWanted) => {
    const wanted = entries.map(({ row }) => row).filter(isWanted);
    expect(wanted.length).toBeGreaterThan(0);
    const { rows, total } = pageOf(ascending, { ...query, sort: 'startTime', limit: 200 }, EVERYTHING);
    expect(rows).toEqual(wanted.slice(0, 200));
    expect(total).toBe(wanted.length);
  });

  it('without a sort has the newest first, in pages of at most 200', () => {
    const { rows, total, offset } = pageOf(ascending, { offset: 10, limit: 100_000 }, EVERYTHING);
    expect(rows).toEqual(
      entries
        .slice(190, 390)
        .map(({ row }) => row)
        .reverse(),
    );
    expect({ total, offset }).toEqual({ total: 400, offset: 10 });
  });

  it('offers the most frequent agents and queues', () => {
    const { agents, queues } = facetsOf([...entries, entry(8), entry(16)], EVERYTHING);
    expect(queues[0]).toBe('Support');
    expect(queues).toHaveLength(8);
    expect(agents).toHaveLength(200);
  });
});

describe('an order', () => {
  it.each(['startTime', 'durationMs', 'agent', 'queue', 'suspensions'] as const)(
    'by %s stays right while entries come, change and go',
    (key) => {
      const current = new Map<string, Entry>();
      const orders = new Orders(
        () => current.values(),
        (one) => current.get(one.stem) === one,
      );
      const put = (one: Entry): void => {
        if (current.has(one.stem)) orders.remove();
        current.set(one.stem, one);
        orders.add(one);
      };
      const compare = new Intl.Collator('en', { numeric: true }).compare;
      const check = (): void => {
        const found = orders.ascending(key);
        expect(new Set(found)).toEqual(new Set(current.values()));
        expect(found).toHaveLength(current.size);
        for (const [index, { row }] of found.entries()) {
          const [one, other] = [found[Math.max(0, index - 1)]!.row[key] ?? '', row[key] ?? ''];
          expect(
            typeof one === 'number' ? one - Number(other) : compare(one, String(other)),
          ).toBeLessThanOrEqual(0);
        }
      };
      for (const one of entries.slice(0, 50)) put(one);
      check();
      for (const one of entries.slice(50, 120).reverse()) put(one);
      check();
      put(entryOf(entries[60]!.stem, 't', { ...entries[60]!.row, agent: 'aaa', queue: null, durationMs: 1 }));
      current.delete(entries[3]!.stem);
      orders.remove();
      check();
      orders.settle();
      put(entries[130]!);
      check();
    },
  );
});
