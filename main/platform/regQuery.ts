// The output of Windows' `reg query`, with which Sightline reads the registry (no native code).

export interface RegistryValue {
  /** The subkey relative to the queried key; empty for the queried key itself. */
  readonly subkey: string;
  readonly name: string;
  /** `REG_SZ`, `REG_DWORD`, ... */
  readonly type: string;
  /** As printed: `0x1537` for a REG_DWORD. */
  readonly data: string;
}

const hives: Readonly<Record<string, string>> = { HKLM: 'HKEY_LOCAL_MACHINE', HKCU: 'HKEY_CURRENT_USER' };

/** `HKLM\X` as `reg` prints it, in lower case because the registry ignores case. */
export function fullKeyName(key: string): string {
  const [hive = '', ...rest] = key.split('\\');
  return [hives[hive] ?? hive, ...rest].join('\\').toLowerCase();
}

/** @param key the key that was queried, with or without `/s` */
export function parseRegQuery(output: string, key: string): RegistryValue[] {
  const base = fullKeyName(key);
  const values: RegistryValue[] = [];
  let subkey = '';
  for (const line of output.split(/\r?\n/)) {
    const match = /^ {4}(.*?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$/.exec(line);
    if (match !== null) {
      const [, name = '', type = '', data = ''] = match;
      values.push({ subkey, name, type, data });
      continue;
    }
    const header = line.trim();
    if (header.toLowerCase() === base) subkey = '';
    else if (header.toLowerCase().startsWith(`${base}\\`)) subkey = header.slice(base.length + 1);
  }
  return values;
}
