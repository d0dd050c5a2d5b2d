// The policy of a running Sightline: what takes effect when, what is refused, and that nothing mixes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyKey } from '../../../main/policy/keys.ts';
import { policyKeyNames, policyKeys } from '../../../main/policy/keys.ts';
import { LivePolicy } from '../../../main/policy/live.ts';
import { silentLogger } from '../../../main/platform/log.ts';
import { PolicyError, loadPolicy } from '../../../main/policy/load.ts';
import { fileLayer } from '../support/policy.ts';

type Values = Readonly<Record<string, unknown>>;
const load = (values: Values) =>
  loadPolicy({ machine: fileLayer({ dataDir: '/d', ...values }), flags: {}, environment: {} });

function livePolicy(first: Values = {}, areOn = false) {
  let set: Values = first;
  const said: string[] = [];
  const heard: PolicyKey[][] = [];
  const live = new LivePolicy({
    first: load(first),
    load: () => Promise.resolve().then(() => load(set)),
    log: {
      info: (message) => said.push(`info: ${message}`),
      warn: (message) => said.push(`warn: ${message}`),
      error: (message) => said.push(`error: ${message}`),
    },
  });
  live.contactsAreOn(areOn);
  live.onChange((changed) => heard.push([...changed]));
  return {
    live,
    said,
    heard,
    set: async (values: Values): Promise<void> => {
      set = values;
      await live.look();
    },
  };
}

describe('a change', () => {
  it('of a live key takes effect in mid-contact, of another when no contact is on, all of those in one step', async () => {
    const { live, heard, set } = livePolicy({}, true);
    await set({ allowedDomains: ['a.example'], sink: 's3', s3Bucket: 'bucket', fps: 9 });
    expect(heard).toEqual([['allowedDomains']]);
    expect(live.values).toMatchObject({
      allowedDomains: ['a.example'],
      sink: 'folder',
      s3Bucket: null,
      fps: 5,
    });
    expect(live.state.pending.map(({ key }) => key)).toEqual(['sink', 's3Bucket', 'fps']);
    live.contactsAreOn(false);
    // Within the call: the next contact may come in the next moment.
    expect(live.values).toMatchObject({ sink: 's3', s3Bucket: 'bucket', fps: 9 });
    expect(heard).toEqual([['allowedDomains'], ['sink', 's3Bucket', 'fps']]);
    expect(live.state).toEqual({ problems: [], pending: [], ignored: [] });
  });

  it('that is taken back in mid-contact has never been', async () => {
    const { live, heard, set } = livePolicy({}, true);
    await set({ fps: 9 });
    await set({});
    live.contactsAreOn(false);
    expect([live.values.fps, heard, live.state.pending]).toEqual([5, [], []]);
  });

  it('of the data folder waits for the next start, with what lies below it', async () => {
    const first = loadPolicy({ machine: [], flags: {}, environment: {} });
    const live = new LivePolicy({
      first,
      load: () =>
        Promise.resolve(loadPolicy({ machine: fileLayer({ dataDir: '/new' }), flags: {}, environment: {} })),
      log: silentLogger,
    });
    live.contactsAreOn(false);
    await live.look();
    expect(live.values).toEqual(first.values);
    expect(live.state.pending).toEqual(
      ['dataDir', 'sinkFolder', 'statusEventsFile'].map((key) => ({ key, applied: 'restart' })),
    );
  });

  it('is not told of where there is none', async () => {
    const { said, heard, set } = livePolicy({ allowedDomains: ['a.example'] });
    await set({ allowedDomains: ['a.example'] });
    expect([said, heard]).toEqual([[], []]);
  });

  it('reaches the other listeners when one of them throws', async () => {
    const { live, heard, said, set } = livePolicy();
    live.onChange(() => {
      throw new Error('oh');
    });
    const later: PolicyKey[][] = [];
    live.onChange((changed) => later.push([...changed]));
    await set({ fps: 9 });
    expect([heard, later]).toEqual([[['fps']], [['fps']]]);
    expect(said).toContain('error: a change of policy could not be applied');
  });

  it('before the services have started is kept back, but for live keys', async () => {
    const live = new LivePolicy({
      first: load({}),
      load: () => Promise.resolve(load({ fps: 9, logLevel: 'debug' })),
      log: silentLogger,
    });
    await live.look();
    expect([live.values.fps, live.values.logLevel]).toEqual([5, 'debug']);
  });
});

