import { describe, expect, it } from 'vitest';
import {
  PolicyError,
  SightlineError,
  errno,
  errorSources,
  failure,
  toFailure,
} from '../../../main/shared/errors.ts';
import { toTimestamp } from '../../../main/shared/time.ts';

describe('a failure', () => {
  it('says who is at fault', () => {
    expect(failure('NO_DISPLAY', 'No display.')).toEqual({
      code: 'NO_DISPLAY',
      message: 'No display.',
      source: 'CLIENT',
    });
    expect(failure('SERVICE_ISSUE', 'x').source).toBe('SERVICE');
    expect(failure('UNKNOWN', 'x').source).toBe('UNKNOWN');
  });

  it('has every code of the protocol', () => {
    const codes =
      'CLIENT_AUTH_ERROR CLIENT_CONNECTION_ERROR CLIENT_UNSUPPORTED_OS MULTIPLE_CCP_INTERACTION USER_ERROR ' +
      'SERVICE_ISSUE UNKNOWN INVALID_MESSAGE NOT_READY UNKNOWN_CONTACT CAPTURE_FAILED CAPTURE_TIMEOUT ' +
      'ENCODER_UNAVAILABLE NO_DISPLAY SPOOL_FULL SPOOL_UNREADABLE SUSPEND_FAILED UPLOAD_FAILED';
    expect(Object.keys(errorSources)).toEqual(expect.arrayContaining(codes.split(' ')));
  });

  it('keeps the code of our own errors, not the fallback', () => {
    const error = new SightlineError('SPOOL_FULL', 'Free some space.');
    expect(toFailure(error, 'UNKNOWN')).toEqual(failure('SPOOL_FULL', 'Free some space.'));
  });

  it('has a code of its own for a policy that is not valid, with every wrong key', () => {
    const error = new PolicyError(['Policy "port" is not valid.', 'Policy "fps" is not valid.']);
    expect(toFailure(error)).toEqual(failure('POLICY_INVALID', error.problems.join('\n')));
  });

  it('is made of anything else with the fallback and its own words', () => {
    expect(toFailure(new Error('boom'), 'CAPTURE_FAILED')).toEqual(failure('CAPTURE_FAILED', 'boom'));
    expect(toFailure('boom')).toEqual(failure('UNKNOWN', 'boom'));
    expect(toFailure(undefined).message).toBe('undefined');
  });
});

describe('errno', () => {
  it('is the name of a system error, and undefined for anything else', () => {
    expect(errno(Object.assign(new Error('full'), { code: 'ENOSPC' }))).toBe('ENOSPC');
    expect(errno(Object.assign(new Error('odd'), { code: 5 }))).toBeUndefined();
    expect(errno(new Error('plain'))).toBeUndefined();
    expect(errno({ code: 'ENOSPC' })).toBeUndefined();
  });
});

describe('a timestamp', () => {
  it('is RFC 3339 in UTC with milliseconds', () => {
    expect(toTimestamp(1_767_225_600_000)).toBe('2026-01-01T00:00:00.000Z');
    expect(toTimestamp(1_767_225_600_001)).toBe('2026-01-01T00:00:00.001Z');
  });
});
