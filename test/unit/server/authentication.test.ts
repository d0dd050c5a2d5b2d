// How long answers about tokens are remembered and how often is asked, by a clock that the test sets.
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../main/platform/log.ts';
import { Authentication, AuthenticationError, Attempts } from '../../../main/server/authentication.ts';
import type { AuthOutcome } from '../../../main/server/authEndpoint.ts';

const MINUTE = 60_000;

class Desk {
  now = 0;
  asked = 0;
  outcome: AuthOutcome = { kind: 'accepted', expiresAt: null };
  private readonly authentication = new Authentication({
    host: 'auth.example',
    ask: () => {
      this.asked += 1;
      return Promise.resolve(this.outcome);
    },
    log: silentLogger,
    now: () => this.now,
    wallClock: () => 1_000_000 + this.now,
  });

  /** On a connection of its own unless told. @returns what the page is told; null: let in */
  async hello(token: string, attempts = new Attempts()): Promise<AuthenticationError | null> {
    const hello = { type: 'hello', protocol: 1, agentArn: 'arn:a', instanceArn: 'arn:i', token } as const;
    try {
      await this.authentication.authenticate(hello, 'https://acme.my.connect.aws', attempts);
      return null;
    } catch (error) {
      if (error instanceof AuthenticationError) return error;
      throw error;
    }
  }
}

describe('authentication', () => {
  it.each([
    ['5 minutes where nothing is said', null, 5 * MINUTE],
    ['as long as the token is good', 2 * MINUTE, 2 * MINUTE],
    ['15 minutes at most', 600 * MINUTE, 15 * MINUTE],
  ])('remembers a yes for %s', async (_, expiresInMs, forMs) => {
    const desk = new Desk();
    const expiresAt = expiresInMs === null ? null : new Date(1_000_000 + expiresInMs);
    desk.outcome = { kind: 'accepted', expiresAt };
    await desk.hello('t');
    desk.now = forMs - 1;
    await desk.hello('t');
    expect(desk.asked).toBe(1);
    desk.now = forMs;
    await desk.hello('t');
    expect(desk.asked).toBe(2);
  });

  it('remembers a no for a minute, and for that token only', async () => {
    const desk = new Desk();
    desk.outcome = { kind: 'refused', why: 'it said no' };
    expect((await desk.hello('t'))?.retryAfterSeconds).toBeNull();
    desk.outcome = { kind: 'accepted', expiresAt: null };
    expect(await desk.hello('other')).toBeNull();
    desk.now = MINUTE - 1;
    expect((await desk.hello('t'))?.retryAfterSeconds).toBeNull();
    desk.now = MINUTE;
    expect(await desk.hello('t')).toBeNull();
    expect(desk.asked).toBe(3);
  });

  it('waits 1, 2, 4 ... 30 s for an endpoint that is away, a fifth more at most, across reloads', async () => {
    const desk = new Desk();
    desk.outcome = { kind: 'unavailable', why: 'it answered 503' };
    for (const [index, seconds] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      const waits = (await desk.hello('t'))!.retryAfterSeconds!;
      expect(waits).toBeGreaterThanOrEqual(seconds);
      expect(waits).toBeLessThanOrEqual(Math.ceil(seconds * 1.2));
      // Not before its time, whoever asks; and at that time it is asked again.
      desk.now += seconds * 1000 - 1;
      await desk.hello('t');
      expect(desk.asked).toBe(index + 1);
      desk.now += waits * 1000;
    }
    desk.outcome = { kind: 'accepted', expiresAt: null };
    expect(await desk.hello('t')).toBeNull();
  });

  it('asks 30 times a minute at most, whatever tokens pages make up, and lets in whom it knows', async () => {
    const desk = new Desk();
    await desk.hello('good');
    desk.outcome = { kind: 'refused', why: 'it said no' };
    for (let count = 1; count <= 40; count++) await desk.hello(`made-up-${count}`);
    expect(desk.asked).toBe(30);
    expect((await desk.hello('one-more'))?.retryAfterSeconds).toBe(60);
    expect(await desk.hello('good')).toBeNull();
    desk.now = MINUTE + 1;
    expect((await desk.hello('one-more'))?.retryAfterSeconds).toBeNull();
    expect(desk.asked).toBe(31);
  });

  it('holds back a connection that attempts one token after the other', async () => {
    const desk = new Desk();
    desk.outcome = { kind: 'refused', why: 'it said no' };
    const attempts = new Attempts();
    await desk.hello('a', attempts);
    await desk.hello('b', attempts);
    expect(desk.asked).toBe(2);
    expect((await desk.hello('c', attempts))?.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(desk.asked).toBe(2);
    desk.now = 1500;
    await desk.hello('c', attempts);
    expect(desk.asked).toBe(3);
  });
});
