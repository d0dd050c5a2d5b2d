import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { StateText } from '../../../main/shared/ipc.ts';
import { iconFile, trayView } from '../../../main/tray/model.ts';
import type { TrayOffers } from '../../../main/tray/model.ts';

const text: StateText = {
  ...{ icon: 'uploading', title: 'Not recording', reason: null, technical: null },
  uploads: 'Uploading 1 recording',
};
const offers: TrayOffers = {
  version: '1.2.3',
  elapsedMs: null,
  agent: 'no',
  mayQuit: true,
  indicator: { shrunk: false, hidden: false, mayHide: false },
};
const labels = (change: Partial<TrayOffers>): string[] =>
  trayView(text, { ...offers, ...change }).menu.flatMap((entry) =>
    entry.kind === 'separator' ? [] : [entry.label],
  );

describe('the tray', () => {
  it('has everything in its menu', () => {
    expect(trayView(text, offers)).toEqual({
      icon: 'uploading',
      tooltip: 'Sightline: Not recording\nUploading 1 recording',
      menu: [
        { kind: 'text', label: 'Not recording' },
        { kind: 'text', label: 'Uploading 1 recording' },
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

  it('offers no Quit where policy forbids it', () => {
    const { menu } = trayView(text, { ...offers, mayQuit: false });
    expect(menu.at(-1)).toEqual({ kind: 'command', label: 'About Sightline 1.2.3', command: 'about' });
    expect(labels({ mayQuit: false })).not.toContain('Quit');
  });

  it('fits into the 127 characters that Windows gives a tooltip', () => {
    const view = trayView({ ...text, reason: 'x'.repeat(400) }, offers);
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
});

describe('the icon in the tray', () => {
  const states = ['idle', 'starting', 'recording', 'suspended', 'uploading', 'problem'] as const;
  it.each(states)('is there for %s, on every platform, plain and dense', (state) => {
    for (const platform of ['win32', 'linux'] as const) {
      const file = new URL(`../../../resources/icons/tray/${iconFile(state, platform)}`, import.meta.url);
      expect(existsSync(file), String(file)).toBe(true);
      expect(existsSync(new URL(file.href.replace('.png', '@2x.png'))), String(file)).toBe(true);
    }
  });
});
