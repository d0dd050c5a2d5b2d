// Whether status events can be written: to the folder of their file, and to the file where there is one.

import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errno } from '../../shared/errors.ts';
import type { Check } from '../check.ts';
import { failed, ok } from '../check.ts';
import { folderTrouble, tryFolder } from './tryFolder.ts';

export interface StatusEventsSubject {
  readonly file: string;
}

export function statusEventsCheck({ file }: StatusEventsSubject): Check {
  return {
    name: 'status events',
    run: async () => {
      try {
        await tryFolder(dirname(file));
      } catch (error) {
        return failed(...folderTrouble(dirname(file), 'statusEventsFile', error));
      }
      try {
        // 'r+', not 'a': a file that is not there must not be made.
        await (await open(file, 'r+')).close();
        return ok(`${file} can be written to`);
      } catch (error) {
        if (errno(error) === 'ENOENT')
          return ok(`${dirname(file)} can be written to; there are no events yet`);
        if (errno(error) === 'EISDIR')
          return failed(`${file} is a folder`, 'Move that folder away. Events that wait are written then.');
        return failed(...folderTrouble(file, 'statusEventsFile', error));
      }
    },
  };
}
