// What the indicator says, where it is, and who may ask it for what.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AppState, Monitor } from '../../../main/shared/names.ts';
import type { AppStatePush, StateReason } from '../../../main/shared/protocol.ts';
import { stateInWords } from '../../../main/tray/model.ts';
import type { IndicatorInput } from '../../../main/windows/indicatorModel.ts';
import {
  DEFAULT_CHOICES,
  boundsOn,
  displaysToMark,
  indicatorView,
  placeOf,
} from '../../../main/windows/indicatorModel.ts';
import { indicatorRequest } from '../../../main/windows/indicatorRequests.ts';
import { IndicatorStore } from '../../../main/windows/indicatorStore.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';

function view(
  state: AppState,
  reason: StateReason | null = null,
  change: Partial<IndicatorInput> = {},
  problem: string | null = null,
) {
  const uploads = { pending: 1, failed: 1, reason: null };
  const contact = { contactId: 'c', recordingId: 'r', state: 'recording' } as const;
  const contacts = state === 'idle' ? [] : [contact];
  const push: AppStatePush = { type: 'app.state', rev: 3, state, contacts, uploads, reason };
  const choices = { shrunk: false, hidden: false };
  const inWords = stateInWords(push, problem);
  return indicatorView({ state: push, inWords, elapsedMs: 5000, policy: 'required', choices, ...change });
}

describe('what the indicator says', () => {
  it('is the state of the capture, with why or what is wrong', () => {
    expect(view('starting')).toMatchObject({ label: 'STARTING', elapsedMs: null });
    expect(view('recording')).toMatchObject({ label: 'REC', detail: null, elapsedMs: 5000 });
    expect(view('suspended', null)).toMatchObject({ detail: 'The page asked for it.' });
    const card = { code: 'suspended', message: 'Card number' };
    expect(view('suspended', card)).toMatchObject({
      label: 'SUSPENDED',
      detail: 'Card number',
      elapsedMs: null,
    });
    const locked = {
      code: 'locked',
      message: 'The system reports the screen as locked. Unlock it to go on recording.',
    };
    expect(view('paused', locked)).toMatchObject({
      label: 'PAUSED',
      detail: 'The system reports the screen as locked',
    });
    const crash = { code: 'CAPTURE_FAILED', message: 'ffmpeg ended by itself. Wait.' };
    expect(view('problem', crash)).toMatchObject({ label: 'PROBLEM', detail: 'ffmpeg ended by itself' });
  });

  it('is nothing at rest, but not where the services did not start', () => {
    expect(view('idle')).toBeNull();
    expect(view('problem', null, {}, 'Port 5431 is taken. Free it.')).toMatchObject({
      label: 'PROBLEM',
      detail: 'Port 5431 is taken',
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
const display = (id: number, x: number, y = 0) => ({ id, physical: { ...monitor(x, y) }, primary: x === 0 });

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

  it('is always whole within the work area, wherever it was dragged', () => {
    const bounds = boundsOn(area, DEFAULT_CHOICES, 7);
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

describe("a request through the indicator's channels", () => {
  const ours = { url: 'sightline://app/indicator.html', isTopFrame: true, isIndicator: true };

  it('is taken from the indicator, with what the channel takes', () => {
    expect(indicatorRequest('indicator.move', ours, [3, -4, true])).toEqual([3, -4, true]);
  });

  it.each([
    ['a frame that is gone', null],
    ['a frame inside the page', { ...ours, isTopFrame: false }],
    ['the status window', { ...ours, isIndicator: false }],
    ['another page of ours', { ...ours, url: 'sightline://app/index.html' }],
    ['another host', { ...ours, url: 'sightline://other/indicator.html' }],
  ])('is refused from %s', (_what, sender) => {
    expect(() => indicatorRequest('indicator.get', sender, [])).toThrow('only for');
  });

  it.each([
    ['indicator.move', [1.5, 0, true]],
    ['indicator.move', [1e9, 0, true]],
    ['indicator.move', [0, 0]],
    ['indicator.shrink', ['yes']],
    ['indicator.hide', [1]],
  ] as const)('is refused with the wrong arguments: %s %j', (channel, args) => {
    expect(() => indicatorRequest(channel, ours, args)).toThrow('wrong arguments');
  });
});
