// The page's own files: read once at the start, so that no path from a request ever reaches the disk.

import { readFile, readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { errno } from '../../../main/shared/errors.ts';
import { sha256Hex } from './constantTime.ts';

export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};
/** As Vite names what it builds: the content's hash is in the name. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** By path (`/`, `/assets/index-AbCd1234.js`); null: the page was not built. */
export async function readPageFiles(folder: string): Promise<ReadonlyMap<string, PageFile> | null> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  });
  const files = new Map<string, PageFile>();
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    const body = new Uint8Array(await readFile(path));
    const caching = HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache';
    const headers = {
      'content-type': type,
      'cache-control': caching,
      etag: `"${sha256Hex(body).slice(0, 32)}"`,
    };
    files.set(name === 'index.html' ? '/' : `/${name}`, { body, headers });
  }
  return files.has('/') ? files : null;
}
