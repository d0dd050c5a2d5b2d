// Logging: one JSON object a line, to a rotated file in the data folder and to stderr. Callers pass names and numbers, never
// values that could hold secrets or frames.

import log from 'electron-log/node.js';
import { join } from 'node:path';

export interface AdjustableLogger extends Logger {
  setLevel(level: LogLevel): void;
}

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, unknown>>;

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

const MAX_FILE_BYTES = 5 * 1024 * 1024;

/** Lines are complete: electron-log must not add anything. */
function asWritten({ message }: { message: { data: unknown[] } }): unknown[] {
  return message.data;
}

/** Between reports on stderr that the log cannot be written. */
const REPORT_EVERY_MS = 60_000;

/** Logs to `<folder>/sightline.log` (the previous one is kept as .old) and optionally to stderr. */
export function createLogger(options: {
  folder: string;
  level: LogLevel;
  stderr: boolean;
}): AdjustableLogger {
  const logger = log.create({ logId: 'sightline' });
  logger.transports.file.resolvePathFn = () => join(options.folder, 'sightline.log');
  logger.transports.file.maxSize = MAX_FILE_BYTES;
  logger.transports.file.writeOptions = { flag: 'a', mode: 0o600, encoding: 'utf8' };
  // Otherwise it looks for a package.json above the current folder, and writes nothing without one.
  logger.transports.file.setAppName('sightline');
  const reportWriteError = writeErrorReporter(join(options.folder, 'sightline.log'));
  // Exceptions arrive here, write errors at the console of the library's own logger.
  Object.assign(logger, { processInternalErrorFn: reportWriteError });
  log.transports.console.format = asWritten;
  log.transports.console.writeFn = ({ message }) => reportWriteError(message.data.at(-1));
  logger.transports.file.format = asWritten;
  logger.transports.console.format = asWritten;
  const setLevel = (level: LogLevel): void => {
    logger.transports.file.level = level;
    logger.transports.console.level = options.stderr ? level : false;
  };
  setLevel(options.level);
  // stdout is for the program's answers ("ready ...").
  logger.transports.console.writeFn = ({ message }) => {
    process.stderr.write(`${String(message.data[0])}\n`);
  };
  const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    logger[level](JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    setLevel,
  };
}

export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function writeErrorReporter(file: string): (error: unknown) => void {
  let last = -Infinity;
  return (error) => {
    const now = performance.now();
    if (now - last < REPORT_EVERY_MS) return;
    last = now;
    const line = {
      time: new Date().toISOString(),
      level: 'error',
      message: 'the log cannot be written',
      file,
    };
    // The library converts the error to text, with its stack.
    const [text = ''] = String(error).split('\n', 1);
    const reason = /\bE[A-Z]{3,}\b/.exec(text)?.[0] ?? text;
    process.stderr.write(`${JSON.stringify({ ...line, reason })}\n`);
  };
}
