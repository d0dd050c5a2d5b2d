// Whether status events can be written: to the folder of their file, and to the file if it exists.

import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Policy } from '../../policy/keys.ts';
import { errno } from '../../shared/errors.ts';
import type { Check } from '../check.ts';
import { failed, ok } from '../check.ts';
import { folderTrouble, tryFolder } from './tryFolder.ts';

const KEY = 'statusEventsFile';

export function statusEventsCheck({ policy }: { readonly policy: Pick<Policy, typeof KEY> }): Check {
  const file = policy[KEY];
  const folder = dirname(file);
  return {
    name: 'status events',
    run: async () => {
      try {
        await tryFolder(folder);
      } catch (error) {
        return failed(...folderTrouble(folder, KEY, error));
      }
      try {
        // 'r+' does not create the file.
        await (await open(file, 'r+')).close();
        return ok(`${file} is writable`);
      } catch (error) {
        if (errno(error) === 'ENOENT') return ok(`${folder} is writable; there are no events yet`);
        if (errno(error) === 'EISDIR')
          return failed(`${file} is a folder`, 'Move that folder away. Pending events are then written.');
        return failed(...folderTrouble(file, KEY, error));
      }
    },
  };
}
