// Whether a sink folder is the one that it was. Where a share is not mounted, its mount point is an empty folder on this
// computer's disk: a recording written there would count as delivered. So a sink has a marker, an empty file whose name holds
// an id; each desk keeps the id in its data folder, and delivers only where it finds that marker. Any number of desks share a
// sink: whoever finds none at its first use makes one, and two who do so at once have one each, which both stay.

import { mkdir, open, readFile, readdir, stat, utimes } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { syncFolder, writeFileAtomically } from '../platform/atomicFile.ts';
import { groupOf } from '../platform/privateFiles.ts';
import { errno } from '../shared/errors.ts';
import { DeliveryError } from './deliveryError.ts';

const MARKER = /^\.sightline-sink-([\w-]{1,64})$/;
const nameOf = (id: string): string => `.sightline-sink-${id}`;

const knownSchema = z.object({
  version: z.literal(1),
  /** Folders as policy names them, each with its marker's id. */
  sinks: z.record(z.string(), z.string().regex(/^[\w-]{1,64}$/)),
});
type Known = z.infer<typeof knownSchema>;

/** Shares are often cleared of old files: the marker is not to look like one. */
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
   * Makes folder and marker when this desk uses the sink for the first time, and nothing ever after.
   * @throws DeliveryError SINK_CHANGED when it is not the sink that this desk knows
   */
  async require(): Promise<void> {
    const known = await this.read();
    const id = known.sinks[this.folder];
    if (id === undefined) return this.adopt(known);
    if (!(await this.has(id))) throw await this.changed(id);
    await this.refresh(join(this.folder, nameOf(id)));
    return undefined;
  }

  /** As require, for whoever only looks: nothing is made. */
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
      // Delivering makes room on a full disk, so it must not wait for room. The next delivery is a first use again.
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

  /** The ids there, in an order that is the same for everybody. */
  private async markers(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return [];
      throw error;
    });
    return names.flatMap((name) => MARKER.exec(name)?.[1] ?? []).sort();
  }

  private async changed(id: string): Promise<DeliveryError> {
    const [other] = await this.markers();
    const what =
      other === undefined
        ? 'has no marker any more. Mount the share'
        : 'is another sink than the one that recordings went to. Put the right one back';
    return new DeliveryError(
      'SINK_CHANGED',
      `The sink folder ${this.folder} ${what}; what waits in the spool is then delivered. ` +
        `If it is the new sink on purpose, create an empty file named ${nameOf(id)} in it.`,
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
    const known = knownSchema.safeParse(parse(text));
    if (known.success) return known.data;
    throw new DeliveryError(
      'SINK_CHANGED',
      `${this.file}, which says which sink this desk knows, cannot be read. With the right sink in its place, delete that file.`,
      true,
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
