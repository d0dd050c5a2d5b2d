// What `reg query KEY /s` prints.
import type { RegistryValue } from '../../main/platform/windowsHelper.ts';

/** @param key the key that was asked for, such as `HKLM\\SOFTWARE\\X` */
export function printedValues(output: string, key: string): RegistryValue[] {
  const base = key.replace(/^HKLM/, 'HKEY_LOCAL_MACHINE').replace(/^HKCU/, 'HKEY_CURRENT_USER').toLowerCase();
  const values: RegistryValue[] = [];
  let below = '';
  for (const line of output.split(/\r?\n/)) {
    const match = /^ {4}(.*?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$/.exec(line);
    const header = line.trim();
    if (match !== null) {
      const [, name = '', type = '', data = ''] = match;
      const isNumber = type === 'REG_DWORD';
      values.push({ key: below, name, type: isNumber ? 4 : 1, data: isNumber ? Number(data) : data });
    } else if (header.toLowerCase() === base) below = '';
    else if (header.toLowerCase().startsWith(`${base}\\`)) below = header.slice(base.length + 1);
  }
  return values;
}
