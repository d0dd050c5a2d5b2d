// Types of electron9.mjs, for the tests.
export function electron9(): string | null;
export function fetchElectron9(say: (text: string) => void): void;
export function electron9ForWindows(): string | null;
export function fetchElectron9ForWindows(say: (text: string) => void): void;
