import { describe, expect, it } from 'vitest';
import { BrokerCredentials } from '../../../main/publisher/s3/brokerCredentials.ts';

const MINUTE = 60_000;

function broker({ livesMs = 60 * MINUTE, mayPutEvents = true } = {}) {
  const state = { now: 1_000_000, asked: [] as string[], issued: 0, fails: false };
  const credentials = new BrokerCredentials<{ recordingId: string }>(
    ({ recordingId }) => {
      state.asked.push(recordingId);
      if (state.fails) return Promise.reject(new Error('no'));
      const expiration = new Date(state.now + livesMs);
      const accessKeyId = String(state.asked.length);
      return Promise.resolve({
        ...{ accessKeyId, secretAccessKey: 's', sessionToken: 't', expiration, mayPutEvents },
      });
    },
    () => (state.issued += 1),
    () => state.now,
  );
  return {
    state,
    forget: (recordingId: string) => credentials.forget(recordingId),
    of: async (recordingId: string) => (await credentials.of({ recordingId })).accessKeyId,
    forEvents: async () => (await credentials.forEvents())?.accessKeyId,
  };
}

describe('the broker', () => {
  it('is asked once for a recording, also by two clients at the same time', async () => {
    const self = broker();
    expect(await Promise.all([self.of('a'), self.of('a')])).toEqual(['1', '1']);
    expect(await self.of('a')).toBe('1');
    expect(await self.of('b')).toBe('2');
    expect(self.state.asked).toEqual(['a', 'b']);
    expect(self.state.issued).toBe(2);
  });

  it('is asked again from five minutes before they expire, when the SDK renews them', async () => {
    const self = broker();
    await self.of('a');
    self.state.now += 54 * MINUTE;
    expect(await self.of('a')).toBe('1');
    self.state.now += MINUTE;
    expect(await self.of('a')).toBe('2');
  });

  it('is asked again after a refusal by the store, and after its own failure', async () => {
    const self = broker();
    await self.of('a');
    self.forget('a');
    self.state.fails = true;
    await expect(self.of('a')).rejects.toThrow('no');
    self.state.fails = false;
    expect(await self.of('a')).toBe('3');
  });
});

describe('credentials for events', () => {
  it('are the newest ones that are valid for some time', async () => {
    const self = broker({ livesMs: 15 * MINUTE });
    expect(await self.forEvents()).toBeUndefined();
    await self.of('a');
    self.state.now += 6 * MINUTE;
    await self.of('b');
    expect(await self.forEvents()).toBe('2');
    self.forget('b');
    expect(await self.forEvents()).toBe('1');
    self.state.now += 6 * MINUTE;
    expect(await self.forEvents()).toBeUndefined();
  });

  it('are waited for while the broker is being asked', async () => {
    const self = broker();
    const first = self.of('a');
    expect(await self.forEvents()).toBe(await first);
  });

  it('are none where the broker does not say so', async () => {
    const self = broker({ mayPutEvents: false });
    await self.of('a');
    expect(await self.forEvents()).toBeUndefined();
  });

  it('are kept for a few hundred recordings only', async () => {
    const self = broker();
    for (let index = 0; index < 257; index += 1) await self.of(String(index));
    await self.of('256');
    expect(self.state.asked).toHaveLength(257);
    await self.of('0');
    expect(self.state.asked).toHaveLength(258);
  });
});
