// What goes into the diagnostics bundle, put together from the services' own readers: `exportDiagnostics` is called by
// `sightline diagnostics` and by the app. Only the checks write anything, what they always do; it works beside a running
// Sightline as well as without.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, readFile, readdir, realpath } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { displaysOf, type MonitorSource } from '../../capture/displays.ts';
import { FfmpegFinder } from '../../capture/ffmpegBinary.ts';
import type { BundlePart, WrittenBundle } from '../../diagnostics/bundle.ts';
import { writeBundle } from '../../diagnostics/bundle.ts';
import { lastLines, listFolder } from '../../diagnostics/files.ts';
import {
  LEFT_OUT,
  hashedHost,
  looksSecret,
  redactUrl,
  secretsIn,
  urlSecrets,
} from '../../platform/redact.ts';
import * as shapes from '../../diagnostics/supportShapes.ts';
import { keep } from '../../diagnostics/supportShapes.ts';
import { systemFacts, type Environment } from '../../diagnostics/system.ts';
import { controlFileIn } from '../../platform/controlFile.ts';
import { keyFileStore, type KeyStore } from '../../platform/keyStore.ts';
import { appVersion, osName } from '../../platform/version.ts';
import type { KeyInfo } from '../../policy/keyInfo.ts';
import { policyKeyNames, policyKeys, type Policy, type PolicyKey } from '../../policy/keys.ts';
import type { SalvagedPolicy } from '../../policy/salvage.ts';
import { manifestSchema } from '../../shared/manifest.ts';
import type { AppStatePush } from '../../shared/protocol.ts';
import { errno, SightlineError } from '../../shared/errors.ts';
import { statusEventSchema } from '../../shared/statusEvent.ts';
import { readJournal, spoolError } from '../../spool/journal.ts';
import { sessionKeys } from '../../spool/sessionKeys.ts';
import { eventsFiles } from '../../status/eventsFile.ts';

export interface DiagnosticsOptions {
  /** The zip; replaced if it is there. */
  readonly out: string;
  readonly policy: SalvagedPolicy;
  readonly resourcesFolder: string;
  readonly environment: Environment;
  /** What `sightline doctor` would say. */
  readonly runChecks: () => Promise<readonly unknown[]>;
  /** The platform's, where there is one; journals that it has locked cannot be read without. */
  readonly keyStore?: KeyStore;
  readonly monitorSource?: MonitorSource;
  /** Of the running app, where it is the one that asks. */
  readonly state?: () => AppStatePush;
}

const JOURNALS = 'journals of recordings that are not delivered yet';
const MAX_SESSIONS = 10;
const MAX_EVENTS = 200;
const MAX_EVENT_BYTES = 1024 * 1024;
const MAX_LOG_BYTES = 6 * 1024 * 1024;
const MAX_LOGS = 4;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_JOURNAL_BYTES = 16 * 1024 * 1024;

