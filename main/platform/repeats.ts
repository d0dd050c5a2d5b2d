// Keeps pages and strangers from filling the log: of lines with the same message and origin only so many a minute are
// written, and the rest is one line with their count at the end of the minute.

import type { LogFields, LogLevel, Logger } from './log.ts';

const MINUTE_MS = 60_000;
/** A stranger chooses the origin: beyond so many in a minute, all others count as one. */
const MAX_ORIGINS = 20;

interface Entry {
  written: number;
  /** Not written since the last line. */
  unwritten: number;
  /** Writes the count of the unwritten. */
  readonly writeCount: () => void;
  readonly timer: NodeJS.Timeout;
}

export type LimitedLogger = Logger & {
  /** Writes the counts of what has not been written. */
  flush(): void;
};

/** Lines get a field `count` where they stand for more than one. */
export function limitRepeats(log: Logger, perMinute: number): LimitedLogger {
  const entries = new Map<string, Entry>();

  function open(key: string, write: (more: LogFields) => void): Entry {
    const writeCount = (): void => {
      const count = entry.unwritten;
      entry.unwritten = 0;
      // It stands for many pages.
      if (count > 0) write({ page: undefined, count });
    };
    const timer = setTimeout(() => {
      const isOver = entry.unwritten === 0;
      writeCount();
      // The count was the first line of the next minute.
      entry.written = 1;
      if (isOver) entries.delete(key);
      else timer.refresh();
    }, MINUTE_MS).unref();
    const entry: Entry = { written: 0, unwritten: 0, writeCount, timer };
    entries.set(key, entry);
    return entry;
  }

  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      const key = `${message} ${typeof fields['origin'] === 'string' ? fields['origin'] : ''}`;
      const isOther = !entries.has(key) && entries.size >= MAX_ORIGINS;
      const shown = isOther ? { reason: 'from more origins than are listed' } : fields;
      const write = (more: LogFields): void => log[level](message, { ...shown, ...more });
      const entry = entries.get(isOther ? message : key) ?? open(isOther ? message : key, write);
      if (entry.written < perMinute) {
        entry.written += 1;
        write({});
      } else entry.unwritten += 1;
    };
  return {
    ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    flush: () => {
      for (const { timer, writeCount } of entries.values()) {
        clearTimeout(timer);
        writeCount();
      }
      entries.clear();
    },
  };
}
