// Where downloads and builds are kept between runs. Plain JavaScript: it is part of the set-up.

import { homedir } from 'node:os';
import { join } from 'node:path';

export function cacheFolder() {
  const { SIGHTLINE_CACHE_DIR, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (SIGHTLINE_CACHE_DIR) return SIGHTLINE_CACHE_DIR;
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'sightline', 'cache');
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'sightline');
}
