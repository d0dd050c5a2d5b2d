import { describe, expect, it } from 'vitest';
import type { Row } from '../../../main/status/recordingList.ts';
import { retryOutput } from '../../../main/headless/retryModel.ts';
import type { RetryReply, ShownOutcome } from '../../../main/shared/control.ts';

const published: ShownOutcome = { status: 'PUBLISHED', location: 'file:///one.mp4' };
const failed: ShownOutcome = { status: 'FAILED', failure: { code: 'UPLOAD_FAILED', message: 'It is full.' } };
const pending: ShownOutcome = { status: 'PENDING' };

const replyOf = (outcomes: ShownOutcome[], ...unknown: string[]): RetryReply => ({
  recordings: outcomes.map((outcome, index) => ({
    recordingId: `r${index}`,
    contactId: `c${index}`,
    outcome,
  })),
  unknown,
});
const row = (status: Row['status'], waiting = false): Row => ({
  recordingId: 'r9',
  contact: 'c9',
  status,
  time: '2026-01-01T00:00:00.000Z',
  startTime: '2026-01-01T00:00:00.000Z',
  durationMs: null,
  waiting,
  integrity: null,
  reason: null,
  detail: 'its detail',
});

describe('what has been tried', () => {
  it.each([
    ['all delivered', [published, published], 10, 0],
    ['one that failed', [published, failed], 10, 1],
    ['one without a result after the wait', [published, pending], 10, 1],
    ['all in progress, without --wait', [pending, pending], 0, 0],
    ['nothing', [], 10, 0],
  ])('%s', (_, outcomes, waitSeconds, exitCode) => {
    expect(retryOutput(replyOf(outcomes), [], waitSeconds).exitCode).toBe(exitCode);
  });

  it('is listed line by line', () => {
    expect(retryOutput(replyOf([published, failed, pending]), [], 10).lines).toEqual([
      'Retrying 3 uploads now:',
      'PUBLISHED  c0  r0  file:///one.mp4',
      'FAILED     c1  r1  UPLOAD_FAILED: It is full.',
      'PENDING    c2  r2  not finished after 10 s',
    ]);
    expect(retryOutput(replyOf([]), [], 0).lines).toEqual(['No pending uploads.']);
  });
});

describe('a name that waits for nothing', () => {
  it.each([
    ['is delivered already', row('PUBLISHED'), 0, /already uploaded: its detail/],
    ['is being recorded', row('INITIATED'), 0, /being recorded/],
    ['never was a recording', row('FAILED'), 1, /nothing was recorded/],
    ['should wait, and does not', row('FAILED', true), 1, /see its log/],
    ['should wait, and does not, unoutput why', row('COMPLETED', true), 1, /see its log/],
  ])('%s', (_, known, exitCode, text) => {
    for (const name of ['r9', 'c9']) {
      const output = retryOutput(replyOf([], name), [known], 0);
      expect(output.exitCode).toBe(exitCode);
      expect(output.notWaiting).toMatchObject([{ name, status: known.status }]);
      expect(output.lines[0]).toBe('None of these has a pending upload:');
      expect(output.lines[1]).toMatch(text);
    }
  });

  it('is unknown to this machine, and nothing is fine then', () => {
    const output = retryOutput(replyOf([pending], 'typo'), [row('PUBLISHED')], 0);
    expect(output.exitCode).toBe(1);
    expect(output.lines.at(-1)).toBe('UNKNOWN    typo  this machine has no recording of that name');
  });
});
