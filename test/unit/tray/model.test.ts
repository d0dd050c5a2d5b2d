import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../main/shared/errors.ts';
import { failure } from '../../../main/shared/errors.ts';
import type { AppState, RecordingState } from '../../../main/shared/names.ts';
import type { AppStatePush } from '../../../main/shared/protocol.ts';
import { iconFile, stateInWords, trayView } from '../../../main/tray/model.ts';
import type { TrayOffers } from '../../../main/tray/model.ts';

function push(
  state: AppState,
  contacts: readonly RecordingState[] = [],
  uploads: AppStatePush['uploads'] = { pending: 0, failed: 0, reason: null },
): AppStatePush {
  return {
    type: 'app.state',
    rev: 7,
    state,
    contacts: contacts.map((one, index) => ({
      contactId: `c-${index}`,
      recordingId: `r-${index}`,
      state: one,
    })),
    uploads,
    reason: null,
  };
}

describe('capture that rests', () => {
  it('is told with its reason, and looks like a suspension: nothing is captured, and it is meant to be so', () => {
    const paused: AppStatePush = {
      ...push('paused', ['paused']),
      reason: {
        code: 'locked',
        message: 'The system reports the screen as locked. Unlock it to go on recording.',
      },
    };
    expect(stateInWords(paused, null)).toMatchObject({
      icon: 'suspended',
      words: 'Paused: The system reports the screen as locked',
    });
  });

  it('because of a fault is told with that', () => {
    const problem: AppStatePush = {
      ...push('problem', ['problem']),
      reason: { code: 'CAPTURE_FAILED', message: 'ffmpeg ended by itself. Capture is being started again.' },
    };
    expect(stateInWords(problem, null)).toMatchObject({
      icon: 'problem',
      words: 'Problem: ffmpeg ended by itself',
      detail: 'Capture is being started again.',
    });
  });
});

const words = (...args: Parameters<typeof push>): string => stateInWords(push(...args), null).words;
const icon = (...args: Parameters<typeof push>): string => stateInWords(push(...args), null).icon;

describe('the state in words', () => {
  it('says each state', () => {
    expect(words('idle')).toBe('Not recording');
    expect(words('starting', ['starting'])).toBe('Starting to record');
    expect(words('recording', ['recording'])).toBe('Recording 1 contact');
    expect(words('suspended', ['suspended'])).toBe('Suspended: nothing is captured');
    expect(words('problem', ['problem'])).toBe('Problem: The screen is not being captured');
  });

  it('counts only the contacts that are being recorded', () => {
    expect(words('recording', ['recording', 'recording', 'starting', 'stopping'])).toBe(
      'Recording 2 contacts',
    );
  });

  it('never says "not recording" while a run is still live', () => {
    expect(words('recording', ['stopping'])).toBe('Recording is coming to its end');
    expect(words('recording')).toBe('Recording is coming to its end');
    expect(words('recording', ['starting', 'stopping'])).toBe('Recording');
    expect(icon('recording', ['stopping'])).toBe('recording');
  });

  it('tells a missing encoder from a capture that fails', () => {
    expect(words('problem')).toBe('Problem: There is no video encoder');
  });

  it('puts what hindered the start before everything else, and what to do about it apart', () => {
    const problem = 'Port 5431 is taken by process 12 (node). End that program. Or set another "port".';
    expect(stateInWords(push('problem'), problem)).toEqual({
      icon: 'problem',
      words: 'Problem: Port 5431 is taken by process 12 (node)',
      why: 'Port 5431 is taken by process 12 (node)',
      detail: 'End that program. Or set another "port".',
      uploads: null,
    });
    expect(stateInWords(push('problem'), 'Nothing to add.')).toMatchObject({
      words: 'Problem: Nothing to add',
      detail: null,
    });
    expect(stateInWords(push('problem'), 'spawn /opt/v1.2 ENOENT').words).toBe(
      'Problem: spawn /opt/v1.2 ENOENT',
    );
  });

  it('says what waits for delivery', () => {
    const uploads = (pending: number, failed: number, reason: Failure | null = null) =>
      stateInWords(push('idle', [], { pending, failed, reason }), null).uploads;
    expect(uploads(0, 0)).toBeNull();
    expect(uploads(1, 0)).toBe('Delivering 1 recording');
    expect(uploads(2, 1)).toBe('Delivering 2 recordings; 1 recording not delivered yet, tried again');
    expect(uploads(0, 3)).toBe('3 recordings not delivered yet, tried again');
    const away = failure('CLIENT_CONNECTION_ERROR', 'S3 cannot be reached. Check the network.');
    expect(uploads(1, 0, away)).toBe('Delivering 1 recording: S3 cannot be reached');
  });

  it('has the icon of the capture, and of the deliveries only while nothing is captured', () => {
    const uploads = { pending: 1, failed: 1, reason: null };
    expect(icon('recording', ['recording'], uploads)).toBe('recording');
    expect(icon('suspended', ['suspended'], uploads)).toBe('suspended');
    expect(icon('idle', [], uploads)).toBe('problem');
    expect(icon('idle', [], { pending: 1, failed: 0, reason: null })).toBe('uploading');
    expect(icon('idle')).toBe('idle');
  });
});

