// How long answers about tokens are remembered and how often is asked, by a clock that the test sets.
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../main/platform/log.ts';
import { Authentication, AuthenticationError, Attempts } from '../../../main/server/authentication.ts';
import type { AuthOutcome } from '../../../main/server/authEndpoint.ts';

const MINUTE = 60_000;

class Client {
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

  /** On a new connection by default. @returns the refusal; null: accepted */
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
    ['5 minutes where the endpoint gives no time', null, 5 * MINUTE],
    ['as long as the token is good', 2 * MINUTE, 2 * MINUTE],
    ['15 minutes at most', 600 * MINUTE, 15 * MINUTE],
  ])('remembers a yes for %s', async (_, expiresInMs, forMs) => {
    const client = new Client();
    const expiresAt = expiresInMs === null ? null : new Date(1_000_000 + expiresInMs);
    client.outcome = { kind: 'accepted', expiresAt };
    await client.hello('t');
    client.now = forMs - 1;
    await client.hello('t');
    expect(client.asked).toBe(1);
    client.now = forMs;
    await client.hello('t');
    expect(client.asked).toBe(2);
  });

  it('remembers a no for a minute, and for that token only', async () => {
    const client = new Client();
    client.outcome = { kind: 'refused', why: 'it said no' };
    expect((await client.hello('t'))?.retryAfterSeconds).toBeNull();
    client.outcome = { kind: 'accepted', expiresAt: null };
    expect(await client.hello('other')).toBeNull();
    client.now = MINUTE - 1;
    expect((await client.hello('t'))?.retryAfterSeconds).toBeNull();
    client.now = MINUTE;
    expect(await client.hello('t')).toBeNull();
    expect(client.asked).toBe(3);
  });

  it('waits 1, 2, 4 ... 30 s for an endpoint that is away, a fifth more at most, across reloads', async () => {
    const client = new Client();
    client.outcome = { kind: 'unavailable', why: 'it answered 503' };
    for (const [index, seconds] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      const waits = (await client.hello('t'))!.retryAfterSeconds!;
      expect(waits).toBeGreaterThanOrEqual(seconds);
      expect(waits).toBeLessThanOrEqual(Math.ceil(seconds * 1.2));
      // Asked again after the wait and not before, also for another page.
      client.now += seconds * 1000 - 1;
      await client.hello('t');
      expect(client.asked).toBe(index + 1);
      client.now += waits * 1000;
    }
    client.outcome = { kind: 'accepted', expiresAt: null };
    expect(await client.hello('t')).toBeNull();
  });

  it('asks 30 times a minute at most, also for invented tokens, and accepts cached ones', async () => {
    const client = new Client();
    await client.hello('good');
    client.outcome = { kind: 'refused', why: 'it said no' };
    for (let count = 1; count <= 40; count++) await client.hello(`made-up-${count}`);
    expect(client.asked).toBe(30);
    expect((await client.hello('one-more'))?.retryAfterSeconds).toBe(60);
    expect(await client.hello('good')).toBeNull();
    client.now = MINUTE + 1;
    expect((await client.hello('one-more'))?.retryAfterSeconds).toBeNull();
    expect(client.asked).toBe(31);
  });

  it('holds back a connection that attempts one token after the other', async () => {
    const client = new Client();
    client.outcome = { kind: 'refused', why: 'it said no' };
    const attempts = new Attempts();
    await client.hello('a', attempts);
    await client.hello('b', attempts);
    expect(client.asked).toBe(2);
    expect((await client.hello('c', attempts))?.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(client.asked).toBe(2);
    client.now = 1500;
    await client.hello('c', attempts);
    expect(client.asked).toBe(3);
  });
});