/** @throws SightlineError DISK_FULL, BUNDLE_NOT_WRITTEN */
export async function exportDiagnostics(options: DiagnosticsOptions): Promise<WrittenBundle> {
  const { policy, environment, resourcesFolder } = options;
  const { values } = policy;
  const [sessions, logs] = await Promise.all([
    namesIn(join(values.dataDir, 'spool')).catch((error: unknown) => spoolError(error, values.dataDir)),
    newestLogs(join(values.dataDir, 'logs')).catch(() => []), // the data folder's listing shows why
  ]);
  const parts: BundlePart[] = [
    value('policy.json', 'each policy key with its value and its source', () =>
      Promise.resolve(policyFor(policy)),
    ),
    value('versions.json', 'what runs here', () => Promise.resolve(versionsNow())),
    value('system.json', 'the machine, its desktop and its disks', () =>
      systemFacts(environment, [values.dataDir, values.sinkFolder]),
    ),
    value('displays.json', 'the monitors and how they would be recorded', () => displayFacts(options)),
    value('ffmpeg.json', 'which ffmpeg is used, how it was built, its encoders', () =>
      ffmpegFacts(values, resourcesFolder),
    ),
    ...(options.state === undefined ? [] : [stateOf(options.state)]),
    lines('status-events.ndjson', 'the last status events', () => statusEvents(values.statusEventsFile)),
    lines('manifests.ndjson', 'the manifests of the last recordings in the sink folder', () =>
      manifests(values),
    ),
    ...(sessions instanceof Error
      ? [lines('spool/unreadable.ndjson', JOURNALS, () => throwing(sessions))]
      : sessions
          .slice(-MAX_SESSIONS)
          .map((id) => lines(`spool/${id}.ndjson`, JOURNALS, () => journal(options, id)))),
    value(
      'data-folder.json',
      'names, sizes and times of what is in the data folder, the outbox included',
      () => listFolder(values.dataDir),
    ),
    ...logs.map((name, index) =>
      lines(`logs/${name}.ndjson`, 'the log, newest file first', () =>
        logLines(join(values.dataDir, 'logs', name), MAX_LOG_BYTES / (index + 1)),
      ),
    ),
    value('checks.json', 'what `sightline doctor` says', async () => ({ checks: await options.runChecks() })),
  ];
  return writeBundle({
    out: resolve(options.out),
    parts,
    redaction: {
      home: environment.HOME ?? environment.USERPROFILE ?? homedir(),
      hostName: hostname(),
      secrets: [
        ...secretsIn(environment),
        ...policySecrets(values),
        ...(await controlSecrets(values.dataDir)),
      ],
    },
    now: new Date(),
    appVersion,
  });
}

function value(name: string, about: string, read: () => Promise<unknown>): BundlePart {
  return { kind: 'value', name, about, read };
}

function lines(name: string, about: string, read: () => AsyncIterable<unknown>): BundlePart {
  return { kind: 'lines', name, about, read };
}

/** A part that says why it is not there. */
// eslint-disable-next-line @typescript-eslint/require-await -- it only throws
async function* throwing(error: Error): AsyncGenerator {
  throw error;
}

function stateOf(read: () => AppStatePush): BundlePart {
  return value('state.json', 'what the app shows', () => Promise.resolve(keep(read(), shapes.appStateShape)));
}

/** Texts that are shown as they are; of other texts only that they are set. Numbers and choices are always shown. */
const SHOWN: ReadonlySet<PolicyKey> = new Set([
  ...(['dataDir', 'sinkFolder', 'statusEventsFile', 'ffmpegPath', 'display', 'allowedDomains'] as const),
  ...([
    's3Bucket',
    's3KmsKeyId',
    's3StorageClass',
    'awsRegion',
    'awsProfile',
    'keyPrefix',
    'eventBusName',
  ] as const),
]);

function policyFor({ values, sources, warnings, problems }: SalvagedPolicy): unknown {
  const keys = policyKeyNames.map((name) => [
    name,
    { value: policyValue(name, values[name]), source: sources[name] },
  ]);
  return { keys: Object.fromEntries(keys) as unknown, warnings, problems };
}

function policyValue(name: PolicyKey, given: unknown): unknown {
  if (typeof given === 'number' || typeof given === 'boolean' || given === null) return given;
  const { schema }: KeyInfo<unknown> = policyKeys[name];
  if (SHOWN.has(name) || schema instanceof z.ZodEnum) return given;
  if (/(Url|Endpoint)$/.test(name) && typeof given === 'string') return redactUrl(given);
  // Of tags the names.
  if (Array.isArray(given)) return given.map((one) => `${String(one).split('=', 1)[0] ?? ''}=${LEFT_OUT}`);
  return LEFT_OUT;
}

function policySecrets(values: Policy): string[] {
  return Object.values(values).flatMap((one) => (typeof one === 'string' ? urlSecrets(one) : []));
}

/** Read so that they can be looked for, and for nothing else. */
async function controlSecrets(dataDir: string): Promise<string[]> {
  try {
    const access: unknown = JSON.parse(await readFile(controlFileIn(dataDir), 'utf8'));
    return Object.values(access ?? {}).filter((one) => typeof one === 'string');
  } catch {
    return []; // there is none, or it is nobody's
  }
}

