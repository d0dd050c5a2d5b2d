// The app's folder as WiX components: one per file, so that each is counted, repaired and removed separately. The GUID of a
// component is derived from its path in the installation and never changes: upgrades rely on it.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { uuidFrom } from './uuid.ts';

/** Never change it: the GUIDs of installed components are derived from it. */
export const COMPONENT_NAMESPACE = '7d0a6b0e-3c0a-4a53-9a86-5d6f3f3b1c55';

export interface HarvestOptions {
  /** The folder to read. */
  readonly folder: string;
  /** The same folder relative to where wixl runs, because wixl accepts no absolute paths. */
  readonly source: string;
}

/** Paths with `/`, sorted. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

export function componentId(path: string): string {
  return `c${idOf(path)}`;
}

/** A WiX fragment with the component group AppFiles. */
export function harvest({ folder, source }: HarvestOptions): string {
  const paths = filesIn(folder);
  const lines: string[] = [];
  const put = (depth: number, text: string): void => {
    lines.push(`${'  '.repeat(depth)}${text}`);
  };
  put(0, '<?xml version="1.0" encoding="utf-8"?>');
  put(0, '<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">');
  put(1, '<Fragment>');
  put(2, '<DirectoryRef Id="INSTALLDIR">');
  writeFolder('', 3);
  put(2, '</DirectoryRef>');
  put(2, '<ComponentGroup Id="AppFiles">');
  for (const path of paths) put(3, `<ComponentRef Id="${componentId(path)}" />`);
  put(2, '</ComponentGroup>');
  put(1, '</Fragment>');
  put(0, '</Wix>');
  return `${lines.join('\n')}\n`;

  function writeFolder(prefix: string, depth: number): void {
    const below = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
    for (const name of below.filter((path) => !path.includes('/'))) {
      const path = `${prefix}${name}`;
      const id = componentId(path);
      const guid = uuidFrom(COMPONENT_NAMESPACE, path.toLowerCase());
      put(depth, `<Component Id="${id}" Guid="${guid}" Win64="yes">`);
      put(
        depth + 1,
        `<File Id="f${idOf(path)}" Name="${xml(name)}" Source="${xml(`${source}/${path}`)}" KeyPath="yes" />`,
      );
      put(depth, '</Component>');
    }
    const folders = new Set(
      below.filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? ''),
    );
    for (const name of folders) {
      put(depth, `<Directory Id="d${idOf(`${prefix}${name}`)}" Name="${xml(name)}">`);
      writeFolder(`${prefix}${name}/`, depth + 1);
      put(depth, '</Directory>');
    }
  }
}

/** An identifier for the MSI's tables: letters and digits, at most 72. */
function idOf(path: string): string {
  return uuidFrom(COMPONENT_NAMESPACE, `id:${path.toLowerCase()}`).replaceAll('-', '');
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
