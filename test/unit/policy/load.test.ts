import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { PolicyKey } from '../../../main/policy/keys.ts';
import { flagOf, policyKeyNames, policyKeys, variableOf } from '../../../main/policy/keys.ts';
import type { PolicySources } from '../../../main/policy/load.ts';
import { PolicyError, loadPolicy } from '../../../main/policy/load.ts';
import { fileLayer } from '../support/policy.ts';
import { defaultDataFolder, systemDataFolder } from '../../../main/platform/paths.ts';

const load = (sources: Partial<PolicySources>): ReturnType<typeof loadPolicy> =>
  loadPolicy({ machine: [], flags: {}, environment: {}, ...sources });

function errorOf(sources: Partial<PolicySources>): string {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof PolicyError) return error.message;
    throw error;
  }
  throw new Error('the policy was accepted');
}

describe('where a value comes from', () => {
  const machine = fileLayer({ port: 1001 });
  const flags = { port: '1002' };
  const environment = { SIGHTLINE_PORT: '1003' };

  it('is the machine’s policy before everything else', () => {
    const { values, sources } = load({ machine, flags, environment });
    expect([values.port, sources.port]).toEqual([1001, 'file']);
  });

  it('is the flag before the environment', () => {
    const { values, sources } = load({ flags, environment });
    expect([values.port, sources.port]).toEqual([1002, 'flag']);
  });

  it('is the environment before the default', () => {
    const { values, sources } = load({ environment });
    expect([values.port, sources.port]).toEqual([1003, 'environment']);
  });

  it('is the default otherwise', () => {
    const { values, sources } = load({});
    expect([values.port, sources.port]).toEqual([5431, 'default']);
  });

  it('is told for each key, each on its own', () => {
    const { sources } = load({
      machine: fileLayer({ allowedDomains: ['a.example'] }),
      flags: { uploadLimitKbit: '10' },
      environment: { SIGHTLINE_LOG_LEVEL: 'debug' },
    });
    expect(sources).toEqual({
      ...Object.fromEntries(policyKeyNames.map((name) => [name, 'default'])),
      allowedDomains: 'file',
      uploadLimitKbit: 'flag',
      logLevel: 'environment',
    });
  });

  it('is the machine even where it allows nothing: nobody can widen it', () => {
    const { values, sources } = load({
      machine: fileLayer({ allowedDomains: [], allowLoopbackOrigins: false }),
      flags: { allowedDomains: 'evil.example', allowLoopbackOrigins: true },
      environment: { SIGHTLINE_ALLOWED_DOMAINS: 'evil.example' },
    });
    expect(values.allowedDomains).toEqual([]);
    expect(values.allowLoopbackOrigins).toBe(false);
    expect(sources.allowedDomains).toBe('file');
  });

  it('is not an empty variable, nor one that is not set', () => {
    const environment = { SIGHTLINE_PORT: '', SIGHTLINE_FPS: undefined };
    expect(load({ environment }).sources).toMatchObject({ port: 'default', fps: 'default' });
  });
});

