// What a window may load, as pure rules: files of one flat folder, by name, from our own scheme; nothing else exists.

import { PAGE_ROOT } from '../shared/ipc.ts';

export interface PageFile {
  readonly name: string;
  readonly contentType: string;
}

/** No inline script or style, no connection, no frame, nothing from elsewhere. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const contentTypes: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['svg', 'image/svg+xml'],
  ['png', 'image/png'],
]);

/**
 * The file that a URL names, or null. The whole URL must be the root and a plain name: with no slash, no percent
 * sign, no leading dot and no query there is nothing to traverse with.
 */
export function pageFile(url: string): PageFile | null {
  if (!url.startsWith(PAGE_ROOT)) return null;
  const name = url.slice(PAGE_ROOT.length);
  const contentType = contentTypes.get(/^[A-Za-z0-9_-]+\.([a-z]+)$/.exec(name)?.[1] ?? '');
  return contentType === undefined ? null : { name, contentType };
}

/** What the pages' session may fetch at all. The developer tools have a scheme of their own. */
export function mayBeRequested(url: string, developerTools: boolean): boolean {
  return url.startsWith(PAGE_ROOT) || (developerTools && url.startsWith('devtools://'));
}
