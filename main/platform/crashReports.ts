// Local reports of unexpected errors, for support: <dataDir>/logs/crash-*.json. They never leave this machine on their
// own, and contain no environment, command line or payload: only the stack, without secrets, and versions.

import { SourceMap } from 'node:module';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from './log.ts';
import { redactText, secretsIn } from './redact.ts';
import { appVersion, osName } from './version.ts';

const KEPT_REPORTS = 20;
/** An error in a timer may repeat forever. */
const MAX_REPORTS_PER_PROCESS = 10;

type CrashKind = 'uncaughtException' | 'unhandledRejection';

/**
 * Reports what the process would otherwise die of or ignore.
 *
 * @param onReported decides whether the process goes on
 */
export function reportCrashes(logFolder: () => string, log: () => Logger, onReported?: () => void): void {
  let reports = 0;
  const report = (kind: CrashKind, error: unknown): void => {
    const stack = redactText(stackOf(error), {
      home: homedir(),
      hostName: hostname(),
      secrets: secretsIn(process.env),
    });
    reports += 1;
    const file = reports > MAX_REPORTS_PER_PROCESS ? null : writeReport(logFolder(), kind, stack);
    log().error('unexpected error', { code: 'UNKNOWN', kind, stack, ...(file === null ? {} : { file }) });
    onReported?.();
  };
  process.on('uncaughtException', (error) => report('uncaughtException', error));
  process.on('unhandledRejection', (reason) => report('unhandledRejection', reason));
}

/** @returns null when the disk does not take it: the log has the stack as well */
function writeReport(folder: string, kind: CrashKind, stack: string): string | null {
  const time = new Date().toISOString();
  const file = join(folder, `crash-${time.replaceAll(/[-:]/g, '')}-${process.pid}.json`);
  const { electron, node } = process.versions as Partial<Record<string, string>>;
  const versions = { sightline: appVersion, electron, node, system: osName() };
  const uptimeSeconds = Math.round(process.uptime());
  const memoryMiB = Math.round(process.memoryUsage().rss / 1024 ** 2);
  const report = { time, kind, versions, uptimeSeconds, memoryMiB, stack: stack.split('\n') };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
    const reports = readdirSync(folder).filter((name) => /^crash-.*\.json$/.test(name));
    for (const old of reports.sort().slice(0, -KEPT_REPORTS)) rmSync(join(folder, old), { force: true });
    return file;
  } catch {
    return null;
  }
}

const FRAME = /file:\/\/[^\s()]+?:\d+:\d+/g;

/** The stack with places in our sources, where the bundle's source map is beside it. */
export function stackOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return stack.replaceAll(FRAME, (place) => {
    try {
      return sourcePlace(place) ?? place;
    } catch {
      return place; // no map: a stack in the bundle is better than none
    }
  });
}

function sourcePlace(place: string): string | null {
  const [, url = '', line, column] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
  const text = readFileSync(`${fileURLToPath(url)}.map`, 'utf8');
  const map = new SourceMap(JSON.parse(text) as ConstructorParameters<typeof SourceMap>[0]);
  const found = map.findEntry(Number(line) - 1, Number(column) - 1);
  if (!('originalSource' in found)) return null;
  return `${found.originalSource.replace(/^(\.\.\/)+/, '')}:${found.originalLine + 1}:${found.originalColumn + 1}`;
}
