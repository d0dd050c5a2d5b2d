// Dumps of native crashes, by Electron's crash reporter: <dataDir>/logs/dumps. Nothing uploads them. A dump contains memory of the
// process, with secrets and possibly parts of the screen, so it leaves this computer only if a person says so.

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What is used of Electron's `app` and `crashReporter`. */
export interface CrashReporter {
  readonly app: { setPath(name: 'crashDumps', path: string): void };
  readonly crashReporter: {
    start(options: { uploadToServer: false; submitURL: string; productName: string }): void;
  };
}

export interface CrashDump {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

const KEPT_DUMPS = 5;
/** The folder itself (Breakpad), and those that Crashpad makes in it (https://www.electronjs.org/docs/latest/api/crash-reporter). */
const FOLDERS = ['', 'reports', 'completed', 'pending', 'new'];

/** Before the first window: only processes that start later are covered. Deletes all but the newest dumps. */
export function keepCrashDumps(logFolder: string, { app, crashReporter }: CrashReporter): void {
  for (const { path } of findCrashDumps(logFolder).slice(KEPT_DUMPS))
    for (const file of [path, path.replace(/dmp$/, 'meta')]) rmSync(file, { force: true });
  app.setPath('crashDumps', join(logFolder, 'dumps'));
  // The address is never used; older versions of Electron insist on one.
  crashReporter.start({ uploadToServer: false, submitURL: 'https://127.0.0.1/', productName: 'Sightline' });
}

/** Newest first. */
export function findCrashDumps(logFolder: string): CrashDump[] {
  return FOLDERS.flatMap((name) => dumpsIn(join(logFolder, 'dumps', name))).sort(
    (a, b) => b.modifiedMs - a.modifiedMs,
  );
}

function dumpsIn(folder: string): CrashDump[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^[\w.-]+\.dmp$/.test(entry.name))
      .map(({ name }) => {
        const path = join(folder, name);
        const { size, mtimeMs } = statSync(path);
        return { name, path, sizeBytes: size, modifiedMs: mtimeMs };
      });
  } catch {
    return []; // no such folder
  }
}
