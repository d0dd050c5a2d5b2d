// Output of `reg query`, written after Microsoft's documentation of the command; the tests under Wine run the real one.
import { expect, it } from 'vitest';
import { parseRegQuery } from '../../../main/platform/regQuery.ts';

const KEY = 'HKLM\\SOFTWARE\\Policies\\Acme';
const LONG = 'HKEY_LOCAL_MACHINE\\Software\\policies\\Acme';

it('reg query: values of the key and of its subkeys, in any case, empty values, types within texts', () => {
  const lines = [
    ...[
      '',
      LONG,
      '    a name    REG_SZ    x    REG_SZ    y',
      '    none    REG_SZ',
      '    empty    REG_SZ    ',
    ],
    ...['', `${LONG}\\List\\1`, '    1    REG_DWORD    0x10', '', `${LONG}Other`, ''],
  ];
  expect(parseRegQuery(lines.join('\r\n'), KEY)).toEqual([
    { subkey: '', name: 'a name', type: 'REG_SZ', data: 'x    REG_SZ    y' },
    { subkey: '', name: 'none', type: 'REG_SZ', data: '' },
    { subkey: '', name: 'empty', type: 'REG_SZ', data: '' },
    { subkey: 'List\\1', name: '1', type: 'REG_DWORD', data: '0x10' },
  ]);
  expect(parseRegQuery('ERROR: The system was unable to find the key.\r\n', KEY)).toEqual([]);
});
