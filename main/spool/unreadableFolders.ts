// Spool folders that the last start could not read, or not completely: their recordings are announced as FAILED and count
// as failed uploads. `<dataDir>/unreadable.json` lists them for the commands, which have neither the keys nor a running
// Sightline. The folders are kept unchanged and read again at each start.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import type { Logger } from '../platform/log.ts';
import type { Failure } from '../shared/errors.ts';
import { toFailure } from '../shared/errors.ts';

const FILE = 'unreadable.json';

const schema = z.object({
  v: z.literal(1),
  folders: z.array(
    z.object({
      folder: z.string(),
      code: z.string(),
      message: z.string(),
      /** Those that must be in it, as far as known. */
      recordings: z.array(z.string()),
    }),
  ),
});
export type UnreadableFolder = z.infer<typeof schema>['folders'][number];

export interface UnreadableFoldersOptions {
  readonly dataDir: string;
  /** Announces a recording as FAILED, unless it was published. */
  readonly announceFailed: (recordings: ReadonlyMap<string, Failure>) => Promise<void>;
  readonly log: Logger;
}

export class UnreadableFolders {
  private folders: { folder: string; recordings: readonly string[]; why: Failure }[] = [];

  constructor(private readonly options: UnreadableFoldersOptions) {}

  add(folder: string, error: unknown, recordings: readonly string[]): void {
    const why = toFailure(error, 'SPOOL_UNREADABLE');
    this.folders.push({ folder, recordings, why });
    this.options.log.error('a spool folder cannot be read', { folder, code: why.code, reason: why.message });
  }

  /** Counts a folder whose recordings are unknown as one. */
  addTo<Uploads extends { failed: number; reason: Failure | null }>(uploads: Uploads): Uploads {
    const count = this.folders.reduce((sum, { recordings }) => sum + Math.max(1, recordings.length), 0);
    const reason = uploads.reason ?? this.folders.at(-1)?.why ?? null;
    return { ...uploads, failed: uploads.failed + count, reason };
  }

  /** After recovery. Never rejects. @param isReadable whether a recording is in a folder that can be read */
  async report(isReadable: (recordingId: string) => boolean): Promise<void> {
    const { dataDir, announceFailed, log } = this.options;
    try {
      for (const one of this.folders) one.recordings = one.recordings.filter((id) => !isReadable(id));
      await this.write(join(dataDir, FILE));
      const failed = this.folders.flatMap(({ recordings, why }) =>
        recordings.map((id) => [id, why] as const),
      );
      if (failed.length > 0) await announceFailed(new Map(failed));
    } catch (error) {
      log.error('unreadable spool folders could not be announced', { reason: String(error) });
    }
  }

  private async write(path: string): Promise<void> {
    if (this.folders.length === 0) return rm(path, { force: true });
    const folders = this.folders.map(({ folder, recordings, why: { code, message } }) => ({
      ...{ folder, code, message, recordings },
    }));
    return writeFileAtomically(path, `${JSON.stringify({ v: 1, folders }, null, 2)}\n`, 0o600);
  }
}

/** Empty if the file does not exist or is not valid. */
export async function readUnreadable(dataDir: string): Promise<UnreadableFolder[]> {
  try {
    return schema.parse(JSON.parse(await readFile(join(dataDir, FILE), 'utf8'))).folders;
  } catch {
    return [];
  }
}
