// The state as text, the same for tray, indicator and window.
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../main/shared/errors.ts';
import { failure } from '../../../main/shared/errors.ts';
import type { AppState, RecordingState } from '../../../main/shared/names.ts';
import type { AppStatePush, StateReason } from '../../../main/shared/protocol.ts';
import { NOT_RUNNING, stateLine, stateText } from '../../../main/status/stateText.ts';

function push(
  state: AppState,
  contacts: readonly RecordingState[] = [],
  change: Partial<Pick<AppStatePush, 'uploads' | 'reason'>> = {},
): AppStatePush {
  return {
    ...{ type: 'app.state', rev: 7, state },
    contacts: contacts.map((one, index) => ({
      contactId: `c-${index}`,
      recordingId: `r-${index}`,
      state: one,
    })),
    uploads: { pending: 0, failed: 0, reason: null },
    reason: null,
    ...change,
  };
}
const title = (...args: Parameters<typeof push>): string => stateText(push(...args), null).title;
const icon = (...args: Parameters<typeof push>): string => stateText(push(...args), null).icon;
const because = (state: AppState, reason: StateReason) =>
  stateText(push(state, ['recording'], { reason }), null);

describe('the title', () => {
  it('exists for each state', () => {
    expect(title('idle')).toBe('Not recording');
    expect(title('starting', ['starting'])).toBe('Starting to record');
    expect(title('recording', ['recording'])).toBe('Recording 1 contact');
    expect(title('suspended', ['suspended'])).toBe('Suspended by the page');
    expect(title('paused', ['paused'])).toBe('Paused');
    expect(title('problem', ['problem'])).toBe('Problem');
  });

  it('counts only the contacts that are being recorded', () => {
    expect(title('recording', ['recording', 'recording', 'starting', 'stopping'])).toBe(
      'Recording 2 contacts',
    );
  });

  it('never says "not recording" while a run is still live', () => {
    expect(title('recording', ['stopping'])).toBe('Finishing');
    expect(title('recording')).toBe('Finishing');
    expect(title('recording', ['starting', 'stopping'])).toBe('Recording');
    expect(icon('recording', ['stopping'])).toBe('recording');
  });
});

describe('the reason', () => {
  it('of a suspension says whose it is, and what the page gave', () => {
    const byPage = because('suspended', { code: 'suspended', message: 'Card number' });
    expect(byPage).toMatchObject({ title: 'Suspended by the page', reason: 'Card number', technical: null });
    expect(stateLine(byPage)).toBe('Suspended by the page: Card number');
    const byAgent = because('suspended', { code: 'agent', message: 'You suspended it.' });
    expect(byAgent).toMatchObject({ title: 'Suspended by you', reason: null });
    expect(stateLine(byAgent)).toBe('Suspended by you');
  });

  it('of a pause is shown like a suspension: nothing is captured, on purpose', () => {
    const message = 'The system reports the screen as locked. Unlock it to continue recording.';
    expect(because('paused', { code: 'locked', message })).toMatchObject({
      icon: 'suspended',
      reason: message,
    });
  });

  it('of a problem is one plain sentence; code and technical message are for support', () => {
    const raw = { code: 'NO_DISPLAY', message: 'connect to /tmp/.X11-unix/X1 failed (uv -111)' };
    const text = because('problem', raw);
    expect(text).toEqual({
      icon: 'problem',
      title: 'Problem',
      reason: 'The screen cannot be read. Sightline retries automatically.',
      technical: raw,
      uploads: null,
    });
    expect(stateLine(text)).not.toContain('uv -111');
    expect(because('problem', { code: 'EACCES', message: 'x' }).reason).toBe(
      'Something went wrong. Contact support.',
    );
  });

  it('distinguishes a missing encoder from a capture that fails', () => {
    expect(stateText(push('problem'), null).reason).toContain('encoder is missing');
    expect(stateText(push('problem', ['problem']), null).reason).toContain('is not being recorded');
  });

  it('of a failed start comes before everything else', () => {
    const problem = failure('CLIENT_CONNECTION_ERROR', 'Port 5431 is already in use by process 12 (node).');
    const text = stateText(NOT_RUNNING, problem);
    expect(text).toMatchObject({ icon: 'problem', title: 'Problem', technical: problem });
    expect(text.reason).toBe('Sightline could not start and records nothing. Contact support.');
  });
});

describe('pending uploads', () => {
  const uploads = (pending: number, failed: number, reason: Failure | null = null) =>
    stateText(push('idle', [], { uploads: { pending, failed, reason } }), null).uploads;

  it('are counted, with the reason in plain words', () => {
    expect(uploads(0, 0)).toBeNull();
    expect(uploads(1, 0)).toBe('Uploading 1 recording');
    expect(uploads(2, 1)).toBe('3 recordings pending; retrying automatically');
    const away = failure('CLIENT_CONNECTION_ERROR', 'connect ECONNREFUSED 10.0.0.1:443');
    expect(uploads(1, 0, away)).toBe(
      '1 recording pending; retrying automatically. The upload destination cannot be reached. Check the network.',
    );
  });

  it('decide on the icon only while nothing is captured', () => {
    const both = { uploads: { pending: 1, failed: 1, reason: null } };
    expect(icon('recording', ['recording'], both)).toBe('recording');
    expect(icon('suspended', ['suspended'], both)).toBe('suspended');
    expect(icon('idle', [], both)).toBe('problem');
    expect(icon('idle', [], { uploads: { pending: 1, failed: 0, reason: null } })).toBe('uploading');
    expect(icon('idle')).toBe('idle');
  });
});
