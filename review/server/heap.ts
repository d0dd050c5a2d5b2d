// What the process may use of memory for garbage.

import { setFlagsFromString } from 'node:v8';

/**
 * While an index is made, the heap grows by a fifth before garbage is collected, instead of two to four times: with 100,000
 * manifests the process grew by 197 MB instead of 302 (`npm run bench:review`), for a third more processor time.
 * V8 reads this flag at each collection; a V8 that does not know it ignores it.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=20');
}
