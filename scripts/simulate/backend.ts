// Broker and store of the simulation: starts them, and reads what they used.

import { fork, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../test/rig/process.ts';
import type { Order, Said, Usage } from './messages.ts';

export const BUCKET = 'recordings';
export const REGION = 'eu-west-1';
export const KMS_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
export const INSTANCE =
  'arn:aws:connect:eu-west-1:123456789012:instance/11111111-1111-1111-1111-111111111111';
export const FOLDER = 'connect/acme/ScreenRecordings';
export const TOKENS = {
  issuer: 'pages',
  audience: 'sightline-pages',
  secret: 'the secret of the simulated pages’ server',
};

export interface Backend {
  readonly brokerUrl: string;
  readonly authUrl: string;
  /** Of S3 and EventBridge. */
  readonly storeUrl: string;
  usage(): Promise<BackendUsage>;
  outage(isOut: boolean): void;
  stop(): void;
}

export interface BackendUsage {
  readonly broker: Usage;
  readonly store: Usage;
  readonly simulatorCpuMs: number;
  /** Of all processors together, since the machine's start. */
  readonly machine: { readonly busyMs: number; readonly allMs: number };
}

/** @param options.perSecond the broker's limit for one agent @param options.stsPerSecond null: STS never throttles */
export async function startBackend(options: {
  readonly perSecond: number;
  readonly burst: number;
  readonly stsPerSecond: number | null;
}): Promise<Backend> {
  const store = start('storeProcess.ts', {
    KMS_KEY_ARN: KMS_KEY,
    STS_PER_SECOND: String(options.stsPerSecond ?? ''),
  });
  const storeUrl = (await hear(store, 'url')).url;
  const broker = start('brokerProcess.ts', {
    INSTANCES: JSON.stringify([{ instanceArn: INSTANCE, bucket: BUCKET, keyPrefix: FOLDER }]),
    ...{ TOKEN_VERIFIER: 'hmac', TOKEN_ISSUER: TOKENS.issuer, TOKEN_AUDIENCE: TOKENS.audience },
    ...{ TOKEN_SECRET: TOKENS.secret, RELAY_CALLER_SECRET: TOKENS.secret },
    ROLE_ARN: 'arn:aws:iam::123456789012:role/uploads',
    ...{ KMS_KEY_ARN: KMS_KEY, TAG_KEYS: 'channel' },
    ...{ RATE_PER_SECOND: String(options.perSecond), RATE_BURST: String(options.burst) },
    ...{ AWS_ENDPOINT_URL_STS: storeUrl, AWS_REGION: REGION },
    ...{ AWS_ACCESS_KEY_ID: 'BROKERROLE', AWS_SECRET_ACCESS_KEY: 'secret' },
  });
  const { url: brokerUrl, authUrl = '' } = await hear(broker, 'url');
  const usageOf = async (child: ChildProcess): Promise<Usage> => {
    const heard = hear(child, 'usage');
    child.send({ usage: true } satisfies Order);
    return (await heard).usage;
  };
  return {
    ...{ brokerUrl, authUrl, storeUrl },
    async usage() {
      const { user, system } = process.cpuUsage();
      const [ofBroker, ofStore] = await Promise.all([usageOf(broker), usageOf(store)]);
      return {
        broker: ofBroker,
        store: ofStore,
        simulatorCpuMs: (user + system) / 1000,
        machine: machineTimes(),
      };
    },
    outage: (isOut) => void store.send({ outage: isOut } satisfies Order),
    stop() {
      broker.kill();
      store.kill();
    },
  };
}

function start(file: string, more: Record<string, string>): ChildProcess {
  // Nothing of this computer's AWS settings.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { ...Object.fromEntries(own), AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...more },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  endWithUs(child);
  return child;
}

/** @throws Error if the process ends */
async function hear<Name extends 'url' | 'usage'>(
  child: ChildProcess,
  name: Name,
): Promise<Extract<Said, Record<Name, unknown>>> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`A process of the simulation ended with ${code}.`));
    const listen = (said: Said): void => {
      if (!(name in said)) return;
      child.off('message', listen).off('exit', ended);
      resolve(said as Extract<Said, Record<Name, unknown>>);
    };
    child.on('message', listen).on('exit', ended);
  });
}

function machineTimes(): BackendUsage['machine'] {
  const all = cpus().map(({ times }) => times);
  const sum = (numbers: number[]): number => numbers.reduce((one, other) => one + other, 0);
  const allMs = sum(all.map((times) => sum(Object.values(times))));
  return { allMs, busyMs: allMs - sum(all.map(({ idle }) => idle)) };
}
