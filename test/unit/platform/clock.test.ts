import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../main/platform/clock.ts';

/** Two clocks that a test can set: that of the wall, and one that only goes on. */
function clocks(): { clock: SystemClock; pass: (ms: number) => void; setWall: (ms: number) => void } {
  let wall = 1_800_000_000_000;
  let monotonic = 5000.5;
  return {
    clock: new SystemClock({ wall: () => wall, monotonic: () => monotonic }),
    pass(ms) {
      wall += ms;
      monotonic += ms;
    },
    setWall(ms) {
      wall = ms;
    },
  };
}

describe('the one clock', () => {
  it('begins with the time of the wall', () => {
    expect(clocks().clock.now()).toBe(1_800_000_000_000);
  });

  it('goes on with the time that passes', () => {
    const { clock, pass } = clocks();
    pass(1234);
    expect(clock.now()).toBe(1_800_000_001_234);
  });

  it('does not jump when the wall’s is set', () => {
    const { clock, pass, setWall } = clocks();
    pass(1000);
    setWall(0);
    expect(clock.now()).toBe(1_800_000_001_000);
    pass(500);
    expect(clock.now()).toBe(1_800_000_001_500);
  });

  it('tells moments in whole milliseconds', () => {
    const { clock, pass } = clocks();
    pass(0.3);
    expect(Number.isInteger(clock.now())).toBe(true);
    expect(Number.isInteger(clock.fromWall(1_800_000_000_000.123))).toBe(true);
  });

  it('takes the wall’s time over when it is told to', () => {
    const { clock, pass, setWall } = clocks();
    setWall(1_700_000_000_000);
    clock.reanchor();
    expect(clock.now()).toBe(1_700_000_000_000);
    pass(10);
    expect(clock.now()).toBe(1_700_000_000_010);
  });

  it('never steps back, whatever the wall’s does', () => {
    const steps = fc.array(
      fc.record({ passes: fc.double({ min: 0, max: 5000, noNaN: true }), wall: fc.option(fc.nat()) }),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const { clock, pass, setWall } = clocks();
        let last = clock.now();
        for (const { passes, wall } of all) {
          if (wall !== null) setWall(wall);
          pass(passes);
          expect(clock.now()).toBeGreaterThanOrEqual(last);
          last = clock.now();
        }
      }),
    );
  });

  it('is the machine’s own when it is given no other', () => {
    const before = Date.now();
    const told = new SystemClock().now();
    expect(told).toBeGreaterThanOrEqual(before - 1);
    expect(told).toBeLessThanOrEqual(Date.now() + 1);
  });
});

describe('a moment told by the wall', () => {
  it('is the same moment here while both agree', () => {
    const { clock, pass } = clocks();
    pass(60_000);
    expect(clock.fromWall(1_800_000_059_000)).toBe(1_800_000_059_000);
  });

  it('is as long ago here as it is there, however the wall’s was set', () => {
    const { clock, pass, setWall } = clocks();
    pass(60_000);
    setWall(1_900_000_000_000);
    expect(clock.fromWall(1_900_000_000_000 - 250)).toBe(clock.now() - 250);
  });
});
