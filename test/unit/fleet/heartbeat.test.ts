// When a heartbeat is sent; the test has the time. Sending itself is in test/integration/deskEvents.test.ts.
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../main/platform/log.ts';
import { Heartbeat, type HeartbeatFacts } from '../../../main/fleet/heartbeat.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function bench({ random = 0.5, heartbeat = 'events' } = {}) {
  let now = 1_000_000;
  let timer: { callback: () => void; at: number } | null = null;
  let gathering: Promise<unknown> = Promise.resolve();
  const policy = { heartbeat };
  const info: Record<string, unknown> = {
    ...{ state: 'idle', policyHash: 'a', uploads: { failed: 0, waiting: 0, waitingBytes: 0 } },
  };
  const sent: number[] = [];
  const heartbeat_ = new Heartbeat({
    policy,
    gather: () => {
      const facts = Promise.resolve({ info: { ...info }, agentArn: 'agent' } as unknown as HeartbeatFacts);
      gathering = facts;
      return facts;
    },
    log: silentLogger,
    send: () => sent.push(now),
    uptimeMs: () => now,
    random: () => random,
    setTimer: (callback, delayMs) => {
      const set = { callback, at: now + delayMs };
      timer = set;
      return () => {
        if (timer === set) timer = null;
      };
    },
  });
  const settled = async (): Promise<void> => {
    await gathering;
    await Promise.resolve();
    await Promise.resolve();
  };
  return {
    ...{ policy, info, sent, heartbeat: heartbeat_ },
    /** The time passes, with a look every minute, as the fleet does. */
    pass: async (ms: number) => {
      for (const end = now + ms; now < end;) {
        const next = Math.min(end, Math.floor(now / MINUTE) * MINUTE + MINUTE, timer?.at ?? Infinity);
        now = Math.max(now, next);
        if (timer !== null && timer.at <= now) {
          const { callback } = timer;
          timer = null;
          callback();
        } else if (now % MINUTE === 0) await heartbeat_.look();
        await settled();
      }
    },
    /** Nothing runs meanwhile. */
    sleep: (ms: number) => void (now += ms),
  };
}

describe('a heartbeat', () => {
  it('comes within 10 s of the start, then once an hour', async () => {
    const { sent, pass } = bench();
    await pass(10_000);
    expect(sent).toHaveLength(1);
    await pass(24 * HOUR);
    expect(sent.length).toBeGreaterThanOrEqual(24);
    expect(sent.length).toBeLessThanOrEqual(26);
  });

  it('comes at other times from desk to desk', async () => {
    const [one, other] = [bench({ random: 0.1 }), bench({ random: 0.9 })];
    for (const { pass } of [one, other]) await pass(3 * HOUR);
    expect(Math.abs((one.sent[0] ?? 0) - (other.sent[0] ?? 0))).toBeGreaterThan(5000);
    expect(Math.abs((one.sent[1] ?? 0) - (other.sent[1] ?? 0))).toBeGreaterThan(5 * MINUTE);
  });

  it('of a laptop that slept for a weekend is one', async () => {
    const { sent, pass, sleep } = bench();
    await pass(MINUTE);
    sleep(60 * HOUR);
    await pass(5 * MINUTE);
    expect(sent).toHaveLength(2);
  });

  it('comes at once on a change that matters, and not on what every contact changes', async () => {
    const { sent, info, heartbeat, pass } = bench();
    await pass(MINUTE);
    Object.assign(info, { state: 'recording', uploads: { failed: 0, waiting: 7, waitingBytes: 1e9 } });
    heartbeat.changed();
    await pass(2 * MINUTE);
    expect(sent).toHaveLength(1);
    Object.assign(info, { state: 'problem', reason: 'ENCODER_UNAVAILABLE' });
    heartbeat.changed();
    await pass(3000);
    expect(sent).toHaveLength(2);
  });

  it('of a state that flaps for an hour comes nine times or less, and the last one has the last state', async () => {
    const { sent, info, heartbeat, pass } = bench();
    await pass(MINUTE);
    for (let index = 0; index < 3000; index += 1) {
      Object.assign(info, { policyHash: `hash-${index}` });
      heartbeat.changed();
      await pass(1000);
    }
    expect(sent.length).toBeGreaterThan(3);
    expect(sent.length).toBeLessThanOrEqual(1 + 3 + 6);
    const before = sent.length;
    await pass(11 * MINUTE);
    expect(sent).toHaveLength(before + 1);
  });

  it('is not even looked for unless policy wants it, and comes within a minute when it does', async () => {
    const { sent, policy, heartbeat, pass } = bench({ heartbeat: 'off' });
    heartbeat.changed();
    await pass(3 * HOUR);
    expect(sent).toEqual([]);
    policy.heartbeat = 'url';
    await pass(MINUTE);
    expect(sent).toHaveLength(1);
  });

  it('does not come after stop', async () => {
    const { sent, heartbeat, pass } = bench();
    heartbeat.stop();
    await pass(2 * HOUR);
    expect(sent).toEqual([]);
  });
});
