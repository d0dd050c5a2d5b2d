// Writes the browsers' machine policies on Linux: JSON files, some of which belong to others. Sightline's entries are recorded
// in a file of their own before they are written, so that only those are ever removed.

import { chmod, mkdir, readFile, readdir, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import { SightlineError, errno } from '../shared/errors.ts';
import { parseJsonObject } from '../shared/json.ts';
import { changeOf, type BrowserName, type Change, type WantedList } from './lists.ts';
import { firefoxFiles, linuxFolders } from './read.ts';

const OUR_FILE = 'sightline.json';
const RECORD = '/etc/sightline/browser-policy.json';
/** Browsers run as ordinary users. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

const recordSchema = z.object({
  version: z.literal(1),
  entries: z.array(z.object({ file: z.string(), path: z.array(z.string()), entry: z.string() })),
  /** Created by Sightline; removed when they are empty again. */
  files: z.array(z.string()),
  folders: z.array(z.string()),
});
type JsonObject = Record<string, unknown>;

/** @param wanted empty lists remove Sightline's entries @throws SightlineError */
export async function writePolicyFiles(wanted: readonly WantedList[], root = ''): Promise<Change[]> {
  try {
    return await new Files(root).write(wanted);
  } catch (error) {
    throw explain(error);
  }
}

class Files {
  private ours: z.infer<typeof recordSchema> = { version: 1, entries: [], files: [], folders: [] };

  constructor(private readonly root: string) {}

  async write(wanted: readonly WantedList[]): Promise<Change[]> {
    await this.readRecord();
    const changes: Change[] = [];
    for (const { browser, path: inBrowser, entries } of wanted) {
      const path = browser === 'Firefox' ? ['policies', ...inBrowser] : inBrowser;
      const targets = await (browser === 'Firefox'
        ? this.firefoxTargets()
        : this.targets(browser, path[0] ?? ''));
      const folders = this.foldersOf(browser);
      // Earlier files too: another file may take precedence now.
      const before = this.ours.entries
        .filter(
          (one) => isSame(one.path, path) && folders.some((folder) => one.file.startsWith(`${folder}/`)),
        )
        .map(({ file }) => file);
      for (const file of new Set([...before, ...targets])) {
        const change = await this.change(file, path, targets.includes(file) ? entries : []);
        if (change.added.length > 0 || change.removed.length > 0)
          changes.push({ browser, place: file, ...change });
      }
    }
    await this.tidy();
    return changes;
  }

  private foldersOf(browser: BrowserName): string[] {
    const folder = linuxFolders.find(([one]) => one === browser)?.[1];
    const folders = folder === undefined ? (firefoxFiles.linux ?? []).map((one) => dirname(one)) : [folder];
    return folders.map((one) => this.root + one);
  }

  /** The file in effect: the last by name that has the list; ours when no other file has it. */
  private async targets(browser: BrowserName, list: string): Promise<string[]> {
    const [folder = ''] = this.foldersOf(browser);
    const names = (await readdir(folder).catch(() => [])).sort().reverse();
    for (const other of names) {
      const path = join(folder, other);
      // Left behind by a power cut.
      if (/^sightline\.json\.[0-9a-f]{8}\.tmp$/.test(other)) await rm(path, { force: true });
      else if (other !== OUR_FILE && (await readFile(path, 'utf8').catch(() => '')).includes(`"${list}"`))
        return [path];
    }
    return [join(folder, OUR_FILE)];
  }

  /** The system-wide file hides the files of installations, so it is not created beside one of these. */
  private async firefoxTargets(): Promise<string[]> {
    const [systemWide = '', ...others] = (firefoxFiles.linux ?? []).map((path) => this.root + path);
    if (await exists(systemWide)) return [systemWide];
    const present = await Promise.all(others.map(exists));
    const found = others.filter((_, index) => present[index]);
    return found.length > 0 ? found : [systemWide];
  }

