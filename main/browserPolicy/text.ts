// The browsers' machine policies as text for deployment by other means: JSON files, `reg add` commands, or a configuration
// profile for macOS. Pure.

import { createHash } from 'node:crypto';
import type { WantedList } from './lists.ts';
import { linuxFolders, firefoxFiles } from './read.ts';
import { registryListKey } from './registry.ts';

/** List values are named by numbers. High, so that they rarely collide with existing ones. */
const FIRST_NUMBER = 54_311;

export function policyText(platform: NodeJS.Platform, wanted: readonly WantedList[]): string {
  const lists = wanted.filter(({ entries }) => entries.length > 0);
  if (platform === 'win32') return asCommands(lists);
  return platform === 'darwin' ? asProfile(lists) : asFiles(lists);
}

function byBrowser(lists: readonly WantedList[]): Map<WantedList['browser'], Record<string, unknown>> {
  const found = new Map<WantedList['browser'], Record<string, unknown>>();
  for (const { browser, path, entries } of lists) {
    const [name = '', below] = path;
    const values = found.get(browser) ?? {};
    values[name] = below === undefined ? entries : { [below]: entries };
    found.set(browser, values);
  }
  return found;
}

function asFiles(lists: readonly WantedList[]): string {
  const parts = [...byBrowser(lists)].map(([browser, values]) => {
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

const payloadTypes: Readonly<Record<string, string>> = {
  Chrome: 'com.google.Chrome',
  Edge: 'com.microsoft.Edge',
  Firefox: 'org.mozilla.firefox',
};

/** https://developer.apple.com/documentation/devicemanagement/toplevel */
function asProfile(lists: readonly WantedList[]): string {
  const payloads = [...byBrowser(lists)].map(([browser, values]) => {
    const type = payloadTypes[browser] ?? '';
    const id = `com.sightline.browser-policy.${browser.toLowerCase()}`;
    return {
      PayloadType: type,
      PayloadVersion: 1,
      PayloadIdentifier: id,
      PayloadUUID: uuidOf(id),
      PayloadDisplayName: `${browser}: pages that may reach Sightline`,
      ...(browser === 'Firefox' ? { EnterprisePoliciesEnabled: true } : {}),
      ...values,
    };
  });
  const id = 'com.sightline.browser-policy';
  const profile = {
    PayloadType: 'Configuration',
    PayloadVersion: 1,
    PayloadScope: 'System',
    PayloadIdentifier: id,
    PayloadUUID: uuidOf(id),
    PayloadDisplayName: 'Sightline: browser policy for local network access',
    PayloadContent: payloads,
  };
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n' +
    `<plist version="1.0">\n${plist(profile, '')}</plist>\n`
  );
}

function plist(value: unknown, indent: string): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return `${indent}<array>\n${value.map((one) => plist(one, deeper)).join('')}${indent}</array>\n`;
  }
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(
      ([name, one]) => `${deeper}<key>${escaped(name)}</key>\n${plist(one, deeper)}`,
    );
    return `${indent}<dict>\n${parts.join('')}${indent}</dict>\n`;
  }
  if (typeof value === 'boolean') return `${indent}<${String(value)}/>\n`;
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>\n`;
  return `${indent}<string>${escaped(String(value))}</string>\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Derived from the name, so that a newer profile replaces an older one (RFC 9562, 5.8). */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ]
    .join('-')
    .toUpperCase();
}
