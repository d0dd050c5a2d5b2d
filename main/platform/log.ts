// Logging: one JSON object a line, to a rotated file in the data folder and to stderr. Callers pass names and numbers, never
// values that could contain secrets or frames.

import log from 'electron-log/node.js';
import { join } from 'node:path';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, unknown>>;
export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;
export type AdjustableLogger = Logger & { setLevel(level: LogLevel): void };

const MAX_FILE_BYTES = 5 * 1024 * 1024;
/** Between reports on stderr that the log cannot be written. */
const REPORT_EVERY_MS = 60_000;

/** Lines are complete: electron-log must not add anything. */
function asWritten({ message }: { message: { data: unknown[] } }): unknown[] {
  return message.data;
}

/** Logs to `<folder>/sightline.log` (the previous one is kept as .old) and optionally to stderr. */
export function createLogger(options: {
  folder: string;
  level: LogLevel;
  stderr: boolean;
}): AdjustableLogger {
  const path = join(options.folder, 'sightline.log');
  const logger = log.create({ logId: 'sightline' });
  const { file, console: terminal } = logger.transports;
  file.resolvePathFn = () => path;
  file.maxSize = MAX_FILE_BYTES;
  file.writeOptions = { flag: 'a', mode: 0o600, encoding: 'utf8' };
  // Otherwise it looks for a package.json above the current folder, and writes nothing without one.
  file.setAppName('sightline');
  const reportWriteError = writeErrorReporter(path);
  // Exceptions arrive here, write errors at the console of the library's own logger.
  Object.assign(logger, { processInternalErrorFn: reportWriteError });
  log.transports.console.format = asWritten;
  log.transports.console.writeFn = ({ message }) => reportWriteError(message.data.at(-1));
  file.format = asWritten;
  terminal.format = asWritten;
  // stdout is for the program's answers ("ready ...").
  terminal.writeFn = ({ message }) => {
    process.stderr.write(`${String(message.data[0])}\n`);
  };
  const setLevel = (level: LogLevel): void => {
    file.level = level;
    terminal.level = options.stderr ? level : false;
  };
  setLevel(options.level);
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      logger[level](lineOf(level, message, fields));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), setLevel };
}

export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function lineOf(level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

function writeErrorReporter(file: string): (error: unknown) => void {
  let last = -Infinity;
  return (error) => {
    const now = performance.now();
    if (now - last < REPORT_EVERY_MS) return;
    last = now;
    // The library converts the error to text, with its stack.
    const [text = ''] = String(error).split('\n', 1);
    const reason = /\bE[A-Z]{3,}\b/.exec(text)?.[0] ?? text;
    process.stderr.write(`${lineOf('error', 'the log cannot be written', { file, reason })}\n`);
  };
}
