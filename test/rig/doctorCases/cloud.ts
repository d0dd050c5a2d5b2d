// What can be wrong on the way to AWS: credentials, bucket, keys, clock, proxy, event bus. Stand-ins on loopback only.
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startDisplay } from '../display.ts';
import { startEventBridgeServer, testKey, type EventBridgeServer } from '../eventBridgeServer.ts';
import { withMounts } from '../mount.ts';
import { startRecorder } from '../recorder.ts';
import { s3Options } from '../s3Recorder.ts';
import { BUCKET, KMS_KEY, REGION, startStrictStore, type S3Store } from '../s3Store.ts';
import type { FaultKind } from '../s3/faults.ts';
import { startSlowLine } from '../slowLine.ts';
import type { Bench, DoctorCase, DoctorStart } from './bench.ts';

const S3 = ['--sink', 's3', '--s3-bucket', BUCKET, '--aws-region', REGION];
const OTHER_KEY = KMS_KEY.replace('11111111', '99999999');
const AN_HOUR_MS = 3_600_000;

/** Loaded into the program: whatever would leave this machine is refused. */
const LOOPBACK_ONLY = {
  NODE_OPTIONS: `--import=${fileURLToPath(new URL('../loopbackNetwork.mjs', import.meta.url))}`,
};

export const cloudCases: readonly DoctorCase[] = [
  {
    check: 'credentials',
    verdict: 'failed',
    when: 'there are none',
    evidence: /^no credentials for AWS: Could not load credentials from any providers$/,
    remedy: /^Without them nothing reaches AWS\..*sign in again.*Otherwise set "brokerUrl"/,
    arrange: async (bench) => {
      const { flags } = s3Options(await store(bench));
      return { flags };
    },
  },
  {
    check: 'credentials',
    verdict: 'failed',
    when: 'the broker does not answer',
    evidence: /^the broker 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/,
    remedy: /^Check that it runs, that this computer reaches it, that "brokerUrl"/,
    arrange: async (bench) => {
      const broker = await startAnswering(401);
      await broker.stop();
      return { flags: [...S3, '--broker-url', broker.url], environment: { HOME: bench.home } };
    },
  },
  {
    check: 'credentials',
    verdict: 'failed',
    when: 'the broker gives them to anybody',
    evidence: /answered 200 to a request without a token$/,
    remedy: /^It issues credentials without authentication\. Have its operator check/,
    arrange: (bench) => broker(bench, 200),
  },
  {
    check: 'credentials',
    verdict: 'warning',
    when: 'the broker answers 403',
    evidence: /answered 403 to a request without a token$/,
    remedy: /change the answer to 401: then Sightline waits until an agent has signed in/,
    arrange: (bench) => broker(bench, 403),
  },
  {
    check: 'credentials',
    verdict: 'warning',
    when: 'something else answers in the place of the broker',
    evidence: /answered 502 to a request without a token$/,
    remedy: /no proxy answers in its place\.$/,
    arrange: (bench) => broker(bench, 502),
  },
  {
    check: 'credentials',
    verdict: 'warning',
    when: 'they last for ever',
    evidence: /^from environment, without an expiry$/,
    remedy: /^A copy of such keys stays valid until they are revoked: remove them from this computer\./,
    arrange: async (bench) => s3Options(await store(bench)),
  },
  {
    check: 'authentication',
    verdict: 'failed',
    when: 'the endpoint is away',
    evidence: /^the endpoint 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/,
    remedy: /^No page can connect until it answers\. Check the network/,
    arrange: async () => {
      const endpoint = await startAnswering(401);
      await endpoint.stop();
      return { flags: ['--auth', 'endpoint', '--auth-url', endpoint.url] };
    },
  },
  {
    check: 'authentication',
    verdict: 'failed',
    when: 'the endpoint lets anybody in',
    evidence: /answered 200 to a request without a token$/,
    remedy: /^It may let anyone in\./,
    arrange: (bench) => endpoint(bench, 200),
  },
  {
    check: 'authentication',
    verdict: 'warning',
    when: 'something else answers in the place of the endpoint',
    evidence: /answered 502 to a request without a token$/,
    remedy: /^It should answer 401\./,
    arrange: (bench) => endpoint(bench, 502),
  },
  ...(
    [
      ['the right to put is missing', 'accessDenied', 'AccessDenied', 'The credentials need s3:PutObject'],
      ['the right to the KMS key is missing', 'kmsAccessDenied', 'AccessDenied', 'kms:GenerateDataKey'],
      ['the clock is off', 'clockSkew', 'RequestTimeTooSkewed', 'more than 15 minutes off'],
      ['there is no such bucket', 'noSuchBucket', 'NoSuchBucket', 'Check "s3Bucket"'],
    ] as const
  ).map(([when, kind, said, remedy]) => refusal(when, said, remedy, { fault: { kind } })),
  ...(
    [
      [
        'the store names no encryption',
        null,
        /^the store names no encryption for an upload with the key arn:/,
      ],
      [
        'the store names another key',
        { sse: 'aws:kms', kmsKeyId: OTHER_KEY },
        /^the store names aws:kms with the key arn:\S+key\/99999999-\S+ for an upload with the key arn:/,
      ],
    ] as const
  ).map(([when, named, evidence]): DoctorCase => ({
    ...{ check: 'sink bucket', verdict: 'failed', when, evidence },
    remedy: /^Check "s3KmsKeyId", the encryption of the bucket, and whether the store supports SSE-KMS\.$/,
    arrange: async (bench) => {
      const s3 = await store(bench);
      s3.strict?.inject({ kind: 'encryptionInAnswer', named });
      return s3Options(s3, ['--s3-kms-key-id', KMS_KEY]);
    },
  })),
  refusal('there is no such KMS key', 'KMS.NotFoundException', 'The KMS key cannot be used', {
    kms: `${KMS_KEY.slice(0, -1)}0`,
  }),
  refusal('the secret key is wrong', 'SignatureDoesNotMatch', 'Check the credentials', { secret: 'wrong' }),
  {
    check: 'sink bucket',
    verdict: 'failed',
    when: 'there are no credentials',
    evidence: /^CredentialsProviderError: /,
    remedy: /^Do what the check "credentials" says, and run this again\.$/,
    arrange: async (bench) => ({ flags: s3Options(await store(bench)).flags }),
  },
  {
    check: 'credentials',
    verdict: 'failed',
    when: 'the sign-on of the profile has ended',
    evidence: /^no credentials for AWS: .*SSO/,
    remedy: /have the agent sign in again \(aws sso login\)/,
    arrange: async (bench) => {
      const config = bench.path('aws-config');
      const profile = [
        ...['sso_start_url = https://acme.awsapps.com/start', 'sso_region = eu-west-1'],
        ...['sso_account_id = 123456789012', 'sso_role_name = recorder'],
      ];
      await writeFile(config, `[profile desk]\n${profile.join('\n')}\n`);
      return {
        flags: [...s3Options(await store(bench)).flags, '--aws-profile', 'desk'],
        environment: { ...LOOPBACK_ONLY, AWS_CONFIG_FILE: config },
      };
    },
  },
  {
    check: 'sink bucket',
    verdict: 'failed',
    when: 'nobody answers there',
    evidence: /ECONNREFUSED/,
    remedy: /^S3 cannot be reached\. Check the network, the proxy and "s3Endpoint"/,
    arrange: async (bench) => {
      const s3 = await store(bench);
      await s3.strict?.down();
      return s3Options(s3);
    },
  },
  {
    check: 'sink bucket',
    verdict: 'warning',
    when: 'the right to delete is missing',
    evidence: /was put and its checksum confirmed/,
    remedy: /^It could not be deleted \(s3:DeleteObject is needed for that/,
    arrange: async (bench) => {
      const s3 = await store(bench);
      s3.strict?.inject({ kind: 'accessDenied', operation: 'DeleteObject' });
      return s3Options(s3);
    },
  },
  {
    check: 'throughput',
    verdict: 'failed',
    when: 'the line is slower than what an agent records',
    evidence:
      /^[45]\d kbit\/s to s3:\/\/recordings \(64 KiB in (9|1\d)\.\d s\); during contacts uploads use 500 kbit\/s at most/,
    remedy: /^An agent needs 600 kbit\/s .*recordings pile up until the spool is full\./,
    arrange: (bench) => slowLine(bench, 7000),
  },
  {
    check: 'throughput',
    verdict: 'warning',
    when: 'the line is slower than AWS asks for',
    evidence:
      /^[23]\d\d kbit\/s to s3:\/\/recordings \(64 KiB in [12]\.\d s\).*; an hour of contacts \(42 to 138 MB\) takes \d\d min to \d\d min to upload$/,
    remedy: /^An agent needs 600 kbit\/s .*Nothing is lost, but recordings arrive late\. Check the line/,
    arrange: (bench) => slowLine(bench, 40_000),
  },
  {
    check: 'clock',
    verdict: 'failed',
    when: 'it is an hour slow',
    after: ['credentials'],
    evidence: /^3[56]\d\d\.\d s slow according to the broker/,
    remedy:
      /^AWS rejects requests from a computer whose clock is more than 15 minutes off\. Have this computer set/,
    arrange: (bench) => broker(bench, 401, AN_HOUR_MS),
  },
  {
    check: 'clock',
    verdict: 'warning',
    when: 'it is a minute fast',
    after: ['credentials'],
    evidence: /^(59|6\d)\.\d s fast according to the broker/,
    remedy: /^Recordings and events have wrong times\. Have this computer set its clock from the network/,
    arrange: (bench) => broker(bench, 401, -60_000),
  },
  {
    check: 'clock',
    verdict: 'warning',
    when: 'nothing sets it',
    evidence: /^chrony: not synchronised$/,
    remedy: /^Have this computer set its clock from the network/,
    arrange: async (bench) => {
      // In front of the system's own tools: no folder of PATH is searched.
      await mkdir(bench.path('tools'));
      await bench.script('tools/chronyc', 'echo "Leap status     : Not synchronised"');
      const layers = `lowerdir="${bench.path('tools')}":/usr/bin`;
      return { wrapper: withMounts(`mount -t overlay -o ${layers} overlay /usr/bin`) };
    },
  },
  {
    check: 'proxy',
    verdict: 'failed',
    when: 'one is set that Sightline cannot use',
    evidence: /^broker\.corp\.example: a socks5 proxy, which Sightline does not use$/,
    remedy: /^Set "proxyUrl" in Sightline's policy to an HTTP proxy\.$/,
    arrange: () => ({
      flags: [
        ...[...S3, '--s3-endpoint', 'http://127.0.0.1:9', '--s3-path-style'],
        ...['--broker-url', 'https://broker.corp.example/'],
      ],
      environment: {
        ...LOOPBACK_ONLY,
        HTTPS_PROXY: 'socks5://agent:hunter2@proxy.example:3128',
        AWS_ACCESS_KEY_ID: testKey.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testKey.secretAccessKey,
      },
    }),
  },
  {
    check: 'EventBridge',
    verdict: 'failed',
    when: 'there are no credentials',
    evidence: /^0 events pending for sightline-test; no credentials for AWS: /,
    remedy: /^Do what the check "credentials" says/,
    arrange: async (bench) => ({ flags: (await bus(bench)).flags }),
  },
  {
    check: 'EventBridge',
    verdict: 'failed',
    when: 'nothing answers at its address',
    evidence: /http:\/\/127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/,
    remedy: /^Check that this computer reaches that address, and that "awsRegion" and "eventBridgeEndpoint"/,
    arrange: async (bench) => {
      const { server, flags, environment } = await bus(bench);
      await server.down();
      return { flags, environment };
    },
  },
  {
    check: 'EventBridge',
    verdict: 'warning',
    when: 'AWS has refused the events of a contact',
    // The fourth: the recorder has ended.
    evidence: /^4 events pending for sightline-test; .*the last attempt: .*AccessDeniedException/,
    remedy:
      /give the credentials the permission events:PutEvents for that event bus.*then sent automatically\.$/,
    arrange: async (bench) => {
      const { server, flags, environment } = await bus(bench);
      server.failAlways('access-denied');
      const display = await startDisplay();
      bench.onEnd(() => display.stop());
      const recorder = await startRecorder({
        display: display.display,
        home: bench.home,
        flags,
        environment,
      });
      const page = await recorder.connect();
      await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
      await page.ask('contact.stop', { contactId: 'c' });
      await page.event('c', 'PUBLISHED');
      await recorder.stop();
      return { flags, environment };
    },
  },
];

/** With a KMS key, and an alias that the program does not know: where a right is missing that may be the reason. */
function refusal(
  when: string,
  said: string,
  remedy: string,
  wrong: { fault?: FaultKind; kms?: string; secret?: string },
): DoctorCase {
  const { fault, kms = KMS_KEY, secret } = wrong;
  return {
    ...{ check: 'sink bucket', verdict: 'failed', when },
    evidence: new RegExp(said),
    remedy: new RegExp(
      said === 'AccessDenied' ? `${remedy}.*"sightline-doctor" stood in` : `${remedy}(?!.*stood in)`,
      's',
    ),
    arrange: async (bench) => {
      const s3 = await store(bench);
      if (fault !== undefined) s3.strict?.inject({ ...fault, operation: 'CreateMultipartUpload' });
      const { flags, environment } = s3Options(s3, ['--s3-kms-key-id', kms]);
      return {
        flags,
        environment: { ...environment, ...(secret === undefined ? {} : { AWS_SECRET_ACCESS_KEY: secret }) },
      };
    },
  };
}

async function store(bench: Bench): Promise<S3Store> {
  const started = await startStrictStore();
  bench.onEnd(() => started.stop());
  return started;
}

/** A store behind a line of so many bytes a second. */
async function slowLine(bench: Bench, bytesPerSecond: number): Promise<DoctorStart> {
  const s3 = await store(bench);
  const line = await startSlowLine(Number(new URL(s3.endpoint).port), bytesPerSecond);
  bench.onEnd(() => line.stop());
  const endpoint = `http://127.0.0.1:${line.port}`;
  if (s3.strict !== null) s3.strict.frontHost = new URL(endpoint).host;
  return s3Options({ ...s3, endpoint });
}

async function broker(bench: Bench, status: number, aheadMs = 0): Promise<DoctorStart> {
  const started = await startAnswering(status, aheadMs);
  bench.onEnd(() => started.stop());
  return { flags: [...S3, '--broker-url', started.url] };
}

async function endpoint(bench: Bench, status: number): Promise<DoctorStart> {
  const started = await startAnswering(status);
  bench.onEnd(() => started.stop());
  return { flags: ['--auth', 'endpoint', '--auth-url', started.url] };
}

/** Answers everything with a status, by a clock that may be ahead of ours. */
async function startAnswering(status: number, aheadMs = 0): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((_, response) => {
    response.writeHead(status, { Date: new Date(Date.now() + aheadMs).toUTCString() }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function bus(
  bench: Bench,
): Promise<Required<Pick<DoctorStart, 'flags' | 'environment'>> & { server: EventBridgeServer }> {
  const server = await startEventBridgeServer();
  bench.onEnd(() => server.stop());
  return {
    server,
    flags: [
      ...['--event-bus-name', server.bus, '--event-bridge-endpoint', server.endpoint],
      ...['--aws-region', server.region],
    ],
    environment: {
      AWS_ACCESS_KEY_ID: testKey.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testKey.secretAccessKey,
      AWS_SESSION_TOKEN: testKey.sessionToken ?? '',
    },
  };
}
