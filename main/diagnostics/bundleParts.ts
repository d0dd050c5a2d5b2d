// The contents of the diagnostics bundle, for `sightline diagnostics` and the app. Works with and without a running Sightline,
// and changes nothing (the checks remove what they create, and note their verdicts).

import { existsSync } from 'node:fs';
import { lstat, readFile, readdir, realpath } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { findCrashDumps } from '../platform/crashDumps.ts';
import { controlFileIn } from '../server/controlFile.ts';
import { keyFileStore, systemKeyStore, type KeyStore } from '../platform/keyStore.ts';
import { LEFT_OUT, looksSecret, redactUrl, secretsIn, urlSecrets } from '../platform/redact.ts';
import { appVersion } from '../platform/version.ts';
import type { KeyInfo } from '../policy/keyInfo.ts';
import { policyKeyNames, policyKeys, type Policy, type PolicyKey } from '../policy/keys.ts';
import type { LenientPolicy } from '../policy/read.ts';
import { errno, SightlineError } from '../shared/errors.ts';
import { parseJson, parseJsonObject } from '../shared/json.ts';
import { manifestSchema } from '../shared/manifest.ts';
import type { AppStatePush } from '../shared/protocol.ts';
import { deskEventSchema, type AnyEvent } from '../shared/deskEvent.ts';
import { statusEventSchema } from '../shared/statusEvent.ts';
import { readJournal, spoolError } from '../spool/journal.ts';
import { sessionKeys } from '../spool/sessionKeys.ts';
import { eventsFiles } from '../status/eventsFile.ts';
import { writeBundle, type BundlePart, type WrittenBundle } from './bundle.ts';
import type { Environment } from './check.ts';
import { displayFacts, ffmpegFacts, systemFacts, versionsNow } from './facts.ts';
import { lastLines, listFolder } from './files.ts';
import * as shapes from './supportShapes.ts';
import { keep } from './supportShapes.ts';

export interface DiagnosticsOptions {
  /** The zip; an existing file is replaced. */
  readonly out: string;
  readonly policy: LenientPolicy;
  readonly resourcesFolder: string;
  /** They contain memory of Sightline: only if the person who exports says so. */
  readonly includeCrashDumps: boolean;
  readonly environment: Environment;
  /** The results of `sightline doctor`. */
  readonly runChecks: () => Promise<readonly unknown[]>;
  /** The platform's; needed to read journals whose keys it has wrapped. */
  readonly keyStore?: KeyStore | null;
  /** Of the running app. */
  readonly state?: (() => AppStatePush) | null;
}

const JOURNALS = 'journals of recordings that are not uploaded yet';
const MAX_SESSIONS = 10;
const MAX_EVENTS = 200;
const MAX_EVENT_BYTES = 1024 * 1024;
const MAX_LOG_BYTES = 6 * 1024 * 1024;
const MAX_LOGS = 4;
const MAX_DUMPS = 3;
const MAX_DUMP_BYTES = 8 * 1024 * 1024;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_JOURNAL_BYTES = 16 * 1024 * 1024;

