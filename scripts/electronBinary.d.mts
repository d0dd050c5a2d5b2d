export function currentElectron(): string | null;
export function ensureElectron(): string;
