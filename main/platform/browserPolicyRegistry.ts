// Writes the browsers' machine policies on Windows: lists in the registry whose values are named 1, 2, 3 ... What others
// put there keeps its number. What is ours is recorded under HKLM\SOFTWARE\Sightline\BrowserPolicy before it is written.

import { SightlineError } from '../shared/errors.ts';
import { registryKeys } from './browserPolicies.ts';
import type { Change, WantedList } from './browserPolicyLists.ts';
import { changeOf } from './browserPolicyLists.ts';
import type { RunTool } from './runTool.ts';

export const REGISTRY_RECORD = 'HKLM\\SOFTWARE\\Sightline\\BrowserPolicy';

export function registryListKey({ browser, path }: Pick<WantedList, 'browser' | 'path'>): string {
  const product = registryKeys.find(([one]) => one === browser)?.[1] ?? '';
  return ['HKLM\\SOFTWARE\\Policies', product, ...path].join('\\');
}

/** @param wanted with empty lists: only what was ours is taken away @throws SightlineError */
export async function writePolicyRegistry(wanted: readonly WantedList[], run: RunTool): Promise<Change[]> {
  const changes: Change[] = [];
  for (const list of wanted) {
    const key = registryListKey(list);
    // One key for each list, one value for each entry that is ours.
    const recordKey = [REGISTRY_RECORD, list.browser, list.path.join('.')].join('\\');
    const values = await valuesOf(key, run);
    const ours = [...(await valuesOf(recordKey, run)).keys()];
    const { add, remove, keep } = changeOf(list.entries, ours, [...values.values()]);
    let next = Math.max(0, ...[...values.keys()].map(Number).filter(Number.isInteger)) + 1;
    for (const entry of add) {
      await act(run, ['add', recordKey, '/v', entry, '/t', 'REG_SZ', '/d', 'added', '/f'], recordKey);
      await act(run, ['add', key, '/v', String(next), '/t', 'REG_SZ', '/d', entry, '/f'], key);
      next += 1;
    }
    for (const [name, entry] of values) {
      if (remove.includes(entry)) await act(run, ['delete', key, '/v', name, '/f'], key);
    }
    for (const entry of ours) {
      if (!keep.includes(entry) && !add.includes(entry)) {
        await act(run, ['delete', recordKey, '/v', entry, '/f'], recordKey);
      }
    }
    if (remove.length > 0 && (await valuesOf(key, run)).size === 0) await dropIfEmpty(key, run);
    if (add.length > 0 || remove.length > 0) {
      changes.push({ browser: list.browser, place: key, added: add, removed: remove });
    }
  }
  if (wanted.every(({ entries }) => entries.length === 0)) {
    await run('reg', ['delete', REGISTRY_RECORD, '/f']).catch(() => undefined);
  }
  return changes;
}

/** By their names; none where there is no such key. */
async function valuesOf(key: string, run: RunTool): Promise<Map<string, string>> {
  const output = await run('reg', ['query', key]).catch(() => '');
  const values = new Map<string, string>();
  for (const line of output.split(/\r?\n/)) {
    const match = /^ {4}(.+?) {4}REG_\w+ {4}(.*)$/.exec(line);
    if (match?.[1] !== undefined) values.set(match[1], match[2] ?? '');
  }
  return values;
}

/** Keys below it are somebody's. */
async function dropIfEmpty(key: string, run: RunTool): Promise<void> {
  const left = await run('reg', ['query', key, '/s']).catch(() => '');
  if (left.split(/\r?\n/).every((line) => line.trim() === '' || line.toLowerCase().endsWith(tailOf(key)))) {
    await run('reg', ['delete', key, '/f']).catch(() => undefined);
  }
}

function tailOf(key: string): string {
  return key.slice(key.indexOf('\\')).toLowerCase();
}

async function act(run: RunTool, args: readonly string[], key: string): Promise<void> {
  try {
    await run('reg', args);
  } catch (error) {
    throw new SightlineError(
      'NEEDS_ADMINISTRATOR',
      `${key} could not be written. Run it in a prompt that was opened "as administrator", with the same flags.`,
      { cause: error },
    );
  }
}