function versionsNow(): unknown {
  const { node, electron, chrome, v8 } = process.versions;
  return { sightline: appVersion, node, electron, chrome, v8, os: osName(), host: hashedHost(hostname()) };
}

async function displayFacts({ policy, monitorSource }: DiagnosticsOptions): Promise<unknown> {
  const { display, maxMonitors } = policy.values;
  const displays = displaysOf({
    platform: process.platform,
    display,
    maxMonitors,
    source: monitorSource ?? null,
  });
  try {
    return await displays.current(null);
  } finally {
    displays.close();
  }
}

const run = promisify(execFile);

async function ffmpegFacts({ ffmpegPath, encoder }: Policy, resourcesFolder: string): Promise<unknown> {
  const found = await new FfmpegFinder({ ffmpegPath, resourcesFolder, encoder }).find();
  const { path } = found.binary;
  const ask = async (what: string): Promise<string[]> => {
    const options = { timeout: 10_000, windowsHide: true, maxBuffer: 1024 * 1024 };
    return (await run(path, ['-hide_banner', what], options)).stdout.split(/\r?\n/);
  };
  const [build, encoders, devices] = await Promise.all([ask('-version'), ask('-encoders'), ask('-devices')]);
  return { ...found, build, encoders, devices };
}

/** Also from rotated files where the newest has few. */
async function lastEvents(statusEventsFile: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of eventsFiles(statusEventsFile)) {
    found.unshift(...(await lastLines(file, MAX_EVENT_BYTES)));
    if (found.length >= MAX_EVENTS) break;
  }
  return found.slice(-MAX_EVENTS);
}

async function* statusEvents(file: string): AsyncGenerator {
  let foreign = 0;
  for (const line of await lastEvents(file)) {
    const event = statusEventSchema.safeParse(parse(line));
    if (event.success) yield keep(event.data, shapes.statusEventShape);
    else foreign += 1;
  }
  if (foreign > 0) yield { leftOut: 'lines that are no status events', count: foreign };
}

/** Of the recordings that the last status events tell of: the sink folder may hold a hundred thousand. */
async function* manifests({ statusEventsFile, sinkFolder }: Policy): AsyncGenerator {
  const sink = await realpath(sinkFolder).catch(() => null);
  if (sink === null) return;
  const locations = new Set<string>();
  for (const line of await lastEvents(statusEventsFile)) {
    const event = statusEventSchema.safeParse(parse(line));
    if (event.data?.detail.recordingStatus !== 'PUBLISHED') continue;
    const { location } = event.data.detail.recordingInfo;
    if (location.startsWith('file:') && location.endsWith('.mp4')) locations.add(location);
  }
  for (const location of [...locations].slice(-2 * MAX_SESSIONS)) {
    const path = fileURLToPath(location).replace(/\.mp4$/, '.json');
    const real = await realpath(path).catch(() => null);
    // The file of events is not to name other files than the sink's.
    if (real === null || !real.startsWith(`${sink}${sep}`)) continue;
    if ((await lstat(real)).size > MAX_MANIFEST_BYTES) continue;
    const manifest = manifestSchema.safeParse(parse(await readFile(real, 'utf8')));
    yield manifest.success
      ? keep(manifest.data, shapes.manifestShape)
      : { leftOut: 'a file that is no manifest', file: path };
  }
}

async function* journal({ policy, keyStore }: DiagnosticsOptions, id: string): AsyncGenerator {
  const { dataDir } = policy.values;
  const path = join(dataDir, 'spool', id, 'journal.ndjson');
  const { size } = await lstat(path);
  if (size > MAX_JOURNAL_BYTES) throw new SightlineError('SPOOL_UNREADABLE', `${path} has ${size} bytes.`);
  const keyFile = join(dataDir, 'spool.key');
  // Its store makes a new key where there is none, which nobody has asked for here.
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
    const parsed = parse(line);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      yield shapes.keepOfLogLine(parsed as Record<string, unknown>);
    else foreign += 1;
  }
  if (foreign > 0) yield { leftOut: 'lines that are not of the log', count: foreign };
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

/** Sorted; none where there is no folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[\w.-]+$/.test(name)).sort();
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
