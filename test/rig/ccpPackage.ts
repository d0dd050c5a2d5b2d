// The built page side (dist/ccp) as routes of a page server, and a bare page that has it as `Sightline`.
import { fileURLToPath } from 'node:url';
import type { Route } from './pageServer.ts';

export const builtModule = fileURLToPath(new URL('../../dist/ccp/sightline-ccp.mjs', import.meta.url));
export const builtScript = fileURLToPath(new URL('../../dist/ccp/sightline-ccp.js', import.meta.url));

/**
 * The ES module at `/sightline-ccp.mjs`, the classic script at `/sightline-ccp.js`, and at `/client.html` a page that has only
 * the classic script.
 */
export const ccpRoutes: Readonly<Record<string, Route>> = {
  '/sightline-ccp.mjs': { file: builtModule },
  '/sightline-ccp.js': { file: builtScript },
  '/client.html':
    '<!doctype html><meta charset="utf-8"><title>Page</title><script src="/sightline-ccp.js"></script>',
};
