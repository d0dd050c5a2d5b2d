// The policy lists that let pages of the allowed domains connect to this machine, for each browser. Pure; files.ts and
// registry.ts write them.

export const browserNames = ['Chrome', 'Chromium', 'Edge', 'Firefox'] as const;
export type BrowserName = (typeof browserNames)[number];

export interface WantedList {
  readonly browser: BrowserName;
  /** From the root of the browser's policies. */
  readonly path: readonly string[];
  readonly entries: readonly string[];
}

export interface Change {
  readonly browser: BrowserName;
  /** A file or a registry key. */
  readonly place: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Chrome, Chromium and Edge from 146. https://chromeenterprise.google/policies/#LoopbackNetworkAllowedForUrls */
const LOOPBACK_LIST = 'LoopbackNetworkAllowedForUrls';
/** From 139 (Edge: 140). It opens the whole local network to the page. */
const OLDER_LIST = 'LocalNetworkAccessAllowedForUrls';
/** https://firefox-admin-docs.mozilla.org/reference/policies/localnetworkaccess/ */
const FIREFOX_PATH = ['LocalNetworkAccess', 'SkipDomains'];

/** Chromium is managed on Linux only. */
export function browsersOf(platform: NodeJS.Platform): readonly BrowserName[] {
  return browserNames.filter((name) => name !== 'Chromium' || platform === 'linux');
}

/** @param older include browsers before 146, which opens the local network to the pages */
export function wantedLists(
  platform: NodeJS.Platform,
  domains: readonly string[],
  older: boolean,
): WantedList[] {
  const urls = domains.map((domain) => `https://${domain}`);
  return browsersOf(platform).flatMap((browser): WantedList[] => {
    if (browser === 'Firefox') return [{ browser, path: FIREFOX_PATH, entries: domains }];
    return [
      { browser, path: [LOOPBACK_LIST], entries: urls },
      // Without `older`, entries of an earlier --older are removed.
      { browser, path: [OLDER_LIST], entries: older ? urls : [] },
    ];
  });
}

/** The difference for one list. @param ours entries that Sightline added before @param current entries of the list */
export function changeOf(
  wanted: readonly string[],
  ours: readonly string[],
  current: readonly string[],
): { readonly add: readonly string[]; readonly remove: readonly string[]; readonly keep: readonly string[] } {
  const present = ours.filter((entry) => current.includes(entry));
  return {
    add: wanted.filter((entry) => !current.includes(entry)),
    remove: present.filter((entry) => !wanted.includes(entry)),
    keep: present.filter((entry) => wanted.includes(entry)),
  };
}
