import { describe, expect, it } from 'vitest';
import { PolicyError } from '../../../main/policy/load.ts';
import { fileLayer } from '../support/policy.ts';
import { loadPolicyLenient } from '../../../main/policy/read.ts';

const none = { flags: {}, environment: {} };

describe('of a policy', () => {
  it('that is whole, everything is there and nothing is said', async () => {
    const policy = await loadPolicyLenient(() => Promise.resolve(fileLayer({ fps: 7, unknown: 1 })), {
      flags: { logLevel: 'debug' },
      environment: {},
    });
    expect(policy.problems).toEqual([]);
    expect(policy.values).toMatchObject({ fps: 7, logLevel: 'debug' });
    expect(policy.sources).toMatchObject({ fps: 'file', logLevel: 'flag', graceSeconds: 'default' });
    expect(policy.warnings).toHaveLength(1);
  });

  it('with broken keys, the others are there and each broken one is told of', async () => {
    const policy = await loadPolicyLenient(() => Promise.resolve([]), {
      flags: { port: 'x', graceSeconds: '5', dataDir: '/d' },
      environment: { SIGHTLINE_FPS: 'many', SIGHTLINE_MAX_MONITORS: '9', SIGHTLINE_LOG_LEVEL: 'debug' },
    });
    expect(policy.values).toMatchObject({
      fps: 5,
      dataDir: '/d',
      port: 5431,
      graceSeconds: 5,
      maxMonitors: 3,
    });
    expect(policy.values.logLevel).toBe('debug');
    expect(policy.problems.join()).toMatch(/"port"[^]*"fps"[^]*"maxMonitors"/);
    expect(policy.problems).toHaveLength(3);
  });

  it('of the machine with broken keys, its others are there, and nothing of the agent’s comes instead', async () => {
    const policy = await loadPolicyLenient(() => Promise.resolve(fileLayer({ fps: 'many', dataDir: '/d' })), {
      flags: { fps: '3', port: 'x', graceSeconds: '5' },
      environment: { SIGHTLINE_MAX_MONITORS: '9', SIGHTLINE_LOG_LEVEL: 'debug' },
    });
    expect(policy.values).toMatchObject({ fps: 5, dataDir: '/d', graceSeconds: 60, logLevel: 'debug' });
    expect(policy.problems).toEqual([expect.stringMatching(/"fps" from the machine policy/)]);
  });

  it('of the machine that goes into S3, with one broken key, still goes there', async () => {
    const policy = await loadPolicyLenient(
      () => Promise.resolve(fileLayer({ sink: 's3', s3Bucket: 'acme-recordings', fps: 'many' })),
      none,
    );
    expect(policy.values).toMatchObject({ sink: 's3', s3Bucket: 'acme-recordings' });
  });

  it('whose keys do not fit together, the rest is there', async () => {
    const policy = await loadPolicyLenient(() => Promise.resolve(fileLayer({ sink: 's3', fps: 7 })), none);
    expect(policy.values).toMatchObject({ sink: 'folder', fps: 7 });
    expect(policy.problems).toEqual([expect.stringMatching(/"s3Bucket" is not set/)]);
  });

  it('that cannot be read, only what a user may set is there', async () => {
    const unreadable = () => Promise.reject(new PolicyError('is not a JSON object'));
    const flags = { fps: '3', logLevel: 'debug' };
    const policy = await loadPolicyLenient(unreadable, { flags, environment: {} });
    expect(policy.values).toMatchObject({ fps: 5, logLevel: 'debug' });
    expect(policy.problems).toEqual(['is not a JSON object']);
  });
});
