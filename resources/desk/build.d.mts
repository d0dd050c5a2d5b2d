// Types of build.mjs, which the set-up runs before there is a compiler.
/** @returns the program's path @throws Error that says what to do next */
export function ensureDesk(options: { log: (line: string) => void }): string;
export function deskRecipe(folder?: string): string;
