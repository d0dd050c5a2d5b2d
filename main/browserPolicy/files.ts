// Writes the browsers' machine policies on Linux: JSON files, some of which belong to others. Sightline's entries are recorded
// in a file of their own before they are written, so that only those are ever removed.

import { chmod, mkdir, readFile, readdir, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import { SightlineError, errno } from '../shared/errors.ts';
import { parseJsonObject } from '../shared/json.ts';
import type { BrowserName, Change, WantedList } from './lists.ts';
import { changeOf } from './lists.ts';
import { firefoxFiles, linuxFolders } from './read.ts';

const OUR_FILE = 'sightline.json';
const RECORD = '/etc/sightline/browser-policy.json';
/** Browsers run as ordinary users. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

const entrySchema = z.object({ file: z.string(), path: z.array(z.string()), entry: z.string() });
const recordSchema = z.object({
  version: z.literal(1),
  entries: z.array(entrySchema),
  /** Created by Sightline; removed when they are empty again. */
  files: z.array(z.string()),
  folders: z.array(z.string()),
});
type Entry = z.infer<typeof entrySchema>;
type Ours = z.infer<typeof recordSchema>;
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
  private ours: Ours = { version: 1, entries: [], files: [], folders: [] };

  constructor(private readonly root: string) {}

  async write(wanted: readonly WantedList[]): Promise<Change[]> {
    await this.readRecord();
    const changes: Change[] = [];
    for (const list of wanted) {
      const path = list.browser === 'Firefox' ? ['policies', ...list.path] : list.path;
      const targets = list.browser === 'Firefox' ? await this.firefoxTargets() : [await this.target(list)];
      // Earlier files too: another file may take precedence now.
      const before = this.ours.entries
        .filter((one) => isSame(one.path, path) && this.isOf(list.browser, one.file))
        .map(({ file }) => file);
      for (const file of new Set([...before, ...targets])) {
        const entries = targets.includes(file) ? list.entries : [];
        const change = await this.change(file, path, entries);
        if (change.added.length > 0 || change.removed.length > 0) {
          changes.push({ browser: list.browser, place: file, ...change });
        }
      }
    }
    await this.tidy();
    return changes;
  }

  /** The file in effect: the last by name that has the list; ours when no other file has it. */
  private async target({ browser, path: [name = ''] }: WantedList): Promise<string> {
    const folder = this.root + (linuxFolders.find(([one]) => one === browser)?.[1] ?? '');
    const names = (await readdir(folder).catch(() => [])).sort().reverse();
    for (const other of names) {
      // Left behind by a power cut.
      if (/^sightline\.json\.[0-9a-f]{8}\.tmp$/.test(other)) await rm(join(folder, other), { force: true });
      else if (other !== OUR_FILE) {
        const text = await readFile(join(folder, other), 'utf8').catch(() => '');
        if (text.includes(`"${name}"`)) return join(folder, other);
      }
    }
    return join(folder, OUR_FILE);
  }

  /** The system-wide file hides the files of installations, so it is not created beside one of these. */
  private async firefoxTargets(): Promise<string[]> {
    const [systemWide = '', ...others] = (firefoxFiles.linux ?? []).map((path) => this.root + path);
    if (await exists(systemWide)) return [systemWide];
    const present = await Promise.all(others.map(exists));
    const found = others.filter((_, index) => present[index]);
    return found.length > 0 ? found : [systemWide];
  }

  private isOf(browser: BrowserName, file: string): boolean {
    const folder = linuxFolders.find(([one]) => one === browser)?.[1];
    const places = folder === undefined ? (firefoxFiles.linux ?? []).map((one) => dirname(one)) : [folder];
    return places.some((place) => file.startsWith(`${this.root}${place}/`));
  }

  private async change(
    file: string,
    path: readonly string[],
    wanted: readonly string[],
  ): Promise<Pick<Change, 'added' | 'removed'>> {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return null;
      throw error;
    });
    const content = text === null ? {} : parseJsonObject(text);
    const list = content === null ? null : listAt(content, path);
    if (content === null || list === null) {
      throw notWritten(
        `${file} is not a JSON object with a list at ${path.join('.')}. Fix the file, or add the entries by hand.`,
      );
    }
    const mine = this.ours.entries.filter((one) => one.file === file && isSame(one.path, path));
    const { add, remove, keep } = changeOf(
      wanted,
      mine.map(({ entry }) => entry),
      list,
    );
    const entriesOf = (entries: readonly string[]): Entry[] =>
      entries.map((entry) => ({ file, path: [...path], entry }));
    const others = this.ours.entries.filter((one) => !mine.includes(one));
    if (add.length === 0 && remove.length === 0) {
      this.ours.entries = [...others, ...entriesOf(keep)];
      return { added: [], removed: [] };
    }
    this.ours.entries = [...others, ...entriesOf([...keep, ...remove, ...add])];
    if (text === null && !this.ours.files.includes(file)) this.ours.files.push(file);
    await this.writeRecord();
    put(content, path, [...list.filter((entry) => !remove.includes(entry)), ...add]);
    if (Object.keys(content).length === 0 && this.ours.files.includes(file)) await rm(file, { force: true });
    else await this.writeFile(file, content);
    this.ours.entries = [...others, ...entriesOf([...keep, ...add])];
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
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return;
    const parsed = recordSchema.safeParse(parseJsonObject(text));
    if (!parsed.success) {
      throw notWritten(
        `${file} is damaged. It records which entries are Sightline's. Restore it, or delete it and remove the entries by hand.`,
      );
    }
    this.ours = parsed.data;
  }

  private async writeRecord(): Promise<void> {
    await this.writeFile(this.root + RECORD, this.ours);
  }

  private async tidy(): Promise<void> {
    const { entries, files, folders } = this.ours;
    if (entries.length > 0) return this.writeRecord();
    if (files.length === 0 && folders.length === 0 && !(await exists(this.root + RECORD))) return;
    await rm(this.root + RECORD, { force: true });
    // Deepest first; folders that others use stay.
    for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
      await rmdir(folder).catch(() => undefined);
    }
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
  if (rest.length === 0) {
    if (list.length > 0) content[name] = list;
    else Reflect.deleteProperty(content, name);
    return;
  }
  const below = (content[name] ?? {}) as JsonObject;
  put(below, rest, list);
  if (Object.keys(below).length > 0) content[name] = below;
  else Reflect.deleteProperty(content, name);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.join('\n') === other.join('\n');
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function notWritten(message: string): SightlineError {
  return new SightlineError('BROWSER_POLICY_NOT_WRITTEN', message);
}

function explain(error: unknown): SightlineError {
  if (error instanceof SightlineError) return error;
  const code = errno(error);
  const path = error instanceof Error && 'path' in error ? String(error.path) : 'a file';
  if (code === 'EACCES' || code === 'EPERM') {
    return new SightlineError(
      'NEEDS_ADMINISTRATOR',
      `${path} may be written by root only. Run it with sudo, with the same flags.`,
      { cause: error },
    );
  }
  return new SightlineError(
    'BROWSER_POLICY_NOT_WRITTEN',
    `${path} cannot be written (${code ?? 'unknown error'}). Existing files are unchanged or complete. Fix the cause and run the command again.`,
    { cause: error },
  );
}
