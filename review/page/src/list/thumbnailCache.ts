// Thumbnails that this browser keeps between visits: in the Cache API, by the recording's id, of one user and library only.
// They show screens of contacts, so they are few, small, grow at most a week old, and are removed at sign-out.

const BUCKET = 'sightline-thumbnails';
const PREFIX = 'sightline-thumbnails:';
const MAX_KEPT = 2000;
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;
/** Trimming reads all names: not at each one. */
const TRIM_EVERY = 50;
const MADE_AT = 'x-made-at';

let name: string | null = null;
let putSinceTrim = 0;

/** https://wicg.github.io/storage-buckets/, which TypeScript's types lack. Chromium only. */
interface StorageBuckets {
  open(name: string, options: { expires: number }): Promise<{ readonly caches: CacheStorage }>;
  delete(name: string): Promise<void>;
}

/** Removes those of other users and libraries. Where the browser has no Cache API (plain http), nothing is kept. */
export async function keepThumbnailsOf(session: { user: string; library: string }): Promise<void> {
  try {
    const all = await storage();
    if (all === null) return;
    const own = `${encodeURIComponent(session.user)}@${encodeURIComponent(session.library)}`;
    const others = (await all.keys()).filter((one) => one.startsWith(PREFIX) && one !== PREFIX + own);
    await Promise.all(others.map((one) => all.delete(one)));
    name = PREFIX + own;
  } catch {
    name = null; // the browser forbids storage
  }
}

export async function clearThumbnails(): Promise<void> {
  name = null;
  try {
    const all = await storage();
    for (const one of (await all?.keys()) ?? []) if (one.startsWith(PREFIX)) await all?.delete(one);
    await buckets()?.delete(BUCKET);
  } catch {
    // The browser forbids storage: there are none.
  }
}

/**
 * A bucket of its own, where the browser has them: it removes that in time even if this address is never opened again, as after
 * a `sightline review` on another port.
 */
async function storage(): Promise<CacheStorage | null> {
  const bucket = await buckets()?.open(BUCKET, { expires: Date.now() + MAX_AGE_MS });
  if (bucket !== undefined) return bucket.caches;
  return 'caches' in globalThis ? caches : null;
}

function buckets(): StorageBuckets | undefined {
  return (navigator as { storageBuckets?: StorageBuckets }).storageBuckets;
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

async function open(): Promise<Cache | null> {
  if (name === null) return null;
  const own = name;
  return storage().then(
    async (all) => (await all?.open(own)) ?? null,
    () => null,
  );
}

/** Never requested from the server. */
function address(id: string): string {
  return `/thumbnails/${encodeURIComponent(id)}`;
}

function ignore(): void {
  // Storage is full or was removed meanwhile.
}
