// The browsers' machine policies as text for deployment by other means: JSON files or `reg add` commands. Pure.

import type { WantedList } from './lists.ts';
import { firefoxFiles, linuxFolders } from './read.ts';
import { registryListKey } from './registry.ts';

/** List values are named by numbers. High, so that they rarely collide with existing ones. */
const FIRST_NUMBER = 54_311;

export function policyText(platform: NodeJS.Platform, wanted: readonly WantedList[]): string {
  const lists = wanted.filter(({ entries }) => entries.length > 0);
  return platform === 'win32' ? asCommands(lists) : asFiles(lists);
}

/** The lists as each browser nests its policies. */
function byBrowser(lists: readonly WantedList[]): [WantedList['browser'], Record<string, unknown>][] {
  return [...new Set(lists.map(({ browser }) => browser))].map((browser) => {
    const values = lists
      .filter((one) => one.browser === browser)
      .map(({ path: [name = '', below], entries }) => [
        name,
        below === undefined ? entries : { [below]: entries },
      ]);
    return [browser, Object.fromEntries(values) as Record<string, unknown>];
  });
}

function asFiles(lists: readonly WantedList[]): string {
  const parts = byBrowser(lists).map(([browser, values]) => {
    const folder = linuxFolders.find(([one]) => one === browser)?.[1];
    const file = folder === undefined ? (firefoxFiles.linux?.[0] ?? '') : `${folder}/sightline.json`;
    const content = browser === 'Firefox' ? { policies: values } : values;
    return `# ${browser}: ${file}\n${JSON.stringify(content, null, 2)}\n`;
  });
  return parts.join('\n');
}

function asCommands(lists: readonly WantedList[]): string {
  const lines = lists.flatMap((list) => [
    `rem ${list.browser}`,
    ...list.entries.map(
      (entry, index) =>
        `reg add "${registryListKey(list)}" /v ${FIRST_NUMBER + index} /t REG_SZ /d "${entry}" /f`,
    ),
  ]);
  return `${lines.join('\r\n')}\r\n`;
}
