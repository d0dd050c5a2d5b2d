// Keeps strangers from writing the log over: of lines with the same message and origin only so many a minute are
// written, and the rest is one line with their count when the minute is over.

import type { LogFields, Logger } from './log.ts';

const MINUTE_MS = 60_000;
/** Strangers choose their origins: of more than these in a minute, all others count as one. */
const MAX_ORIGINS = 20;

interface Entry {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
  written: number;
  /** Not written since the last line. */
  unwritten: number;
  readonly timer: NodeJS.Timeout;
}

export interface LimitedLogger extends Logger {
  /** Writes the counts of what has not been written. */
  flush(): void;
}

/** Lines get a field `count` where they stand for more than one. */
export function limitRepeats(log: Logger, perMinute: number): LimitedLogger {
  const entries = new Map<string, Entry>();

  function writeCount(entry: Entry): void {
    const { level, message, unwritten } = entry;
    // It stands for many pages.
    const { page: _, ...fields } = entry.fields;
    entry.unwritten = 0;
    if (unwritten > 0) log[level](message, { ...fields, count: unwritten });
  }

  function endMinute(key: string, entry: Entry): void {
    const wentOn = entry.unwritten > 0;
    writeCount(entry);
    if (!wentOn) {
      entries.delete(key);
      return;
    }
    // The count was this minute's first line.
    entry.written = 1;
    entry.timer.refresh();
  }

  function open(key: string, level: keyof Logger, message: string, fields: LogFields): Entry {
    const timer = setTimeout(() => endMinute(key, entry), MINUTE_MS);
    timer.unref();
    const entry: Entry = { level, message, fields, written: 0, unwritten: 0, timer };
    entries.set(key, entry);
    return entry;
  }

  const at =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void => {
      const origin = typeof fields['origin'] === 'string' ? fields['origin'] : '';
      const isOther = !entries.has(`${message} ${origin}`) && entries.size >= MAX_ORIGINS;
      const shown = isOther ? { reason: 'from more origins than are listed' } : fields;
      const key = isOther ? message : `${message} ${origin}`;
      const entry = entries.get(key) ?? open(key, level, message, shown);
      if (entry.written >= perMinute) {
        entry.unwritten += 1;
        return;
      }
      entry.written += 1;
      log[level](message, shown);
    };
  return {
    ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    flush: () => {
      for (const entry of entries.values()) {
        clearTimeout(entry.timer);
        writeCount(entry);
      }
      entries.clear();
    },
  };
}