/** @throws SightlineError DISK_FULL, BUNDLE_NOT_WRITTEN */
export async function exportDiagnostics(options: DiagnosticsOptions): Promise<WrittenBundle> {
  const { policy, environment, resourcesFolder, state = null } = options;
  const { values } = policy;
  const { dataDir } = values;
  const [sessions, logs] = await Promise.all([
    namesIn(join(dataDir, 'spool')).catch((error: unknown) => spoolError(error, dataDir)),
    newestLogs(join(dataDir, 'logs')).catch(() => []), // the list of the data folder shows why
  ]);
  const journals =
    sessions instanceof Error
      ? [part('spool/unreadable.ndjson', JOURNALS, () => Promise.reject(sessions))]
      : sessions
          .slice(-MAX_SESSIONS)
          .map((id) => part(`spool/${id}.ndjson`, JOURNALS, () => journal(options, id)));
  const dumps = options.includeCrashDumps ? findCrashDumps(join(dataDir, 'logs')).slice(0, MAX_DUMPS) : [];
  const parts = [
    part('policy.json', 'each policy key with its value and its source', () => policyFor(policy)),
    part('versions.json', 'the versions of Sightline and its runtime', versionsNow),
    part('system.json', 'the machine, its desktop and its disks', () =>
      systemFacts(environment, [dataDir, values.sinkFolder]),
    ),
    part('displays.json', 'the monitors and the layout of a recording', () => displayFacts(values)),
    part('ffmpeg.json', 'the ffmpeg in use, its build options and encoders', () =>
      ffmpegFacts(values, resourcesFolder),
    ),
    ...(state === null
      ? []
      : [part('state.json', 'the state that the app shows', () => keep(state(), shapes.appStateShape))]),
    part('status-events.ndjson', 'the latest status events', () => statusEvents(values.statusEventsFile)),
    part('manifests.ndjson', 'the manifests of the latest recordings in the sink folder', () =>
      manifests(values),
    ),
    ...journals,
    part(
      'data-folder.json',
      'names, sizes and times of the files in the data folder, including the outbox',
      () => listFolder(dataDir),
    ),
    ...logs.map((name, index) =>
      part(`logs/${name}.ndjson`, 'the log, newest file first', () =>
        logLines(join(dataDir, 'logs', name), MAX_LOG_BYTES / (index + 1)),
      ),
    ),
    part('checks.json', 'the results of `sightline doctor`', async () => ({
      checks: await options.runChecks(),
    })),
    ...dumps.map(({ name, path }) =>
      part(`dumps/${name}`, 'memory of Sightline when it crashed, not redacted', () => readDump(path)),
    ),
  ];
  const home = environment.HOME ?? environment.USERPROFILE ?? homedir();
  const secrets = [...secretsIn(environment), ...policySecrets(values), ...(await controlSecrets(dataDir))];
  const redaction = { home, hostName: hostname(), secrets };
  return writeBundle({ out: resolve(options.out), parts, redaction, now: new Date(), appVersion });
}

async function readDump(path: string): Promise<Buffer> {
  const { size } = await lstat(path);
  if (size > MAX_DUMP_BYTES) throw new Error(`The dump has ${size} bytes, ${MAX_DUMP_BYTES} are allowed.`);
  return readFile(path);
}

function part(name: string, about: string, read: BundlePart['read']): BundlePart {
  return { name, about, read };
}

/** Texts that are included. Other texts are left out; numbers and enumerations are always included. */
const SHOWN: readonly PolicyKey[] = [
  ...(['dataDir', 'sinkFolder', 'statusEventsFile', 'ffmpegPath', 'display', 'allowedDomains'] as const),
  ...(['caFile'] as const),
  ...(['s3Bucket', 's3KmsKeyId', 's3StorageClass', 'awsRegion', 'awsProfile'] as const),
  ...(['keyPrefix', 'eventBusName'] as const),
];

function policyFor({ values, sources, warnings, problems }: LenientPolicy): unknown {
  const keys = Object.fromEntries(
    policyKeyNames.map((name) => [name, { value: policyValue(name, values[name]), source: sources[name] }]),
  );
  return { keys, warnings, problems };
}

function policyValue(name: PolicyKey, given: unknown): unknown {
  if (typeof given === 'number' || typeof given === 'boolean' || given === null) return given;
  const { schema }: KeyInfo<unknown> = policyKeys[name];
  if (SHOWN.includes(name) || schema instanceof z.ZodEnum || given === 'direct') return given;
  if (/(Url|Endpoint)$/.test(name) && typeof given === 'string') return redactUrl(given);
  // Tags: names without values.
  if (Array.isArray(given)) return given.map((one) => `${String(one).split('=', 1)[0] ?? ''}=${LEFT_OUT}`);
  return LEFT_OUT;
}

function policySecrets(values: Policy): string[] {
  return Object.values(values).flatMap((one) => (typeof one === 'string' ? urlSecrets(one) : []));
}

/** Read only to redact them. */
async function controlSecrets(dataDir: string): Promise<string[]> {
  try {
    const access = parseJsonObject(await readFile(controlFileIn(dataDir), 'utf8'));
    return Object.values(access ?? {}).filter((one) => typeof one === 'string');
  } catch {
    return []; // missing or not readable
  }
}

