import { expect, it } from 'vitest';
import { table } from '../../../main/headless/recordings.ts';
import type { Row } from '../../../main/status/recordingList.ts';

const row: Row = {
  recordingId: 'r',
  contact: 'c',
  status: 'INITIATED',
  time: '2026-01-01T11:00:00.000Z',
  startTime: '2026-01-01T10:00:00.123Z',
  durationMs: null,
  waiting: false,
  reason: null,
  detail: 'being recorded, or interrupted',
  integrity: null,
};
const reason = { code: 'UPLOAD_FAILED', message: 'The sink is full.' };

it('has a header, start, length, and one status for each recording', () => {
  expect(
    table([
      row,
      // Announced as failed, and retried: it is pending, not both.
      { ...row, contact: 'longer', status: 'FAILED', durationMs: 61_400, waiting: true, reason, detail: 'x' },
      { ...row, status: 'COMPLETED', durationMs: 3_723_000, waiting: true },
      { ...row, status: 'FAILED', reason, detail: 'UPLOAD_FAILED: The sink is full.' },
      { ...row, status: 'PUBLISHED', durationMs: 999, detail: 'file:///one.mp4', integrity: 'damaged' },
      { ...row, status: 'COMPLETED', durationMs: 999, detail: 'cannot be read; SPOOL_UNREADABLE: x' },
    ]),
  ).toEqual([
    'STARTED               LENGTH   STATUS      CONTACT  DETAILS',
    '2026-01-01T10:00:00Z  -        RECORDING   c        being recorded, or interrupted',
    '2026-01-01T10:00:00Z  1:01     PENDING     longer   UPLOAD_FAILED: The sink is full.',
    '2026-01-01T10:00:00Z  1:02:03  PENDING     c',
    '2026-01-01T10:00:00Z  -        FAILED      c        UPLOAD_FAILED: The sink is full.',
    '2026-01-01T10:00:00Z  0:01     PUBLISHED   c        file:///one.mp4  (damaged: see the manifest)',
    '2026-01-01T10:00:00Z  0:01     UNREADABLE  c        cannot be read; SPOOL_UNREADABLE: x',
  ]);
});