const offers: TrayOffers = {
  version: '1.2.3',
  elapsedMs: null,
  agent: 'no',
  indicator: { shrunk: false, hidden: false, mayHide: false },
  canExport: true,
};
const labels = (change: Partial<TrayOffers>): string[] =>
  trayView(stateInWords(push('recording', ['recording']), null), { ...offers, ...change }).menu.flatMap(
    (entry) => (entry.kind === 'separator' ? [] : [entry.label]),
  );

describe('the tray', () => {
  it('has everything in its menu', () => {
    const view = trayView(
      stateInWords(push('idle', [], { pending: 1, failed: 0, reason: null }), null),
      offers,
    );
    expect(view).toEqual({
      icon: 'uploading',
      tooltip: 'Sightline: Not recording\nDelivering 1 recording',
      menu: [
        { kind: 'words', label: 'Not recording' },
        { kind: 'words', label: 'Delivering 1 recording' },
        { kind: 'separator' },
        { kind: 'command', label: 'Smaller indicator', command: 'shrink-indicator' },
        { kind: 'command', label: 'Show window', command: 'show-window' },
        { kind: 'command', label: 'Export diagnostics…', command: 'export-diagnostics' },
        { kind: 'command', label: 'About Sightline 1.2.3', command: 'about' },
        { kind: 'separator' },
        { kind: 'command', label: 'Quit', command: 'quit' },
      ],
    });
  });

  it('fits into the 127 characters that Windows gives a tooltip', () => {
    const view = trayView(stateInWords(push('problem'), 'x'.repeat(400)), offers);
    expect(view.tooltip.length).toBeLessThanOrEqual(127);
    expect(view.tooltip.endsWith('…')).toBe(true);
  });

  it('says how long, to the minute', () => {
    expect(labels({ elapsedMs: 59_999 })).toContain('For less than a minute');
    expect(labels({ elapsedMs: 3 * 60_000 + 1 })).toContain('For 3 min');
    expect(labels({ elapsedMs: 62 * 60_000 })).toContain('For 1 h 2 min');
    expect(labels({}).join()).not.toContain('For ');
  });

  it('lets the agent suspend where that is offered, and end what was begun', () => {
    expect(labels({}).join()).not.toMatch(/Suspend|Resume/);
    expect(labels({ agent: 'may-suspend' })).toContain('Suspend recording');
    expect(labels({ agent: 'may-resume' })).toContain('Resume recording');
  });

  it('never offers to hide an indicator that policy requires', () => {
    const indicator = { shrunk: true, hidden: false, mayHide: false };
    expect(labels({ indicator })).toContain('Larger indicator');
    expect(labels({ indicator }).join()).not.toContain('Hide');
    expect(labels({ indicator: { ...indicator, mayHide: true } })).toContain('Hide indicator');
    expect(labels({ indicator: { ...indicator, mayHide: true, hidden: true } })).toContain('Show indicator');
    expect(labels({ indicator: null }).join()).not.toContain('indicator');
  });

  it('has no entry for a bundle that nobody makes', () => {
    expect(labels({ canExport: false }).join()).not.toContain('diagnostics');
  });
});

describe('the picture in the tray', () => {
  const states = ['idle', 'starting', 'recording', 'suspended', 'uploading', 'problem'] as const;
  it.each(states)('is there for %s, on every platform, light and dark, plain and dense', (state) => {
    for (const platform of ['win32', 'darwin', 'linux'] as const) {
      for (const isDark of [false, true]) {
        const file = new URL(
          `../../../resources/icons/tray/${iconFile(state, platform, isDark)}`,
          import.meta.url,
        );
        expect(existsSync(file), String(file)).toBe(true);
        expect(existsSync(new URL(file.href.replace('.png', '@2x.png'))), String(file)).toBe(true);
      }
    }
  });
});