/** Also from rotated files where the newest has few. */
async function latestEvents(statusEventsFile: string): Promise<{ events: AnyEvent[]; foreign: number }> {
  const found: string[] = [];
  for (const file of eventsFiles(statusEventsFile)) {
    found.unshift(...(await lastLines(file, MAX_EVENT_BYTES)));
    if (found.length >= MAX_EVENTS) break;
  }
  const all = found.slice(-MAX_EVENTS);
  const schema = z.union([statusEventSchema, deskEventSchema]);
  const events = all.flatMap((line) => schema.safeParse(parseJson(line)).data ?? []);
  return { events, foreign: all.length - events.length };
}

async function* statusEvents(file: string): AsyncGenerator {
  const { events, foreign } = await latestEvents(file);
  for (const event of events) yield keep(event, shapes.statusEventShape);
  if (foreign > 0) yield { leftOut: 'lines that are not status events', count: foreign };
}

/** Of the recordings in the latest status events: the sink folder may contain a hundred thousand. */
async function* manifests({ statusEventsFile, sinkFolder }: Policy): AsyncGenerator {
  const sink = await realpath(sinkFolder).catch(() => null);
  if (sink === null) return;
  const { events } = await latestEvents(statusEventsFile);
  const locations = new Set(
    events
      .flatMap(({ detail }) =>
        'recordingStatus' in detail && detail.recordingStatus === 'PUBLISHED'
          ? [detail.recordingInfo.location]
          : [],
      )
      .filter((location) => location.startsWith('file:') && location.endsWith('.mp4')),
  );
  for (const location of [...locations].slice(-2 * MAX_SESSIONS)) {
    const path = fileURLToPath(location).replace(/\.mp4$/, '.json');
    const real = await realpath(path).catch(() => null);
    // The events must not lead to files outside the sink.
    if (real === null || !real.startsWith(`${sink}${sep}`)) continue;
    if ((await lstat(real)).size > MAX_MANIFEST_BYTES) continue;
    const manifest = manifestSchema.safeParse(parseJson(await readFile(real, 'utf8')));
    yield manifest.success
      ? keep(manifest.data, shapes.manifestShape)
      : { leftOut: 'a file that is not a manifest', file: path };
  }
}

async function* journal(
  { policy, keyStore = systemKeyStore() }: DiagnosticsOptions,
  id: string,
): AsyncGenerator {
  const { dataDir } = policy.values;
  const path = join(dataDir, 'spool', id, 'journal.ndjson');
  const { size } = await lstat(path);
  if (size > MAX_JOURNAL_BYTES) throw new SightlineError('SPOOL_UNREADABLE', `${path} has ${size} bytes.`);
  const keyFile = join(dataDir, 'spool.key');
  // The store would create a missing key.
  const stores = [...(keyStore ? [keyStore] : []), ...(existsSync(keyFile) ? [keyFileStore(keyFile)] : [])];
  const [first, ...others] = stores;
  if (first === undefined)
    throw new SightlineError('SPOOL_UNREADABLE', `The spool's key ${keyFile} is missing.`);
  const found = await readJournal(path, sessionKeys([first, ...others]));
  for (const entry of found?.entries ?? []) yield keep(entry, shapes.journalShape);
  const unreadable = found?.unreadable ?? 0;
  if (unreadable > 0)
    throw new SightlineError('SPOOL_UNREADABLE', `Lines of ${path} that cannot be read: ${unreadable}.`);
}

async function* logLines(path: string, maxBytes: number): AsyncGenerator {
  let foreign = 0;
  for (const line of await lastLines(path, maxBytes)) {
    const parsed = parseJsonObject(line);
    if (parsed !== null) yield shapes.keepOfLogLine(parsed);
    else foreign += 1;
  }
  if (foreign > 0) yield { leftOut: 'lines that are not log lines', count: foreign };
}

async function newestLogs(folder: string): Promise<string[]> {
  const names = (await namesIn(folder)).filter(
    (name) => /^sightline[\w.-]*\.log$/.test(name) && !looksSecret(name),
  );
  const dated = await Promise.all(
    names.map(async (name) => ({
      name,
      at: await lstat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  return dated
    .sort((a, b) => b.at - a.at)
    .slice(0, MAX_LOGS)
    .map(({ name }) => name);
}

/** Sorted; empty without the folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[\w.-]+$/.test(name)).sort();
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}
