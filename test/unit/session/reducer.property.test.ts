// Random lives of a session, checked after each step. The invariants are in test/unit/support/sessionModel.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../main/session/state.ts';
import type { Action } from '../support/sessionModel.ts';
import { SessionModel } from '../support/sessionModel.ts';

const after = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 400 }),
  fc.integer({ min: 400, max: 20_000 }),
);
const small = fc.nat({ max: 4 });

const command = fc.record({
  type: fc.constantFrom(...(['start', 'start', 'start', 'suspend', 'resume', 'resume', 'stop'] as const)),
  contact: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 4),
  after,
});
const live = fc.record({
  type: fc.constant('live' as const),
  pick: small,
  lag: fc.constantFrom(0, 0.25, 1),
  after,
});
const ended = fc.record({
  type: fc.constant('ended' as const),
  pick: small,
  fault: fc.constantFrom(...(['crashed', 'crashed', 'displayAway', 'noEncoder'] as const)),
  after,
});
const choice = fc.record({ type: fc.constantFrom('flushed' as const, 'timer' as const), pick: small, after });
const page = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    page: fc.nat({ max: 2 }),
    agent: fc.constantFrom(0, 0, 0, 1),
    after,
  }),
  fc.record({ type: fc.constant('leave' as const), page: fc.nat({ max: 2 }), after }),
);
const pauses = fc.record({
  type: fc.constant('pauses' as const),
  pauses: fc.constantFrom(...([[], [], ['locked'], ['display-unavailable'], ['locked', 'asleep']] as const)),
  after,
});
const agent = fc.record({
  type: fc.constant('agent' as const),
  wish: fc.constantFrom('suspend' as const, 'resume' as const),
  after,
});
const displays = fc.record({ type: fc.constant('displays' as const), after });
const restart = fc.record({ type: fc.constant('restart' as const), after });
const shutdown = fc.record({ type: fc.constant('shutdown' as const), after });

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 14, arbitrary: command },
  { weight: 8, arbitrary: live },
  { weight: 8, arbitrary: ended },
  { weight: 4, arbitrary: choice },
  { weight: 2, arbitrary: page },
  { weight: 2, arbitrary: pauses },
  { weight: 2, arbitrary: agent },
  { weight: 1, arbitrary: displays },
  { weight: 1, arbitrary: restart },
);
const life = fc
  .tuple(
    fc.array(action, { minLength: 1, maxLength: 60, size: 'max' }),
    fc.option(fc.tuple(shutdown, fc.array(action, { maxLength: 5 })), { freq: 2 }),
  )
  .map(([before, end]) => [...before, ...(end === null ? [] : [end[0], ...end[1]])]);

/** Each effect that a life can have; every one must have been seen often for the test to mean something. */
const effects: readonly Effect['type'][] = [
  ...(['journal', 'run.start', 'run.abort', 'run.stop', 'run.flush', 'reply', 'refuse', 'announce'] as const),
  ...(['publish', 'timer.set', 'timer.clear', 'push.resumed'] as const),
];

describe('any life of a session', () => {
  it('keeps every invariant at each step, and leaves nothing over when it has settled', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(
        life,
        fc.constantFrom(0, 30),
        fc.boolean(),
        (actions, suspendMaxSeconds, resumeAfterRestart) => {
          const model = new SessionModel({ suspendMaxSeconds, resumeAfterRestart });
          model.act({ type: 'hello', page: 0, agent: 0, after: 0 });
          for (const one of actions) model.act(one);
          model.settle();
          for (const [type, count] of model.seen) seen.set(type, (seen.get(type) ?? 0) + count);
        },
      ),
      { numRuns: 2000 },
    );
    for (const type of effects) expect(seen.get(type), type).toBeGreaterThan(20);
  });
});