/** Of each key a value that is not its default, as a flag or a variable has it. */
const others: Readonly<Partial<Record<PolicyKey, string>>> = {
  ...{ port: '6000', allowedDomains: 'evil.example', allowLoopbackOrigins: 'yes', auth: 'endpoint' },
  sharedPort: 'system',
  ...{ authUrl: 'https://evil.example', dataDir: '/tmp/d', spoolQuotaMiB: '1', spoolMinFreeMiB: '0' },
  ...{ keepPublishedHours: '9', deliverDamaged: 'no', sink: 's3', sinkFolder: '/tmp/s', s3Bucket: 'thief' },
  ...{ s3Endpoint: 'https://evil.example', s3PathStyle: 'yes', s3KmsKeyId: 'k', s3StorageClass: 'GLACIER' },
  ...{ proxyUrl: 'http://evil.example:3128', caFile: '/tmp/evil.pem' },
  ...{ s3Tags: 'a=b', awsRegion: 'us-east-1', awsProfile: 'mine', brokerUrl: 'https://evil.example' },
  ...{ uploadLimitKbit: '1', keyPrefix: 'elsewhere', statusEventsFile: '/tmp/e', eventBusName: 'mine' },
  ...{ eventBridgeEndpoint: 'https://evil.example', fps: '1', maxMonitors: '1', display: ':99' },
  quality: 'small',
  ...{ encoder: 'libx264', ffmpegPath: '/tmp/f', graceSeconds: '0', suspendMaxSeconds: '1' },
  ...{ signOutWaitSeconds: '120', agentMayQuit: 'no' },
  ...{ resumeAfterRestart: 'yes', agentMaySuspend: 'yes', indicator: 'off', autostart: 'no' },
  indicatorInRecording: 'no',
  ...{ pauseOnLock: 'no', instanceAlias: 'mine', instanceRegion: 'us-east-1', logLevel: 'debug' },
  reviewDownload: 'no',
  ...{ endpointList: '/tmp/list.json', attributesForKeys: 'case', overdueMinutes: '5' },
  ...{ heartbeat: 'events', heartbeatUrl: 'https://evil.example', otlpEndpoint: 'https://evil.example' },
};
const forUsers: readonly PolicyKey[] = ['uploadLimitKbit', 'autostart', 'logLevel'];

