// `GET /api/audit`: the newest lines first, after the whole chain was followed once more.

import { stat } from 'node:fs/promises';
import type { AuditEntry, AuditPage } from '../../../contract.ts';
import { entryOf } from './line.ts';
import { readChain } from './readChain.ts';

export const MAX_AUDIT_ROWS = 200;

/** One reading at a time; those who ask meanwhile for the same lines of the same file get its result. */
export class AuditPages {
  #running: { readonly key: string; readonly page: Promise<AuditPage> } | null = null;

  constructor(private readonly path: string) {}

  /** @param before only lines with smaller numbers */
  async read(before: number, limit: number): Promise<AuditPage> {
    const { size, mtimeMs } = await stat(this.path);
    const key = [size, mtimeMs, before, limit].join(' ');
    if (this.#running?.key === key) return this.#running.page;
    await this.#running?.page.catch(() => undefined);
    const page = this.#read(before, limit);
    this.#running = { key, page };
    return page;
  }

  async #read(before: number, limit: number): Promise<AuditPage> {
    const entries: AuditEntry[] = [];
    const { brokenAt } = await readChain(this.path, (line) => {
      if (line.number >= before) return;
      entries.push(entryOf(line));
      if (entries.length > 2 * limit) entries.splice(0, entries.length - limit);
    });
    return { entries: entries.slice(-limit).reverse(), chain: brokenAt === null ? 'intact' : 'broken' };
  }
}
