// Thumbnails that this browser keeps between visits: in the Cache API, by the recording's id, of one user and library only.
// They show screens of contacts, so they are few, small, grow at most a week old, and are removed at sign-out.

const PREFIX = 'sightline-thumbnails:';
const MAX_KEPT = 2000;
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;
/** Trimming reads all names: not at each one. */
const TRIM_EVERY = 50;
const MADE_AT = 'x-made-at';

let name: string | null = null;
let putSinceTrim = 0;

/** Removes those of other users and libraries. Where the browser has no Cache API (plain http), nothing is kept. */
export async function keepThumbnailsOf(session: { user: string; library: string }): Promise<void> {
  if (!available()) return;
  const own = `${PREFIX}${encodeURIComponent(session.user)}@${encodeURIComponent(session.library)}`;
  const names = (await caches.keys()).filter((one) => one.startsWith(PREFIX) && one !== own);
  await Promise.all(names.map((one) => caches.delete(one)));
  name = own;
}

export async function clearThumbnails(): Promise<void> {
  name = null;
  if (!available()) return;
  const names = (await caches.keys()).filter((one) => one.startsWith(PREFIX));
  await Promise.all(names.map((one) => caches.delete(one)));
}

export async function keptThumbnail(id: string): Promise<Blob | null> {
  const cache = await open();
  const found = await cache?.match(address(id));
  if (cache === null || found === undefined) return null;
  if (Date.now() - Number(found.headers.get(MADE_AT)) > MAX_AGE_MS) {
    await cache.delete(address(id));
    return null;
  }
  // Put again, it is the newest: those that nobody sees are removed first.
  const again = found.clone();
  void cache.put(address(id), again).catch(ignore);
  return found.blob();
}

/** Without an error where the browser's storage is full: the thumbnail is made again next time. */
export async function keepThumbnail(id: string, picture: Blob): Promise<void> {
  const cache = await open();
  if (cache === null) return;
  const headers = { 'content-type': picture.type, [MADE_AT]: String(Date.now()) };
  await cache.put(address(id), new Response(picture, { headers })).catch(ignore);
  putSinceTrim += 1;
  if (putSinceTrim < TRIM_EVERY) return;
  putSinceTrim = 0;
  const all = await cache.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - MAX_KEPT)).map((one) => cache.delete(one)));
}

function available(): boolean {
  return 'caches' in globalThis;
}

async function open(): Promise<Cache | null> {
  return name === null ? null : caches.open(name).catch(() => null);
}

/** Never requested from the server. */
function address(id: string): string {
  return `/thumbnails/${encodeURIComponent(id)}`;
}

function ignore(): void {
  // Storage is full or was removed meanwhile.
}
