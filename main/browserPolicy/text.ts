// The browsers' machine policies as text for deployment by other means: JSON files, `reg add` commands, or a configuration
// profile for macOS. Pure.

import { createHash } from 'node:crypto';
import type { WantedList } from './lists.ts';
import { firefoxFiles, linuxFolders, macPreferences } from './read.ts';
import { registryListKey } from './registry.ts';

/** List values are named by numbers. High, so that they rarely collide with existing ones. */
const FIRST_NUMBER = 54_311;

export function policyText(platform: NodeJS.Platform, wanted: readonly WantedList[]): string {
  const lists = wanted.filter(({ entries }) => entries.length > 0);
  if (platform === 'win32') return asCommands(lists);
  return platform === 'darwin' ? asProfile(lists) : asFiles(lists);
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

/** https://developer.apple.com/documentation/devicemanagement/toplevel */
function asProfile(lists: readonly WantedList[]): string {
  const payload = (type: string, id: string, name: string) => ({
    ...{ PayloadType: type, PayloadVersion: 1, PayloadIdentifier: id, PayloadUUID: uuidOf(id) },
    PayloadDisplayName: name,
  });
  const id = 'com.sightline.browser-policy';
  const payloads = byBrowser(lists).map(([browser, values]) => ({
    ...payload(
      macPreferences.find(([one]) => one === browser)?.[1] ?? '',
      `${id}.${browser.toLowerCase()}`,
      `${browser}: pages that may reach Sightline`,
    ),
    ...(browser === 'Firefox' ? { EnterprisePoliciesEnabled: true } : {}),
    ...values,
  }));
  const profile = {
    ...payload('Configuration', id, 'Sightline: browser policy for local network access'),
    PayloadScope: 'System',
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
  const block = (tag: string, content: readonly string[]): string =>
    `${indent}<${tag}>\n${content.join('')}${indent}</${tag}>\n`;
  if (Array.isArray(value))
    return block(
      'array',
      value.map((one) => plist(one, deeper)),
    );
  if (typeof value === 'object' && value !== null)
    return block(
      'dict',
      Object.entries(value).map(
        ([name, one]) => `${deeper}<key>${escaped(name)}</key>\n${plist(one, deeper)}`,
      ),
    );
  if (typeof value === 'boolean') return `${indent}<${String(value)}/>\n`;
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>\n`;
  return `${indent}<string>${escaped(String(value))}</string>\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Derived from the name, so that a newer profile replaces an older one (UUID version 8; RFC 9562, 5.8). */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex').toUpperCase();
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16).toUpperCase();
  const third = `8${hex.slice(13, 16)}`;
  return [hex.slice(0, 8), hex.slice(8, 12), third, variant + hex.slice(17, 20), hex.slice(20, 32)].join('-');
}