describe.each([
  ['a machine policy exists', { machine: fileLayer({}) }, 'this machine has one'],
  ['Sightline is installed', { managed: true }, 'this Sightline is installed for the machine'],
] as const)('where %s', (_, how, why) => {
  it('every key is tried here', () => {
    expect(Object.keys(others).sort()).toEqual([...policyKeyNames].sort());
  });

  it.each(policyKeyNames.filter((name) => !forUsers.includes(name)))(
    'neither a flag nor a variable sets %s, and that is said',
    (name) => {
      const text = others[name]!;
      const { values, sources, warnings } = load({
        ...how,
        flags: { [name]: text },
        environment: { [variableOf(name)]: text },
      });
      expect(values[name]).toEqual(load(how).values[name]);
      expect(sources[name]).toBe('default');
      expect(warnings).toEqual([
        `"${name}" is set by the machine policy only (${why}); the flag ${flagOf(name)} is ignored.`,
        `"${name}" is set by the machine policy only (${why}); the environment variable ${variableOf(name)} is ignored.`,
      ]);
    },
  );

  it.each(forUsers)('a flag and a variable still set %s, as the user’s settings do', (name) => {
    const text = others[name]!;
    expect(load({ ...how, flags: { [name]: text } }).sources[name]).toBe('flag');
    expect(load({ ...how, environment: { [variableOf(name)]: text } }).sources[name]).toBe('environment');
  });

  it('a bad value of these stops nothing', () => {
    const { values, warnings } = load({
      ...how,
      flags: { logLevel: 'loud' },
      environment: { SIGHTLINE_LOG_LEVEL: 'warn', SIGHTLINE_UPLOAD_LIMIT_KBIT: 'much' },
    });
    expect(values).toMatchObject({ logLevel: 'warn', uploadLimitKbit: 500 });
    expect(warnings).toHaveLength(2);
  });

  it('a bad value of another key stops nothing either', () => {
    expect(load({ ...how, environment: { SIGHTLINE_PORT: 'many' } }).values.port).toBe(5431);
  });

  it('the environment does not move the data folder', () => {
    vi.stubEnv('HOME', '/tmp/mine');
    vi.stubEnv('XDG_DATA_HOME', '/tmp/mine/share');
    vi.stubEnv('LOCALAPPDATA', '/tmp/mine/local');
    try {
      const { values, warnings } = load(how);
      expect(values.dataDir).toBe(systemDataFolder());
      expect(values.dataDir).not.toMatch(/mine/);
      expect(warnings).toEqual([expect.stringMatching(/^"dataDir" is set by .*mine.* is ignored\.$/)]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

it('where no administrator decides, as in a container, flags and variables set every key', () => {
  for (const name of policyKeyNames.filter((one) => one !== 'sink')) {
    expect(load({ flags: { [name]: others[name]! } }).sources[name]).toBe('flag');
    expect(load({ environment: { [variableOf(name)]: others[name] } }).sources[name]).toBe('environment');
  }
});

describe('a value that is not valid', () => {
  it.each<[string, Partial<PolicySources>]>([
    ['the machine policy (/the/policy.json)', { machine: fileLayer({ port: 'many' }) }],
    ['its flag', { flags: { port: 'many' } }],
    ['SIGHTLINE_PORT', { environment: { SIGHTLINE_PORT: 'many' } }],
  ])('is an error that names the key and %s', (source, sources) => {
    expect(errorOf(sources)).toContain(`Policy "port" from ${source} is not valid: `);
  });

  it('from the machine is an error even where a flag is fine', () => {
    expect(errorOf({ machine: fileLayer({ port: 99_999 }), flags: { port: '5431' } })).toContain(
      'the machine policy',
    );
  });

  it.each<[PolicyKey, unknown]>([
    ['port', -1],
    ['port', 65_536],
    ['port', 5431.5],
    ['port', '5431'],
    ['port', null],
    ['allowedDomains', 'a.example'],
    ['allowedDomains', ['*.example']],
    ['allowLoopbackOrigins', 'true'],
    ['dataDir', ''],
    ['sinkFolder', 5],
    ['keyPrefix', 'a/../b'],
    ['keyPrefix', '..'],
    ['keyPrefix', './a'],
    ['keyPrefix', 'a\\b'],
    ['keyPrefix', 'ä'],
    ['keyPrefix', 'a/<agent>'],
    ['keyPrefix', 'a/<queue'],
    ['keyPrefix', 'a/<attribute:a b>'],
    ['keyPrefix', '<queue>'.repeat(6)],
    ['keyPrefix', 'a/<attribute:case>'],
    ['s3Tags', ['queue=<queue>', 'case=<attribute:case>']],
    ['s3Tags', ['<queue>=a']],
    ['s3Tags', [`a=${'b'.repeat(257)}`]],
    ['attributesForKeys', ['a b']],
    ['attributesForKeys', ['a/..']],
    ['fps', 0],
    ['fps', 31],
    ['maxMonitors', 4],
    ['encoder', 'h265'],
    ['graceSeconds', -1],
    ['graceSeconds', 3601],
    ['logLevel', 'loud'],
    ['eventBusName', ''],
    ['eventBusName', 'my bus'],
    ['eventBusName', 'arn:aws:events:eu-central-1:1234:event-bus/b'],
    ['eventBridgeEndpoint', 'events.example'],
    ['eventBridgeEndpoint', 'ftp://events.example'],
    ['eventBridgeEndpoint', 'http://events.example'],
    ['awsRegion', 'Frankfurt'],
    ['awsRegion', 'eu'],
    ['awsProfile', ''],
  ])('of %s is refused: %j', (name, value) => {
    expect(errorOf({ machine: fileLayer({ [name]: value }) })).toContain(`Policy "${name}"`);
  });

  it.each<[PolicyKey, string | boolean]>([
    ['port', ''],
    ['port', '0x10'],
    ['port', '1e3'],
    ['port', '5431.0'],
    ['port', true],
    ['allowLoopbackOrigins', 'maybe'],
    ['allowedDomains', 'https://a.example'],
    ['allowedDomains', 'a.example,,b.example'],
    ['allowedDomains', true],
    ['dataDir', ''],
    ['dataDir', true],
  ])('of the flag for %s is refused: %j', (name, value) => {
    expect(errorOf({ flags: { [name]: value } })).toContain(`Policy "${name}" from its flag`);
  });
});

describe('a value for AWS', () => {
  it.each<[PolicyKey, unknown]>([
    ['eventBusName', 'screen-recordings'],
    ['eventBusName', 'arn:aws:events:eu-central-1:123456789012:event-bus/a/b_c.d'],
    ['eventBusName', 'arn:aws-us-gov:events:us-gov-west-1:123456789012:event-bus/b'],
    ['eventBridgeEndpoint', 'https://vpce-1-2.events.eu-central-1.vpce.amazonaws.com'],
    ['eventBridgeEndpoint', 'http://127.0.0.1:4566'],
    ['eventBridgeEndpoint', 'http://[::1]:4566'],
    ['awsRegion', 'eu-central-1'],
    ['awsRegion', 'us-gov-east-1'],
    ['awsProfile', 'desk'],
  ])('of %s is taken: %j', (name, value) => {
    expect(load({ machine: fileLayer({ [name]: value }) }).values[name]).toBe(value);
  });
});

describe('a text', () => {
  const fromVariable = (name: string, text: string): ReturnType<typeof loadPolicy>['values'] =>
    load({ environment: { [name]: text } }).values;

  it('is read as a number where the key is one', () => {
    expect(fromVariable('SIGHTLINE_PORT', ' 0 ').port).toBe(0);
    expect(fromVariable('SIGHTLINE_GRACE_SECONDS', '3600').graceSeconds).toBe(3600);
  });

  it('is read as yes or no where the key is that', () => {
    for (const text of ['true', '1', 'yes', 'on', ' TRUE ']) {
      expect(fromVariable('SIGHTLINE_ALLOW_LOOPBACK_ORIGINS', text).allowLoopbackOrigins).toBe(true);
    }
    for (const text of ['false', '0', 'no', 'off', 'False']) {
      expect(fromVariable('SIGHTLINE_ALLOW_LOOPBACK_ORIGINS', text).allowLoopbackOrigins).toBe(false);
    }
    expect(load({ flags: { allowLoopbackOrigins: true } }).values.allowLoopbackOrigins).toBe(true);
  });

  it('is read as a list where the key is one', () => {
    expect(fromVariable('SIGHTLINE_ALLOWED_DOMAINS', 'A.example, b.example').allowedDomains).toEqual([
      'a.example',
      'b.example',
    ]);
    expect(fromVariable('SIGHTLINE_ALLOWED_DOMAINS', '  ').allowedDomains).toEqual([]);
  });

  it('is taken as it is where the key is a text', () => {
    expect(fromVariable('SIGHTLINE_DISPLAY', ':1').display).toBe(':1');
    expect(fromVariable('SIGHTLINE_KEY_PREFIX', '').keyPrefix).toBe('connect/<alias>/ScreenRecordings');
    expect(fromVariable('SIGHTLINE_KEY_PREFIX', 'a/<alias>/b').keyPrefix).toBe('a/<alias>/b');
  });
});

describe('the defaults', () => {
  it('are those of the design', () => {
    const { values, warnings } = load({});
    expect(values).toMatchObject({
      port: 5431,
      allowedDomains: [],
      allowLoopbackOrigins: false,
      keyPrefix: 'connect/<alias>/ScreenRecordings',
      fps: 5,
      maxMonitors: 3,
      encoder: 'auto',
      graceSeconds: 60,
      display: null,
      ffmpegPath: null,
      eventBusName: null,
      awsRegion: null,
    });
    expect(warnings).toEqual([]);
  });

  it('of the folders follow from the data folder', () => {
    expect(load({}).values.dataDir).toBe(defaultDataFolder());
    const { values, sources } = load({ flags: { dataDir: 'somewhere' } });
    expect(values.sinkFolder).toBe(join('somewhere', 'recordings'));
    expect(values.statusEventsFile).toBe(join('somewhere', 'status-events.ndjson'));
    expect(sources.sinkFolder).toBe('default');
  });

  it('of the folders are left alone where the folder is named', () => {
    const { values } = load({ flags: { dataDir: 'here', sinkFolder: 'there' } });
    expect(values.sinkFolder).toBe('there');
  });

  it('are valid by their own schemas', () => {
    for (const name of policyKeyNames) {
      const { default: value, schema } = policyKeys[name];
      if (value !== null) expect(schema.parse(value)).toEqual(value);
    }
  });
});

describe('the machine’s policy', () => {
  it('is warned about where it has a key that nobody knows', () => {
    const { warnings, values } = load({ machine: fileLayer({ fps: 10, allowedDomain: ['a.example'] }) });
    expect(warnings).toEqual([
      'The machine policy (/the/policy.json) has an unknown key "allowedDomain"; it is ignored.',
    ]);
    expect(values.fps).toBe(10);
  });
});