describe('a policy that is not valid', () => {
  it('is refused as a whole, told once, and forgotten when it is mended', async () => {
    const { live, said, heard, set } = livePolicy({ fps: 7 });
    await set({ fps: 99, allowedDomains: ['a.example', 'x/y', '*'], logLevel: 'debug' });
    await set({ fps: 99, allowedDomains: ['a.example', 'x/y', '*'], logLevel: 'debug' });
    expect([live.values.fps, live.values.logLevel, heard]).toEqual([7, 'info', []]);
    expect(live.state.problems).toHaveLength(2);
    expect(live.state.problems.join('\n')).toMatch(/entry 2, "x\/y": .*entry 3, "\*": [^]*"fps"/);
    expect(said).toEqual(['error: the new policy is refused; the one before stays in force']);
    await set({ fps: 8 });
    expect([live.values.fps, live.state.problems]).toEqual([8, []]);
  });

  it('does not take back what waits', async () => {
    const { live, set } = livePolicy({}, true);
    await set({ fps: 9 });
    await set({ fps: 'x' });
    live.contactsAreOn(false);
    expect(live.values.fps).toBe(9);
  });

  it('need not be a PolicyError: whatever goes wrong in reading changes nothing', async () => {
    const live = new LivePolicy({
      first: load({}),
      load: () => Promise.reject(new TypeError('odd')),
      log: silentLogger,
    });
    await live.look();
    expect(live.state.problems).toEqual(['TypeError: odd']);
  });
});

it('several looks at once are one, and one more for what came in between', async () => {
  let reads = 0;
  const live = new LivePolicy({
    first: load({}),
    load: () => Promise.resolve(load({ graceSeconds: ++reads })),
    log: silentLogger,
  });
  await Promise.all([live.look(), live.look(), live.look()]);
  expect([reads, live.values.graceSeconds]).toEqual([2, 2]);
});

it('in any order of policies and contacts: no key that may not changes in mid-contact, and the end is the last valid policy', async () => {
  const values = fc.record(
    {
      fps: fc.constantFrom<unknown>(1, 5, 30, 'bad'),
      sinkFolder: fc.constantFrom('/a', '/b'),
      allowedDomains: fc.constantFrom([], ['a.example'], ['*']),
      graceSeconds: fc.constantFrom(1, 2),
      port: fc.constantFrom(1, 2),
    },
    { requiredKeys: [] },
  );
  const step = fc.oneof(
    values.map((set) => ({ set })),
    fc.boolean().map((areOn) => ({ areOn })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { live, set } = livePolicy();
      let isOn = false;
      let lastValid: Values = {};
      for (const one of steps) {
        const before = { ...live.values };
        if ('areOn' in one) {
          isOn = one.areOn;
          live.contactsAreOn(isOn);
          await live.look();
        } else {
          await set(one.set);
          try {
            load(one.set);
            lastValid = one.set;
          } catch (error) {
            if (!(error instanceof PolicyError)) throw error;
            expect(live.values).toEqual(before);
          }
        }
        for (const name of policyKeyNames) {
          const { applied } = policyKeys[name];
          if (applied === 'restart' || (applied === 'when-idle' && isOn))
            expect(live.values[name]).toEqual(before[name]);
        }
      }
      live.contactsAreOn(false);
      expect(live.values).toEqual({ ...load(lastValid).values, port: 5431 });
    }),
  );
});
