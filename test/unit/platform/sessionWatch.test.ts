import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AbsenceReason } from '../../../main/platform/sessionWatch.ts';
import { AbsenceSet, absenceReasons } from '../../../main/platform/sessionWatch.ts';

function keepingSet(): { set: AbsenceSet; told: (readonly AbsenceReason[])[] } {
  const told: (readonly AbsenceReason[])[] = [];
  return { set: new AbsenceSet((absences) => told.push(absences)), told };
}

describe('the set of absences', () => {
  it('tells the whole set on every change, in one order', () => {
    const { set, told } = keepingSet();
    set.update({ asleep: true });
    set.update({ locked: true });
    set.update({ asleep: false });
    set.update({ locked: false });
    expect(told).toEqual([['asleep'], ['locked', 'asleep'], ['locked'], []]);
  });

  it('says nothing where nothing changes', () => {
    const { set, told } = keepingSet();
    set.update({ locked: false });
    set.update({});
    set.update({ locked: false, asleep: false });
    set.update({ locked: true });
    set.update({ locked: true });
    set.update({ locked: true });
    expect(told).toEqual([['locked']]);
  });

  it('tells what comes together as one change, and swaps as a change', () => {
    const { set, told } = keepingSet();
    set.update({ locked: true, asleep: true });
    set.update({ locked: false, 'switched-away': true });
    expect(told).toEqual([
      ['locked', 'asleep'],
      ['switched-away', 'asleep'],
    ]);
  });

  it('is right after any sequence, without repeats', () => {
    const change = fc.record(Object.fromEntries(absenceReasons.map((reason) => [reason, fc.boolean()])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const { set, told } = keepingSet();
        const expected: Partial<Record<AbsenceReason, boolean>> = {};
        for (const each of changes) {
          set.update(each);
          Object.assign(expected, each);
          expect(told.at(-1) ?? []).toEqual(absenceReasons.filter((reason) => expected[reason]));
        }
        told.forEach((each, n) => expect(each).not.toEqual(told[n - 1] ?? []));
      }),
    );
  });
});
