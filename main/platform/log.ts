// Logging: one JSON object a line, to a rotated file in the data folder and, for the headless program, to stderr.
// Values of the fields that could carry secrets or pictures are never logged: callers pass names and numbers.

import log from 'electron-log/node.js';
import { join } from 'node:path';

export interface AdjustableLogger extends Logger {
  /** Of lines from now on. */
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

/** Lines are whole when they come here; electron-log is not to add anything of its own. */
function asWritten({ message }: { message: { data: unknown[] } }): unknown[] {
  return message.data;
}

/** A log that cannot be written says so on stderr, but not for each of its lines. */
const COMPLAIN_EVERY_MS = 60_000;

/** Logs to `<folder>/sightline.log` (the last full one beside it as .old) and to stderr where asked for. */
export function createLogger(options: {
  folder: string;
  level: LogLevel;
  stderr: boolean;
}): AdjustableLogger {
  const logger = log.create({ logId: 'sightline' });
  logger.transports.file.resolvePathFn = () => join(options.folder, 'sightline.log');
  logger.transports.file.maxSize = MAX_FILE_BYTES;
  logger.transports.file.writeOptions = { flag: 'a', mode: 0o600, encoding: 'utf8' };
  // It would look for a package.json above the current folder, and write nothing where there is none.
  logger.transports.file.setAppName('sightline');
  const complain = complainer(join(options.folder, 'sightline.log'));
  // What is thrown comes here; what goes wrong in writing comes to the console of the library's own logger.
  Object.assign(logger, { processInternalErrorFn: complain });
  log.transports.console.format = asWritten;
  log.transports.console.writeFn = ({ message }) => complain(message.data.at(-1));
  logger.transports.file.format = asWritten;
  logger.transports.console.format = asWritten;
  const setLevel = (level: LogLevel): void => {
    logger.transports.file.level = level;
    logger.transports.console.level = options.stderr ? level : false;
  };
  setLevel(options.level);
  // stdout belongs to the program's answers ("ready ..."), so every level goes to stderr.
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

function complainer(file: string): (error: unknown) => void {
  let last = -Infinity;
  return (error) => {
    const now = performance.now();
    if (now - last < COMPLAIN_EVERY_MS) return;
    last = now;
    const line = {
      time: new Date().toISOString(),
      level: 'error',
      message: 'the log cannot be written',
      file,
    };
    // The library makes text of the error, with its stack.
    const [text = ''] = String(error).split('\n', 1);
    const reason = /\bE[A-Z]{3,}\b/.exec(text)?.[0] ?? text;
    process.stderr.write(`${JSON.stringify({ ...line, reason })}\n`);
  };
}
