// What the indicator says and where it is.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AppState, Monitor } from '../../../main/shared/names.ts';
import type { AppStatePush, StateReason } from '../../../main/shared/protocol.ts';
import { stateText } from '../../../main/status/stateText.ts';
import type { IndicatorInput } from '../../../main/indicator/model.ts';
import {
  DEFAULT_CHOICES,
  boundsOn,
  displaysToMark,
  indicatorView,
  isNearly,
  placeOf,
} from '../../../main/indicator/model.ts';
import { IndicatorStore } from '../../../main/indicator/store.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';

function view(
  state: AppState,
  reason: StateReason | null = null,
  change: Partial<IndicatorInput> = {},
  problem: StateReason | null = null,
) {
  const uploads = { pending: 1, failed: 1, reason: null };
  const contact = { contactId: 'c', recordingId: 'r', state: 'recording' } as const;
  const contacts = state === 'idle' ? [] : [contact];
  const push: AppStatePush = { type: 'app.state', rev: 3, state, contacts, uploads, reason };
  const choices = { shrunk: false, hidden: false };
  const text = stateText(push, problem);
  const input = { state: push, text, elapsedMs: 5000, agent: 'no', policy: 'required', choices } as const;
  return indicatorView({ ...input, ...change });
}

describe('what the indicator says', () => {
  it('is the state of the capture, with the reason', () => {
    expect(view('starting', null, { elapsedMs: null })).toMatchObject({ label: 'STARTING', elapsedMs: null });
    expect(view('recording')).toMatchObject({ label: 'REC', detail: null, elapsedMs: 5000 });
    expect(view('suspended')).toMatchObject({ label: 'SUSPENDED', detail: 'by the page' });
    const card = { code: 'suspended', message: 'Card number' };
    expect(view('suspended', card)).toMatchObject({ detail: 'by the page: Card number' });
    expect(view('suspended', { code: 'agent', message: 'x' })).toMatchObject({ detail: 'by you' });
    const locked = { code: 'locked', message: 'The system reports the screen as locked.' };
    expect(view('paused', locked)).toMatchObject({ label: 'PAUSED', detail: locked.message });
  });

  it('is never a raw system error', () => {
    const crash = { code: 'CAPTURE_FAILED', message: 'spawn /opt/ffmpeg EACCES' };
    expect(view('problem', crash)).toMatchObject({
      label: 'PROBLEM',
      detail: 'The screen is not being recorded. Sightline retries automatically.',
    });
  });

  it('counts in every state that lasts', () => {
    for (const state of ['recording', 'suspended', 'paused', 'problem'] as const)
      expect(view(state)?.elapsedMs, state).toBe(5000);
  });

  it('offers what the agent may do', () => {
    expect(view('recording', null, { agent: 'may-suspend' })?.agent).toBe('may-suspend');
    expect(view('recording')?.agent).toBe('no');
  });

  it('is nothing at rest, but not where the services did not start', () => {
    expect(view('idle')).toBeNull();
    const problem = { code: 'CLIENT_CONNECTION_ERROR', message: 'Port 5431 is taken. Free it.' };
    expect(view('problem', null, {}, problem)).toMatchObject({
      label: 'PROBLEM',
      detail: 'Sightline could not start and records nothing. Contact support.',
    });
  });

  it('is hidden by policy, and by the agent only where policy leaves it', () => {
    const hidden = { shrunk: false, hidden: true };
    expect(view('recording', null, { policy: 'off' })).toBeNull();
    expect(view('recording', null, { policy: 'optional', choices: hidden })).toBeNull();
    expect(view('recording', null, { policy: 'required', choices: hidden })).toMatchObject({
      mayHide: false,
    });
    expect(view('recording', null, { policy: 'optional' })).toMatchObject({ mayHide: true });
  });

  it('does not let a page say more than a line', () => {
    expect(view('suspended', { code: 'suspended', message: 'x'.repeat(1024) })?.detail).toHaveLength(200);
  });
});

const monitor = (x: number, y = 0): Monitor => ({
  name: `m${x}`,
  x,
  y,
  width: 1920,
  height: 1080,
  primary: x === 0,
});
const display = (id: number, x: number, y = 0) => ({ id, physical: monitor(x, y) });

