// Which line is active, whether its details are shown, and where the list was scrolled to: kept while a recording is played.

import { signal } from '@preact/signals';
import type { RecordingRow } from '../../../contract.ts';
import { navigate } from '../router.ts';

/** Position in the list. */
export const active = signal(0);
export const detailsOpen = signal(false);
export const scrolledTo = { offset: 0, queryNumber: 0 };

export function open(row: RecordingRow): void {
  navigate({ at: 'recording', id: row.id, atMs: null });
}
