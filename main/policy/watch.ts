// When to read the policy again. Files are watched through their folders, which may not exist yet. The Windows registry
// can be watched from native code only, so a slow timer finds what no watcher reports, on every platform.

import { existsSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, relative, sep } from 'node:path';

export interface PolicyWatchOptions {
  readonly files: readonly string[];
  readonly look: () => void;
  /** A folder cannot be watched; the timer still works. */
  readonly onProblem: (folder: string, error: unknown) => void;
  readonly slowLookMs?: number;
}

export interface PolicyWatch {
  stop(): void;
}

export const SLOW_LOOK_MS = 5 * 60_000;
/** Editors and installers write a file in several steps. */
const SETTLE_MS = 200;

export function watchPolicy(options: PolicyWatchOptions): PolicyWatch {
  const watchers = options.files.map((file) => new FileWatch(file, () => changed(), options.onProblem));
  let settling: NodeJS.Timeout | undefined;
  const slow = setInterval(options.look, options.slowLookMs ?? SLOW_LOOK_MS);
  slow.unref();
  return {
    stop: () => {
      clearInterval(slow);
      clearTimeout(settling);
      for (const watcher of watchers) watcher.stop();
    },
  };

  function changed(): void {
    clearTimeout(settling);
    settling = setTimeout(() => {
      // First watch, then read: a change in between is noticed.
      for (const watcher of watchers) watcher.rearm();
      options.look();
    }, SETTLE_MS);
    settling.unref();
  }
}

/** Watches the deepest existing folder on the path of a file, for the next name on that path. */
class FileWatch {
  private watcher: FSWatcher | null = null;

  constructor(
    private readonly file: string,
    private readonly changed: () => void,
    private readonly onProblem: PolicyWatchOptions['onProblem'],
  ) {
    this.rearm();
  }

  rearm(): void {
    this.stop();
    let folder = dirname(this.file);
    while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
    const next = relative(folder, this.file).split(sep)[0];
    const failed = (error: unknown): void => {
      this.stop();
      this.onProblem(folder, error);
    };
    try {
      this.watcher = watch(folder, { persistent: false }, (_, name) => {
        // The folder's own name: it was deleted or moved away.
        if (name === null || name === next || name === basename(folder)) this.changed();
      });
      this.watcher.on('error', failed);
    } catch (error) {
      failed(error);
    }
  }

  stop(): void {
    this.watcher?.close();
    this.watcher = null;
  }
}
