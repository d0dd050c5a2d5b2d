// The indicator's page in real Chromium: over the real services, in every state light and dark, and for axe-core. With
// PICTURES=1 the pictures in docs/pictures/indicator are made anew: look at them.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../main/platform/log.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import { loadPolicy } from '../../main/policy/load.ts';
import type { Services } from '../../main/services.ts';
import { startServices } from '../../main/services.ts';
import type { IndicatorView } from '../../main/shared/indicatorIpc.ts';
import type { AppState } from '../../main/shared/names.ts';
import type { AppStatePush, StateReason } from '../../main/shared/protocol.ts';
import { stateInWords } from '../../main/tray/model.ts';
import { indicatorView } from '../../main/windows/indicatorModel.ts';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import type { Pill } from '../rig/pill.ts';
import { openPill } from '../rig/pill.ts';
import { agent } from '../rig/recorder.ts';

const CHANGES_WITHIN_MS = 300;
const POLL = { timeout: 20_000, interval: 50 };
const pictures = fileURLToPath(new URL('../../docs/pictures/indicator/', import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.stop());

interface Look {
  readonly elapsedMs?: number;
  readonly shrunk?: boolean;
  readonly policy?: 'required' | 'optional';
}

function viewOf(state: AppStatePush, { elapsedMs, shrunk = false, policy = 'required' }: Look = {}) {
  return indicatorView({
    state,
    inWords: stateInWords(state, null),
    elapsedMs: elapsedMs ?? null,
    policy,
    choices: { shrunk, hidden: false },
  });
}

function shown(state: AppState, reason: StateReason | null = null, look: Look = {}): IndicatorView {
  const contact = { contactId: 'c', recordingId: 'r', state: 'recording' } as const;
  const uploads = { pending: 0, failed: 0, reason: null };
  const view = viewOf({ type: 'app.state', rev: 1, state, contacts: [contact], uploads, reason }, look);
  if (view === null) throw new Error(`Nothing is shown for ${state}.`);
  return view;
}

describe('the indicator over the real services', () => {
  let display: Display;
  let home: string;
  let services: Services;
  let pill: Pill;
  const pushed: Promise<void>[] = [];
  const told: { at: number; state: AppState }[] = [];
  beforeAll(async () => {
    display = await startDisplay();
    home = await mkdtemp(join(tmpdir(), 'sightline-indicator-'));
    const flags = { port: '0', dataDir: home, display: display.display, agentMaySuspend: 'true' };
    const { values: policy } = loadPolicy({ machine: [], flags, environment: {} });
    services = await startServices({ policy, resourcesFolder: findResourcesFolder(), log: silentLogger });
    pill = await openPill(browser, { first: null });
    services.hub.subscribe((push) => {
      if (push.type !== 'app.state') return;
      if (push.state !== told.at(-1)?.state) told.push({ at: Date.now(), state: push.state });
      const view = viewOf(push, { elapsedMs: services.session.recordedMs ?? 0 });
      if (view !== null) pushed.push(pill.push(view));
    });
  });
  afterAll(async () => {
    await services.stop(9_000);
    await Promise.all(pushed);
    await pill.close();
    await display.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('says what capture does, in its order and within 300 ms, and whose suspension it is', async () => {
    const { session } = services;
    const contactId = 'with-indicator';
    await session.hello('page', agent);
    await session.contact({ type: 'contact.start', contactId, channel: 'VOICE' });
    await expect.poll(() => pill.page.locator('#elapsed').textContent(), POLL).toMatch(/00:0[1-9]/);
    await session.contact({ type: 'contact.suspend', contactId, reason: 'Card number' });
    await session.agent('suspend');
    // The page lets go, the agent does not.
    await session.contact({ type: 'contact.resume', contactId });
    expect(services.hub.state.state).toBe('suspended');
    await session.agent('resume');
    await expect.poll(async () => (await pill.said()).length, POLL).toBe(6);
    const said = await pill.said();
    await session.contact({ type: 'contact.stop', contactId });

    expect(said.map(({ label, detail }) => `${label} ${detail}`.trim())).toEqual([
      ...['STARTING', 'REC', 'SUSPENDED Card number', 'SUSPENDED You suspended it.'],
      ...['STARTING', 'REC'],
    ]);
    const labels: Partial<Record<AppState, string>> = {
      starting: 'STARTING',
      recording: 'REC',
      suspended: 'SUSPENDED',
    };
    const changes = said.filter((one, index) => one.label !== said[index - 1]?.label);
    const lates = changes.map((one, index) => {
      expect(one.label).toBe(labels[told[index]!.state]);
      return one.at - told[index]!.at;
    });
    console.log(`the page stood ${lates.join(', ')} ms after the state`);
    for (const late of lates) expect(late).toBeLessThan(CHANGES_WITHIN_MS);
  });
});

const locked = {
  code: 'locked',
  message: 'The system reports the screen as locked. Unlock it to go on recording.',
};
const crashed = {
  code: 'CAPTURE_FAILED',
  message: 'ffmpeg ended by itself. Capture is being started again.',
};
const card = { code: 'suspended', message: 'Card number' };
const looks: Readonly<Record<string, IndicatorView>> = {
  starting: shown('starting'),
  recording: shown('recording', null, { elapsedMs: 754_100 }),
  'recording-long': shown('recording', null, { elapsedMs: 29_045_100, policy: 'optional' }),
  'recording-small': shown('recording', null, { elapsedMs: 754_100, shrunk: true }),
  suspended: shown('suspended', card),
  'suspended-by-agent': shown('suspended', { code: 'agent', message: 'You suspended it.' }),
  'suspended-small': shown('suspended', card, { shrunk: true }),
  paused: shown('paused', locked),
  problem: shown('problem', crashed, { policy: 'optional' }),
  'problem-small': shown('problem', crashed, { shrunk: true }),
};

describe.each(['light', 'dark'] as const)('the page, %s', (colorScheme) => {
  it.each(Object.keys(looks))('shows %s, and axe-core finds nothing', async (name) => {
    const pill = await openPill(browser, { first: looks[name]!, colorScheme });
    const { page } = pill;
    const { violations } = await page.evaluate<AxeResults>(
      `${axe}; document.body.style.background = 'canvas'; axe.run(document)`,
    );
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((one) => one.html).join(' ')}`)).toEqual([]);
    const visible = page.locator('#pill > svg :visible');
    expect(await visible.count()).toBeGreaterThan(0);
    const cutOff = await page.evaluate(
      `[...document.querySelectorAll('#pill > *')]
        .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth).length`,
    );
    expect(cutOff).toBe(0);
    if (process.env.PICTURES === '1')
      await writeFile(join(pictures, `${name}-${colorScheme}.png`), await pill.picture());
    await pill.close();
  });
});

describe('what the agent does with it', () => {
  it('is asked of the main process: shrunk, hidden where that may be, dragged', async () => {
    const view = shown('recording', null, { elapsedMs: 1000, policy: 'optional' });
    const { page, asked, push, close } = await openPill(browser, { first: view });
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('button', { name: 'Hide the indicator' }).click();
    await page.mouse.move(60, 18);
    await page.mouse.down();
    await page.mouse.move(90, 28);
    await page.mouse.up();
    await expect.poll(() => asked.at(-1)?.args.at(-1)).toBe(true);
    expect(asked.map(({ channel, args }) => [channel, ...args])).toEqual([
      ['indicator.get'],
      ['indicator.shrink', true],
      ['indicator.hide'],
      ['indicator.move', 30, 10, false],
      ['indicator.move', 30, 10, true],
    ]);
    await push({ ...view, rev: 2, shrunk: true });
    expect(await page.getByRole('button', { name: 'Details' }).getAttribute('aria-expanded')).toBe('false');
    // News that was overtaken is no news.
    await push({ ...view, rev: 1, label: 'OLD' });
    expect(await page.locator('#label').textContent()).toBe('REC');
    await close();
  });

  it('cannot be to hide it where policy requires it, nor to close it', async () => {
    const { page, close } = await openPill(browser, { first: shown('recording') });
    expect(await page.getByRole('button').count()).toBe(1);
    await close();
  });
});

describe("the tray's icons", () => {
  it('differ in shape: at 16 pixels and without colour no two are alike', async () => {
    const folder = join(findResourcesFolder(), 'icons', 'tray');
    const names = (await readdir(folder)).filter((name) => name.endsWith('Template.png'));
    const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'base64')));
    const page = await browser.newPage('about:blank');
    const alphas = await page.evaluate<number[][]>(
      `Promise.all(${JSON.stringify(files)}.map(async (png) => {
        const image = new Image();
        image.src = 'data:image/png;base64,' + png;
        await image.decode();
        const context = document.createElement('canvas').getContext('2d');
        context.drawImage(image, 0, 0);
        return [...context.getImageData(0, 0, 16, 16).data].filter((_, index) => index % 4 === 3);
      }))`,
    );
    await page.close();
    expect(alphas).toHaveLength(6);
    alphas.forEach((one, index) => {
      alphas.slice(index + 1).forEach((other, further) => {
        const unlike = one.filter((alpha, at) => Math.abs(alpha - other[at]!) > 96).length;
        expect(unlike, `${names[index]} and ${names[index + 1 + further]}`).toBeGreaterThan(16);
      });
    });
  });
});
