// Refused requests in the audit log: the first of its kind at once, the others as a count with the next one, so that nobody can
// fill the disk by being refused. It never throws: what was refused needs no line to stay refused.

import type { AuditLog } from './log.ts';
import type { AuditFact } from './line.ts';

const EVERY_MS = 60_000;
const MAX_KINDS = 500;

export class Refusals {
  /** By kind: when its last line was written, and how many there were since. */
  readonly #kinds = new Map<string, { at: number; left: number }>();

  constructor(
    private readonly audit: Pick<AuditLog, 'add'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** @param fact of one kind if address, user, action and code are the same */
  async add(fact: AuditFact): Promise<void> {
    const kind = JSON.stringify([fact.address, fact.user, fact.action, fact.details?.code]);
    const known = this.#kinds.get(kind);
    if (known !== undefined && this.now() - known.at < EVERY_MS) {
      known.left += 1;
      return;
    }
    // From ever new addresses: those share one kind.
    const room = known !== undefined || this.#kinds.size < MAX_KINDS;
    if (!room) {
      this.#forget();
      if (this.#kinds.size >= MAX_KINDS) return;
    }
    this.#kinds.set(kind, { at: this.now(), left: 0 });
    const details = {
      ...fact.details,
      ...(known === undefined || known.left === 0 ? {} : { more: known.left }),
    };
    await this.audit.add({ ...fact, details }).catch(() => undefined);
  }

  #forget(): void {
    for (const [kind, { at }] of this.#kinds) if (this.now() - at >= EVERY_MS) this.#kinds.delete(kind);
  }
}
