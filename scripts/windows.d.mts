// Types of windows.mjs, which the set-up runs before there is a compiler.
export interface WindowsNode {
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
  readonly binarySha256: string;
}
export const windowsNode: WindowsNode;
export function windowsNodePath(): string;
export function ensureWindowsNode(options: { log: (line: string) => void }): string;
export function findWine(): { loader: string; server: string } | null;
export function whyNoWindows(): string | null;
