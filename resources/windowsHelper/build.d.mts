// Types of build.mjs, which the set-up runs before any package is installed.

/** @returns the program's path @throws Error that says what to do next */
export function ensureWindowsHelper(options: { log: (line: string) => void }): string;
export function windowsHelperRecipe(folder?: string): string;
