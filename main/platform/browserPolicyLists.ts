// What the browsers' machine policies have to say so that pages of the allowed domains may reach this machine, and in
// which list of which browser. Pure; who writes it is browserPolicyFiles.ts and browserPolicyRegistry.ts.

import type { BrowserName } from './browserPolicies.ts';
import { browsersOf } from './browserPolicies.ts';

export interface WantedList {
  readonly browser: BrowserName;
  /** Down from the top of the browser's policies. */
  readonly path: readonly string[];
  readonly entries: readonly string[];
}

export interface Change {
  readonly browser: BrowserName;
  /** A file, or a key of the registry. */
  readonly place: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Of Chrome, Chromium and Edge from 146 on. https://chromeenterprise.google/policies/#LoopbackNetworkAllowedForUrls */
export const LOOPBACK_LIST = 'LoopbackNetworkAllowedForUrls';
/** From 139 (Edge: 140) on; it opens the local network to the page, too. */
export const OLDER_LIST = 'LocalNetworkAccessAllowedForUrls';
/** https://firefox-admin-docs.mozilla.org/reference/policies/localnetworkaccess/ */
export const FIREFOX_PATH = ['LocalNetworkAccess', 'SkipDomains'] as const;

/** @param older whether browsers before 146 are to be served, at the price of the local network */
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
      // Without `older` an earlier --older is taken back.
      { browser, path: [OLDER_LIST], entries: older ? urls : [] },
    ];
  });
}

/** What has to be done to one list. @param ours what an earlier time put there @param there what it holds */
export function changeOf(
  wanted: readonly string[],
  ours: readonly string[],
  there: readonly string[],
): { readonly add: readonly string[]; readonly remove: readonly string[]; readonly keep: readonly string[] } {
  return {
    add: wanted.filter((entry) => !there.includes(entry)),
    remove: ours.filter((entry) => !wanted.includes(entry) && there.includes(entry)),
    keep: ours.filter((entry) => wanted.includes(entry) && there.includes(entry)),
  };
}
