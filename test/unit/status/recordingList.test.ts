import { describe, expect, it } from 'vitest';
import { readRows } from '../../../main/status/recordingList.ts';
import type { StatusDetail } from '../../../main/shared/statusEvent.ts';

const INSTANCE = 'arn:aws:connect:eu-central-1:123456789012:instance/i';
const TIME = '2026-01-01T00:00:00.000Z';

type Status = StatusDetail['recordingStatus'];
const info: Record<Status, object> = {
  INITIATED: {},
  COMPLETED: { recordingInfo: { startTime: TIME, endTime: TIME } },
  PUBLISHED: {
    recordingInfo: {
      startTime: TIME,
      endTime: TIME,
      publishTime: TIME,
      location: 'file:///one.mp4',
      durationInMillis: 1,
      sizeInBytes: 1,
    },
  },
  OVERDUE: {
    recordingInfo: { startTime: TIME, endTime: TIME },
    overdueInfo: {
      overdueMinutes: 60,
      reason: { code: 'CLIENT_CONNECTION_ERROR', message: 'No answer.', source: 'CLIENT' },
    },
  },
  FAILED: {
    recordingInfo: { startTime: TIME },
    failureInfo: { code: 'UPLOAD_FAILED', message: 'The sink is full.', source: 'CLIENT' },
  },
};

function line(recordingStatus: Status, recordingId = 'rec-1'): string {
  return JSON.stringify({
    version: '0',
    id: 'event',
    'detail-type':
      recordingStatus === 'OVERDUE' ? 'Screen Recording Overdue' : 'Screen Recording Status Changed',
    source: 'sightline',
    account: '123456789012',
    time: TIME,
    region: 'eu-central-1',
    resources: [],
    detail: {
      version: '1.0',
      eventDeduplicationId: `${recordingId}:${recordingStatus}`,
      instanceArn: INSTANCE,
      contactArn: `${INSTANCE}/contact/c-${recordingId}`,
      agentArn: `${INSTANCE}/agent/alice`,
      clientInfo: { appVersion: '1', os: 'linux' },
      recordingStatus,
      ...info[recordingStatus],
    },
  });
}

const rowAfter = (...statuses: Status[]) => readRows(statuses.map((status) => line(status)).join('\n'))[0];
const full = { code: 'UPLOAD_FAILED', message: 'The sink is full.' };

describe('a recording', () => {
  it('that is complete waits, for a reason that is not known yet', () => {
    expect(rowAfter('INITIATED', 'COMPLETED')).toMatchObject({
      contact: 'c-rec-1',
      waiting: true,
      reason: null,
      detail: 'upload pending',
    });
  });

  it('whose upload failed waits, for that reason', () => {
    expect(rowAfter('INITIATED', 'COMPLETED', 'FAILED')).toMatchObject({
      status: 'FAILED',
      waiting: true,
      reason: full,
      detail: 'upload pending; UPLOAD_FAILED: The sink is full.',
    });
  });

  it('keeps that reason when the next Sightline finds it in the spool', () => {
    expect(rowAfter('INITIATED', 'COMPLETED', 'FAILED', 'COMPLETED')).toMatchObject({
      status: 'COMPLETED',
      waiting: true,
      reason: full,
    });
  });

  it('that failed twice still waits', () => {
    expect(rowAfter('INITIATED', 'COMPLETED', 'FAILED', 'FAILED')).toMatchObject({ waiting: true });
  });

  it('that was published in the end waits no more', () => {
    expect(rowAfter('INITIATED', 'COMPLETED', 'FAILED', 'PUBLISHED')).toMatchObject({
      waiting: false,
      reason: null,
      detail: 'file:///one.mp4',
    });
  });

  it('that never was one waits for nothing', () => {
    expect(rowAfter('INITIATED')).toMatchObject({ waiting: false, reason: null });
    expect(rowAfter('INITIATED', 'FAILED')).toMatchObject({
      waiting: false,
      reason: full,
      detail: 'UPLOAD_FAILED: The sink is full.',
    });
  });
});

describe('the file', () => {
  it('keeps recordings in the order of their beginnings, and bears torn lines', () => {
    const text = [
      line('INITIATED', 'a'),
      line('INITIATED', 'b'),
      'nonsense',
      line('COMPLETED', 'a'),
      line('COMPLETED', 'b').slice(0, 50),
    ].join('\n');
    expect(readRows(text).map((row) => [row.recordingId, row.status])).toEqual([
      ['a', 'COMPLETED'],
      ['b', 'INITIATED'],
    ]);
  });
});
