import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../main/platform/clock.ts';

/** Two clocks that a test can set: that of the wall, and one that only goes on. */
function clocks(): {
  clock: SystemClock;
  pass: (ms: number) => void;
  setWall: (ms: number) => void;
  sleep: (ms: number) => void;
} {
  let wall = 1_800_000_000_000;
  let monotonic = 5000.5;
  let up = 900_000;
  return {
    clock: new SystemClock({ wall: () => wall, monotonic: () => monotonic, uptime: () => up }),
    pass(ms) {
      wall += ms;
      monotonic += ms;
      up += ms;
    },
    sleep(ms) {
      wall += ms;
      up += ms;
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

  it('goes on from a moment of an earlier process, from which the wall’s was set back', () => {
    const { clock, pass } = clocks();
    clock.continueFrom(1_800_000_003_000);
    expect(clock.now()).toBe(1_800_000_003_000);
    pass(500);
    expect([clock.now(), clock.steps]).toEqual([1_800_000_003_500, 0]);
    expect(clock.fromWall(1_800_000_000_400)).toBe(1_800_000_003_400);
    clock.continueFrom(1_800_000_000_000);
    expect(clock.now()).toBe(1_800_000_003_500);
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

describe('what is a step of the wall’s clock and what is not', () => {
  it('a clock that is corrected slowly is followed: after hours it is still the wall’s time', () => {
    const { clock, pass, setWall } = clocks();
    // 50 ms an hour fast, told every 200 ms as frames do, for eight hours.
    let wall = 1_800_000_000_000;
    for (let frames = 0; frames < 8 * 3600 * 5; frames += 1) {
      wall += 200 + 50 / (3600 * 5);
      pass(200);
      setWall(wall);
      clock.now();
    }
    expect(clock.now()).toBe(Math.round(wall));
    expect(clock.steps).toBe(0);
  });

  it('the same after hours in which nobody asked', () => {
    const { clock, pass, setWall } = clocks();
    pass(3_600_000);
    setWall(1_800_000_000_000 + 3_600_000 + 70);
    expect(clock.now()).toBe(1_800_003_600_070);
    expect(clock.steps).toBe(0);
  });

  it('each step is counted once', () => {
    const { clock, pass, setWall } = clocks();
    pass(1000);
    expect(clock.steps).toBe(0);
    setWall(1_800_000_000_000);
    expect(clock.steps).toBe(1);
    pass(1000);
    clock.now();
    expect(clock.steps).toBe(1);
    setWall(1_900_000_000_000);
    expect([clock.now(), clock.steps]).toEqual([1_800_000_002_000, 2]);
  });

  it('the time in which the computer slept has passed', () => {
    const { clock, pass, sleep } = clocks();
    pass(1000);
    sleep(600_000);
    expect(clock.now()).toBe(1_800_000_601_000);
    expect(clock.steps).toBe(0);
  });

  it('a clock that was set while the computer slept has stepped, and the sleep has passed all the same', () => {
    const { clock, pass, sleep, setWall } = clocks();
    pass(1000);
    sleep(600_000);
    setWall(1_700_000_000_000);
    expect([clock.now(), clock.steps]).toEqual([1_800_000_601_000, 1]);
  });

  it('a process that is preempted between its two readings sees no step', () => {
    let now = 0;
    let preempted = false;
    const clock = new SystemClock({
      monotonic: () => now,
      wall() {
        // Once, half a second goes by between the reading of one clock and that of the other.
        if (preempted) now += 500;
        preempted = false;
        return 1_800_000_000_000 + now;
      },
      uptime: () => now,
    });
    now = 1000;
    preempted = true;
    clock.now();
    now = 3000;
    expect([clock.now(), clock.steps]).toEqual([1_800_000_003_000, 0]);
  });
});
