/** @throws Error if the manifest of the Windows program does not say PerMonitorV2 first */
export function requirePerMonitorV2(program: string): void;
