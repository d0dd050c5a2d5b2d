// Which pauses the session gets from what the platform and the displays report, and what the log says about it.
import { describe, expect, it } from 'vitest';
import { Pauses } from '../../../main/session/pauses.ts';
import type { SessionEvent } from '../../../main/session/state.ts';
import { keepingLogger } from '../support/logs.ts';

function pausesOf(policy: { pauseOnLock: boolean }) {
  const events: SessionEvent[] = [];
  const { log, lines } = keepingLogger();
  const clock = { now: () => 5000, fromWall: (wall: number) => wall, steps: 0 };
  const pauses = new Pauses({ policy, dispatch: (event) => events.push(event), clock, log });
  return { pauses, events, lines };
}

describe('absences', () => {
  it('pause capture until they are over, and the log says when the agent is back', () => {
    const { pauses, events, lines } = pausesOf({ pauseOnLock: true });
    pauses.absencesChanged(['locked', 'asleep']);
    pauses.absencesChanged([]);
    expect(events).toEqual([
      { type: 'pauses', pauses: ['locked', 'asleep'], at: 5000 },
      { type: 'pauses', pauses: [], at: 5000 },
    ]);
    expect(lines.map(({ message }) => message)).toEqual([
      'the agent is away from the screen',
      'the agent is back at the screen',
    ]);
  });

  it('count only where policy says so, from the moment at which it does', () => {
    const policy = { pauseOnLock: false };
    const { pauses, events } = pausesOf(policy);
    pauses.absencesChanged(['locked']);
    policy.pauseOnLock = true;
    pauses.policyChanged(new Set(['pauseOnLock']));
    expect(events).toMatchObject([{ pauses: [] }, { pauses: ['locked'] }]);
  });
});

describe('displays', () => {
  it('pause capture while there is none; only a change from one layout to another ends the runs', () => {
    const { pauses, events } = pausesOf({ pauseOnLock: true });
    pauses.displaysChanged({ at: 1, available: true });
    pauses.displaysChanged({ at: 2, available: false });
    pauses.displaysChanged({ at: 3, available: true });
    expect(events).toEqual([
      { type: 'displays.changed', at: 1 },
      { type: 'pauses', pauses: [], at: 1 },
      { type: 'pauses', pauses: ['display-unavailable'], at: 2 },
      { type: 'pauses', pauses: [], at: 3 },
    ]);
  });
});