describe('the monitors with an indicator', () => {
  it('are those that are recorded', () => {
    const displays = [display(1, 0), display(2, 1920), display(3, -1920)];
    expect(displaysToMark([monitor(0), monitor(-1920)], displays)).toEqual([1, 3]);
  });

  it('are all of them where it is not known, or one that is recorded is not among them', () => {
    expect(displaysToMark([], [display(1, 0), display(2, 1920)])).toEqual([1, 2]);
    expect(displaysToMark([monitor(0), monitor(7000)], [display(1, 0), display(2, 1920)])).toEqual([1, 2]);
  });
});

describe('its place', () => {
  const area = { x: 100, y: 50, width: 1820, height: 1000 };

  it('is kept for each monitor, and holds for another resolution', () => {
    const bounds = boundsOn(area, DEFAULT_CHOICES, 7);
    const place = placeOf(area, { ...bounds, x: area.x, y: area.y + area.height - bounds.height });
    expect(place).toEqual({ x: 0, y: 1 });
    const choices = { ...DEFAULT_CHOICES, places: { 7: place } };
    const small = { x: 0, y: 0, width: 800, height: 600 };
    expect(boundsOn(small, choices, 7)).toMatchObject({ x: 0, y: 600 - bounds.height });
    expect(boundsOn(area, choices, 8)).toEqual(bounds);
  });

  it('is as wide as its content, and stays at the right edge when that changes', () => {
    const [wide, small] = [400, 90].map((width) => boundsOn(area, DEFAULT_CHOICES, 7, width));
    expect([wide?.width, small?.width]).toEqual([400, 90]);
    expect(Math.abs(wide!.x + 400 - (small!.x + 90))).toBeLessThan(5);
  });

  it('is no wider than the work area', () => {
    const narrow = { x: 40, y: 0, width: 200, height: 600 };
    expect(boundsOn(narrow, DEFAULT_CHOICES, 7)).toMatchObject({ x: 40, width: 200 });
  });

  it('is left alone where a scale of the monitor rounds it by a pixel, and nowhere else', () => {
    const wanted = boundsOn(area, DEFAULT_CHOICES, 7);
    expect(isNearly({ ...wanted, x: wanted.x - 1, width: wanted.width + 1 }, wanted)).toBe(true);
    expect(isNearly({ ...wanted, height: wanted.height * 1.5 }, wanted)).toBe(false);
    expect(isNearly({ ...wanted, y: wanted.y + 2 }, wanted)).toBe(false);
  });

  it('is always whole within the work area, wherever it was dragged', () => {
    const bounds = boundsOn(area, DEFAULT_CHOICES, 7, 120);
    for (const [x, y] of [
      [-9999, -9999],
      [9999, 9999],
      [9999, -9999],
    ] as const) {
      const places = { 7: placeOf(area, { ...bounds, x, y }) };
      const put = boundsOn(area, { ...DEFAULT_CHOICES, places }, 7);
      expect(put.x).toBeGreaterThanOrEqual(area.x);
      expect(put.y).toBeGreaterThanOrEqual(area.y);
      expect(put.x + put.width).toBeLessThanOrEqual(area.x + area.width);
      expect(put.y + put.height).toBeLessThanOrEqual(area.y + area.height);
    }
  });
});

describe("the agent's choices", () => {
  it('are there again after a restart, and nothing lies beside their file', async () => {
    const folder = await temporaryFolder();
    const { log } = keepingLogger();
    const store = new IndicatorStore(folder, log);
    await store.load();
    expect(store.choices).toEqual(DEFAULT_CHOICES);
    void store.change({ shrunk: true });
    await store.change({ places: { 7: { x: 0.25, y: 1 } } });
    const again = new IndicatorStore(folder, log);
    await again.load();
    expect(again.choices).toEqual({ shrunk: true, hidden: false, places: { 7: { x: 0.25, y: 1 } } });
    expect(await readdir(folder)).toEqual(['indicator.json']);
  });

  it('are forgotten with a broken file, and leave that of a newer version alone', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'indicator.json');
    const { log, lines } = keepingLogger();
    await writeFile(file, '{"version":1,"shrunk":');
    const broken = new IndicatorStore(folder, log);
    await broken.load();
    expect(broken.choices).toEqual(DEFAULT_CHOICES);
    expect(lines).toHaveLength(1);
    const newer = '{"version":2,"pill":"round"}';
    await writeFile(file, newer);
    const store = new IndicatorStore(folder, log);
    await store.load();
    await store.change({ shrunk: true });
    expect(store.choices.shrunk).toBe(true);
    expect(await readFile(file, 'utf8')).toBe(newer);
  });
});
