// Whether a sink folder is still the same one. Where a share is not mounted its mount point is an empty local folder, and a
// recording written there would count as uploaded. So a sink has a marker, an empty file with an id in its name; each
// computer stores the id in its data folder and uploads only where it finds that marker. Many computers can share a sink: the
// first one creates the marker, and if two do so at once both markers stay.

import { mkdir, open, readFile, readdir, stat, utimes } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { syncFolder, writeFileAtomically } from '../platform/atomicFile.ts';
import { groupOf } from '../platform/privateFiles.ts';
import { errno } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import { UploadError } from './uploadError.ts';

const MARKER = /^\.sightline-sink-([\w-]{1,64})$/;
const nameOf = (id: string): string => `.sightline-sink-${id}`;

const knownSchema = z.object({
  version: z.literal(1),
  /** By folder, as in the policy: the id of its marker. */
  sinks: z.record(z.string(), z.string().regex(/^[\w-]{1,64}$/)),
});
type Known = z.infer<typeof knownSchema>;

/** Shares are often cleared of old files, so the marker must not look old. */
const REFRESH_EVERY_MS = 24 * 3_600_000;

export class SinkIdentity {
  private readonly file: string;
  private refreshedAt = -Infinity;

  constructor(
    private readonly folder: string,
    dataDir: string,
  ) {
    this.file = join(dataDir, 'sinks.json');
  }

  /**
   * Creates folder and marker when this computer uses the sink for the first time, and never later.
   * @throws UploadError SINK_CHANGED when it is not the sink that this computer knows
   */
  async require(): Promise<void> {
    const known = await this.read();
    const id = known.sinks[this.folder];
    if (id === undefined) return this.adopt(known);
    if (!(await this.has(id))) throw await this.changed(id);
    await this.refresh(join(this.folder, nameOf(id)));
    return undefined;
  }

  /** Like require, but creates nothing. */
  async check(): Promise<void> {
    const id = (await this.read()).sinks[this.folder];
    if (id !== undefined && !(await this.has(id))) throw await this.changed(id);
  }

  private async adopt(known: Known): Promise<void> {
    const [found] = await this.markers();
    const id = found ?? (await this.mark());
    const sinks = { ...known.sinks, [this.folder]: id };
    try {
      await writeFileAtomically(this.file, `${JSON.stringify({ version: 1, sinks })}\n`, 0o600);
    } catch (error) {
      // Uploads free space on a full disk, so they must not need space. The next upload counts as the first use again.
      if (!['ENOSPC', 'EDQUOT'].includes(errno(error) ?? '')) throw error;
    }
  }

  private async mark(): Promise<string> {
    const id = randomUUID();
    await mkdir(this.folder, { recursive: true });
    const { ofFiles } = await groupOf(this.folder);
    const file = await open(join(this.folder, nameOf(id)), 'wx', 0o600);
    if (process.platform !== 'win32') await file.chmod(ofFiles);
    await file.close();
    await syncFolder(this.folder);
    return id;
  }

  private async has(id: string): Promise<boolean> {
    try {
      await stat(join(this.folder, nameOf(id)));
      return true;
    } catch (error) {
      if (errno(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Sorted, so that all computers adopt the same one. */
  private async markers(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return [];
      throw error;
    });
    return names.flatMap((name) => MARKER.exec(name)?.[1] ?? []).sort();
  }

  private async changed(id: string): Promise<UploadError> {
    const [other] = await this.markers();
    const what =
      other === undefined
        ? 'no longer has its marker. Mount the share'
        : 'is not the one that recordings were uploaded to. Restore the right one';
    return new UploadError(
      'SINK_CHANGED',
      `The sink folder ${this.folder} ${what}; pending recordings are then uploaded. ` +
        `If this is intended to be the new sink, create an empty file named ${nameOf(id)} in it.`,
      other !== undefined,
    );
  }

  private async refresh(marker: string): Promise<void> {
    const now = Date.now();
    if (now - this.refreshedAt < REFRESH_EVERY_MS) return;
    this.refreshedAt = now;
    // It may be read-only.
    await utimes(marker, new Date(now), new Date(now)).catch(() => undefined);
  }

  private async read(): Promise<Known> {
    const text = await readFile(this.file, 'utf8').catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return { version: 1, sinks: {} };
    const known = knownSchema.safeParse(parseJson(text));
    if (known.success) return known.data;
    throw new UploadError(
      'SINK_CHANGED',
      `${this.file}, which stores the identity of the sink, cannot be read. Check that the right sink is mounted, then delete that file.`,
      true,
    );
  }
}
