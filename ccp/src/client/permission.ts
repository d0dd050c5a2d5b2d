// What the browser says about the page's access to this machine (Local Network Access, https://wicg.github.io/local-network-access/).

/** Chromium from 145, and before. Other browsers refuse the question. */
const NAMES = ['loopback-network', 'local-network-access'];

/** The page's permission, live: `state` changes, and emits `change`. undefined: this browser does not say, or it does not matter. */
export async function loopbackPermission(): Promise<PermissionStatus | undefined> {
  // A page from this machine needs none.
  if (/^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname)) return undefined;
  for (const name of NAMES) {
    try {
      return await navigator.permissions.query({ name: name as PermissionName });
    } catch {
      // Not a name that this browser knows, or no permissions at all.
    }
  }
  return undefined;
}
