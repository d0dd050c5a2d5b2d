// When to read the policy again. Files are watched through their folders, which may not exist yet, and the registry by the
// Windows helper. A slow timer finds what no watcher reports.

import { existsSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, relative, sep } from 'node:path';

interface PolicyWatchOptions {
  readonly files: readonly string[];
  readonly look: () => void;
  /** Watches what is not a file. @returns ends it */
  readonly watchOthers?: (changed: () => void) => () => void;
  /** A folder cannot be watched; the timer still works. */
  readonly onProblem: (folder: string, error: unknown) => void;
  readonly slowLookMs?: number;
}

export const SLOW_LOOK_MS = 5 * 60_000;
/** Editors and installers write a file in several steps. */
const SETTLE_MS = 200;

export function watchPolicy(options: PolicyWatchOptions): { stop(): void } {
  const { files, look, onProblem, watchOthers, slowLookMs = SLOW_LOOK_MS } = options;
  const watchers: FSWatcher[] = [];
  let settling: NodeJS.Timeout | undefined;
  const slow = setInterval(look, slowLookMs).unref();
  const close = (): void => {
    for (const watcher of watchers.splice(0)) watcher.close();
  };
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      // First watch, then read: a change in between is noticed.
      close();
      files.forEach(watchFile);
      look();
    }, SETTLE_MS).unref();
  };
  files.forEach(watchFile);
  const endOthers = watchOthers?.(changed);
  return {
    stop: () => {
      clearInterval(slow);
      clearTimeout(settling);
      endOthers?.();
      close();
    },
  };

  /** Watches the deepest existing folder on the path of a file, for the next name on that path. */
  function watchFile(file: string): void {
    let folder = dirname(file);
    while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
    const [next] = relative(folder, file).split(sep);
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        // The folder's own name: it was deleted or moved away.
        if (name === null || name === next || name === basename(folder)) changed();
      });
      watchers.push(watcher);
      watcher.on('error', (error) => {
        watcher.close();
        onProblem(folder, error);
      });
    } catch (error) {
      onProblem(folder, error);
    }
  }
}