  private async change(
    file: string,
    path: readonly string[],
    wanted: readonly string[],
  ): Promise<Pick<Change, 'added' | 'removed'>> {
    const text = await readIfThere(file);
    const content = text === null ? {} : parseJsonObject(text);
    const list = content === null ? null : listAt(content, path);
    if (content === null || list === null)
      throw notWritten(
        `${file} is not a JSON object with a list at ${path.join('.')}. Fix the file, or add the entries by hand.`,
      );
    const mine = this.ours.entries.filter((one) => one.file === file && isSame(one.path, path));
    const others = this.ours.entries.filter((one) => !mine.includes(one));
    const before = mine.map(({ entry }) => entry);
    const { add, remove, keep } = changeOf(wanted, before, list);
    const record = (...entries: readonly string[]): void => {
      this.ours.entries = [...others, ...entries.map((entry) => ({ file, path: [...path], entry }))];
    };
    if (add.length > 0 || remove.length > 0) {
      record(...keep, ...remove, ...add);
      if (text === null && !this.ours.files.includes(file)) this.ours.files.push(file);
      await this.writeFile(this.root + RECORD, this.ours);
      put(content, path, [...list.filter((entry) => !remove.includes(entry)), ...add]);
      const isEmpty = Object.keys(content).length === 0 && this.ours.files.includes(file);
      await (isEmpty ? rm(file, { force: true }) : this.writeFile(file, content));
    }
    record(...keep, ...add);
    return { added: add, removed: remove };
  }

  private async writeFile(file: string, content: unknown): Promise<void> {
    await this.makeFolder(dirname(file));
    // Symbolic links and file modes are preserved.
    const real = await realpath(file).catch(() => file);
    const mode = await stat(real).then(
      (found) => found.mode & 0o777,
      () => FILE_MODE,
    );
    await writeFileAtomically(real, `${JSON.stringify(content, null, 2)}\n`, mode);
    // The umask applies at creation.
    await chmod(real, mode);
  }

  private async makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) {
      await chmod(made, FOLDER_MODE);
      if (!this.ours.folders.includes(made)) this.ours.folders.push(made);
    }
  }

  private async readRecord(): Promise<void> {
    const file = this.root + RECORD;
    const text = await readIfThere(file);
    if (text === null) return;
    const parsed = recordSchema.safeParse(parseJsonObject(text));
    if (!parsed.success)
      throw notWritten(
        `${file} is damaged. It records which entries are Sightline's. Restore it, or delete it and remove the entries by hand.`,
      );
    this.ours = parsed.data;
  }

  private async tidy(): Promise<void> {
    const { entries, files, folders } = this.ours;
    const record = this.root + RECORD;
    if (entries.length > 0) return this.writeFile(record, this.ours);
    if (files.length === 0 && folders.length === 0 && !(await exists(record))) return;
    await rm(record, { force: true });
    // Deepest first; folders that others use stay.
    for (const folder of folders.sort((a, b) => b.length - a.length))
      await rmdir(folder).catch(() => undefined);
  }
}

/** null when the path leads to another type. */
function listAt(content: JsonObject, path: readonly string[]): string[] | null {
  let value: unknown = content;
  for (const name of path) {
    if (value === undefined) return [];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    value = (value as JsonObject)[name];
  }
  if (value === undefined) return [];
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null;
}

/** An empty list is removed, and parents that become empty. */
function put(content: JsonObject, [name = '', ...rest]: readonly string[], list: readonly string[]): void {
  const below = (content[name] ?? {}) as JsonObject;
  if (rest.length > 0) put(below, rest, list);
  const value = rest.length === 0 ? list : below;
  if (Object.keys(value).length > 0) content[name] = value;
  else Reflect.deleteProperty(content, name);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.join('\n') === other.join('\n');
}

function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function notWritten(message: string, cause?: unknown): SightlineError {
  return new SightlineError('BROWSER_POLICY_NOT_WRITTEN', message, { cause });
}

function explain(cause: unknown): SightlineError {
  if (cause instanceof SightlineError) return cause;
  const code = errno(cause);
  const path = cause instanceof Error && 'path' in cause ? String(cause.path) : 'a file';
  if (code !== 'EACCES' && code !== 'EPERM')
    return notWritten(
      `${path} cannot be written (${code ?? 'unknown error'}). Existing files are unchanged or complete. Fix the cause and run the command again.`,
      cause,
    );
  const what = `${path} may be written by root only. Run it with sudo, with the same flags.`;
  return new SightlineError('NEEDS_ADMINISTRATOR', what, { cause });
}
