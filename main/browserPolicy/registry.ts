// Writes the browsers' policies on Windows: registry lists whose values are named 1, 2, 3 ... Values of others keep their
// number. Sightline's entries are recorded under HKLM\SOFTWARE\Sightline\BrowserPolicy before they are written.

import type { RunTool } from '../platform/runTool.ts';
import type { ReadRegistry } from '../platform/windowsHelper.ts';
import { SightlineError } from '../shared/errors.ts';
import { changeOf, type Change, type WantedList } from './lists.ts';
import { registryKeys } from './read.ts';

export const REGISTRY_RECORD = 'HKLM\\SOFTWARE\\Sightline\\BrowserPolicy';

export function registryListKey({ browser, path }: Pick<WantedList, 'browser' | 'path'>): string {
  const product = registryKeys.find(([one]) => one === browser)?.[1] ?? '';
  return ['HKLM\\SOFTWARE\\Policies', product, ...path].join('\\');
}

/** @param wanted empty lists remove Sightline's entries @throws SightlineError NEEDS_ADMINISTRATOR */
export async function writePolicyRegistry(
  wanted: readonly WantedList[],
  run: RunTool,
  registry: ReadRegistry,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const list of wanted) {
    const key = registryListKey(list);
    // One key per list, one value per entry that Sightline added.
    const recordKey = [REGISTRY_RECORD, list.browser, list.path.join('.')].join('\\');
    const set = (where: string, name: string, data: string) =>
      act(run, ['add', where, '/v', name, '/t', 'REG_SZ', '/d', data, '/f']);
    const drop = (where: string, name: string) => act(run, ['delete', where, '/v', name, '/f']);
    const values = await valuesOf(key, registry);
    const ours = [...(await valuesOf(recordKey, registry)).keys()];
    const { add, remove, keep } = changeOf(list.entries, ours, [...values.values()]);
    let next = Math.max(0, ...[...values.keys()].map(Number).filter(Number.isInteger)) + 1;
    for (const entry of add) {
      await set(recordKey, entry, 'added');
      await set(key, String(next), entry);
      next += 1;
    }
    for (const [name, entry] of values) if (remove.includes(entry)) await drop(key, name);
    for (const entry of ours) if (!keep.includes(entry) && !add.includes(entry)) await drop(recordKey, entry);
    // A key below with values of others stays.
    if (remove.length > 0 && (await registry(key))?.length === 0)
      await run('reg', ['delete', key, '/f']).catch(() => undefined);
    if (add.length > 0 || remove.length > 0)
      changes.push({ browser: list.browser, place: key, added: add, removed: remove });
  }
  if (wanted.every(({ entries }) => entries.length === 0))
    await run('reg', ['delete', REGISTRY_RECORD, '/f']).catch(() => undefined);
  return changes;
}

/** By name; empty when the key does not exist. */
async function valuesOf(key: string, registry: ReadRegistry): Promise<Map<string, string>> {
  const values = (await registry(key)) ?? [];
  return new Map(values.filter((one) => one.key === '').map(({ name, data }) => [name, String(data)]));
}

async function act(run: RunTool, args: readonly [action: string, key: string, ...string[]]): Promise<void> {
  await run('reg', args).catch((cause: unknown) => {
    const what = `${args[1]} could not be written. Run the same command in a prompt opened "as administrator".`;
    throw new SightlineError('NEEDS_ADMINISTRATOR', what, { cause });
  });
}
