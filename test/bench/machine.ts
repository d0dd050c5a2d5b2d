import { cpus, totalmem } from 'node:os';

/** What a benchmark ran on, for its report. */
export function machine(): string {
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${memory} GiB, Node ${process.versions.node}`;
}
