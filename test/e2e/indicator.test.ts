// The indicator's page in real Chromium: over the real services, in every state light and dark, and for axe-core. With
// PICTURES=1 it writes the screenshots in docs/pictures/indicator: look at them.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import { agentOffer, shownSince } from '../../main/session/view.ts';
import { silentLogger } from '../../main/platform/log.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import { loadPolicy } from '../../main/policy/load.ts';
import { describePortOwner } from '../../main/diagnostics/portOwner.ts';
import type { Services } from '../../main/services.ts';
import { startServices } from '../../main/services.ts';
import type { IndicatorView } from '../../main/shared/indicatorIpc.ts';
import type { AppState } from '../../main/shared/names.ts';
import type { AppStatePush, StateReason } from '../../main/shared/protocol.ts';
import { indicatorView } from '../../main/indicator/model.ts';
import type { AgentOffer } from '../../main/shared/ipc.ts';
import { stateText } from '../../main/status/stateText.ts';
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
  readonly elapsedMs?: number | null;
  readonly shrunk?: boolean;
  readonly policy?: 'required' | 'optional';
  readonly agent?: AgentOffer;
}

function viewOf(state: AppStatePush, look: Look = {}) {
  const { elapsedMs = null, shrunk = false, policy = 'required', agent = 'no' } = look;
  return indicatorView({
    ...{ state, text: stateText(state, null), elapsedMs, agent, policy },
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
  /** Policy, as it may change in the middle of a contact. */
  let setMaySuspend: (may: boolean) => void;
  /** What the page is offered, which may be outdated. */
  const maySuspend = true;
  const pushed: Promise<void>[] = [];
  const states: { at: number; state: AppState }[] = [];
  beforeAll(async () => {
    display = await startDisplay();
    home = await mkdtemp(join(tmpdir(), 'sightline-indicator-'));
    const flags = { port: '0', dataDir: home, display: display.display, agentMaySuspend: 'true' };
    const { values } = loadPolicy({ machine: [], flags, environment: {} });
    const policy = { ...values };
    setMaySuspend = (may) => {
      policy.agentMaySuspend = may;
    };
    services = await startServices({
      network: new NodeNetwork(),
      ...{ policy, resourcesFolder: findResourcesFolder(), describePortOwner, log: silentLogger },
    });
    // As main/desktop.ts does it.
    const suspend = (suspended: boolean): Promise<boolean> =>
      services.session.agent(suspended ? 'suspend' : 'resume').then(
        () => true,
        () => false,
      );
    pill = await openPill(browser, { first: null, suspend });
    services.hub.subscribe((push) => {
      if (push.type !== 'app.state') return;
      if (push.state !== states.at(-1)?.state) states.push({ at: Date.now(), state: push.state });
      const since = shownSince(services.session.current, push.state, services.hub.stateSince);
      const elapsedMs = since === null ? null : Date.now() - since;
      const agent = agentOffer(services.session.current, maySuspend);
      const view = viewOf(push, { elapsedMs, agent });
      if (view !== null) pushed.push(pill.push(view));
    });
  });
  afterAll(async () => {
    await services.stop(9_000, 'terminated');
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
    // The page resumes, the agent does not.
    await session.contact({ type: 'contact.resume', contactId });
    expect(services.hub.state.state).toBe('suspended');
    await session.agent('resume');
    await expect.poll(async () => (await pill.said()).length, POLL).toBe(6);
    const said = await pill.said();
    await session.contact({ type: 'contact.stop', contactId });

    expect(said.map(({ label, detail }) => `${label} ${detail}`.trim())).toEqual([
      ...['STARTING', 'REC', 'SUSPENDED by the page: Card number', 'SUSPENDED by you'],
      ...['STARTING', 'REC'],
    ]);
    const labels: Partial<Record<AppState, string>> = {
      starting: 'STARTING',
      recording: 'REC',
      suspended: 'SUSPENDED',
    };
    const changes = said.filter((one, index) => one.label !== said[index - 1]?.label);
    const lates = changes.map((one, index) => {
      expect(one.label).toBe(labels[states[index]!.state]);
      return one.at - states[index]!.at;
    });
    console.log(`the page changed ${lates.join(', ')} ms after the state`);
    for (const late of lates) expect(late).toBeLessThan(CHANGES_WITHIN_MS);
  });

  it('suspends and resumes by its button, and shows it when capture has stopped', async () => {
    const { session } = services;
    const { page } = pill;
    const contactId = 'by-button';
    await session.contact({ type: 'contact.start', contactId, channel: 'VOICE' });
    await page.getByRole('button', { name: 'Suspend recording' }).click();
    await expect.poll(() => page.locator('#label').textContent(), POLL).toBe('SUSPENDED');
    expect(services.hub.state.state).toBe('suspended');
    expect(session.current.runs).toEqual([]);
    expect(await page.locator('#detail').textContent()).toBe('by you');
    // Since the suspension, not since the start of the contact.
    await expect.poll(() => page.locator('#elapsed').textContent(), POLL).toMatch(/^00:0[12]$/);
    await page.getByRole('button', { name: 'Resume recording' }).click();
    await expect.poll(() => page.locator('#label').textContent(), POLL).toBe('REC');
    expect(services.hub.state.state).toBe('recording');
    await session.contact({ type: 'contact.stop', contactId });
  });

  it('cannot suspend where policy does not permit it: the session refuses, not only the button', async () => {
    const { session } = services;
    const contactId = 'not-permitted';
    setMaySuspend(false);
    await session.contact({ type: 'contact.start', contactId, channel: 'VOICE' });
    const ask = 'window.sightlineIndicator.suspend(true)';
    expect(await pill.page.evaluate(ask)).toBe(false);
    expect(services.hub.state.state).toBe('recording');
    expect(session.current.agentSuspension).toBeNull();
    setMaySuspend(true);
    expect(await pill.page.evaluate(ask)).toBe(true);
    // Ending one is always permitted: the agent must be able to end what policy no longer allows to begin.
    setMaySuspend(false);
    expect(await pill.page.evaluate('window.sightlineIndicator.suspend(false)')).toBe(true);
    await session.contact({ type: 'contact.stop', contactId });
    setMaySuspend(true);
  });
});

const locked = {
  code: 'locked',
  message: 'The system reports the screen as locked. Unlock it to continue recording.',
};
const crashed = { code: 'CAPTURE_FAILED', message: 'ffmpeg exited with code 1.' };
const card = { code: 'suspended', message: 'Card number' };
const looks: Readonly<Record<string, IndicatorView>> = {
  starting: shown('starting'),
  recording: shown('recording', null, { elapsedMs: 754_100 }),
  'recording-long': shown('recording', null, { elapsedMs: 29_045_100, policy: 'optional' }),
  'recording-may-suspend': shown('recording', null, { elapsedMs: 754_100, agent: 'may-suspend' }),
  'recording-small': shown('recording', null, { elapsedMs: 754_100, shrunk: true }),
  suspended: shown('suspended', card, { elapsedMs: 42_100 }),
  'suspended-by-agent': shown(
    'suspended',
    { code: 'agent', message: 'You suspended it.' },
    { elapsedMs: 42_100, agent: 'may-resume' },
  ),
  'suspended-small': shown('suspended', card, { elapsedMs: 42_100, shrunk: true }),
  paused: shown('paused', locked, { elapsedMs: 305_100 }),
  'paused-small': shown('paused', locked, { elapsedMs: 305_100, shrunk: true }),
  problem: shown('problem', crashed, { elapsedMs: 9_100, policy: 'optional' }),
  'problem-small': shown('problem', crashed, { elapsedMs: 9_100, shrunk: true }),
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
    // No empty space: the window is as wide as the pill, whose parts follow each other.
    const empty = await page.evaluate<number>(
      `Math.max(
        innerWidth - document.querySelector('#pill').getBoundingClientRect().right,
        ...[...document.querySelectorAll('#pill > *')]
          .map((one) => one.getBoundingClientRect())
          .filter(({ width }) => width > 1)
          .map(({ left }, index, all) => left - (all[index - 1]?.right ?? 0)),
      )`,
    );
    expect(empty).toBeLessThan(16);
    if (process.env.PICTURES === '1')
      await writeFile(join(pictures, `${name}-${colorScheme}.png`), await pill.picture());
    await pill.close();
  });
});

describe('what the agent does with it', () => {
  it('is requested of the main process: shrunk, hidden where permitted, opened, dragged', async () => {
    const view = shown('recording', null, { elapsedMs: 1000, policy: 'optional' });
    const { page, asked, push, close } = await openPill(browser, { first: view });
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('button', { name: 'Hide the indicator' }).click();
    await page.mouse.move(60, 18);
    // A click that trembles is a click.
    await page.mouse.down();
    await page.mouse.move(61, 19);
    await page.mouse.up();
    await page.mouse.move(60, 18);
    await page.mouse.down();
    await page.mouse.move(90, 28);
    await page.mouse.up();
    await expect.poll(() => asked.at(-1)?.args.at(-1)).toBe(true);
    const requests = asked.filter(({ channel }) => channel !== 'indicator.fit');
    expect(requests.map(({ channel, args }) => [channel, ...args])).toEqual([
      ['indicator.get'],
      ['indicator.shrink', true],
      ['indicator.hide'],
      ['indicator.open'],
      ['indicator.move', 30, 10, false],
      ['indicator.move', 30, 10, true],
    ]);
    await push({ ...view, rev: 2, shrunk: true });
    expect(await page.getByRole('button', { name: 'Details' }).getAttribute('aria-expanded')).toBe('false');
    // An older view that comes later is dropped.
    await push({ ...view, rev: 1, label: 'OLD' });
    expect(await page.locator('#label').textContent()).toBe('REC');
    await close();
  });

  it('makes the window as wide as its content', async () => {
    const view = shown('recording', null, { elapsedMs: 1000 });
    const { page, asked, push, close } = await openPill(browser, { first: view });
    const width = (): unknown => asked.findLast(({ channel }) => channel === 'indicator.fit')?.args[0];
    const full = width();
    await push({ ...view, rev: 2, shrunk: true });
    await expect.poll(width, POLL).toBeLessThan(Number(full));
    const pill = await page.locator('#pill').boundingBox();
    expect(width()).toBe(Math.ceil(pill!.width));
    await close();
  });

  it('is a suspension only where it is offered', async () => {
    const { page, push, close } = await openPill(browser, { first: shown('recording') });
    const suspend = page.getByRole('button', { name: 'Suspend recording' });
    expect(await suspend.count()).toBe(0);
    await push({ ...shown('recording', null, { agent: 'may-suspend' }), rev: 2 });
    expect(await suspend.count()).toBe(1);
    await close();
  });

  it('cannot be to hide it where policy requires it, nor to close it', async () => {
    const { page, close } = await openPill(browser, { first: shown('recording') });
    expect(await page.getByRole('button').count()).toBe(1);
    await close();
  });
});

describe("the tray's icons", () => {
  const folder = join(findResourcesFolder(), 'icons', 'tray');

  it.each([
    ['a light panel', [243, 243, 243]],
    ['a dark panel', [28, 28, 28]],
    ['a blue panel', [0, 103, 192]],
  ])('can be seen on %s, whatever the theme of the apps', async (_what, panel) => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.png'));
    expect(names).toHaveLength(24);
    const page = await browser.newPage('about:blank');
    for (const name of names) {
      const png = await readFile(join(folder, name), 'base64');
      const pixels = await page.evaluate<number[]>(
        `(async () => {
          const image = new Image();
          image.src = 'data:image/png;base64,${png}';
          await image.decode();
          const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
          context.fillStyle = 'rgb(${panel.join()})';
          context.fillRect(0, 0, image.width, image.height);
          context.drawImage(image, 0, 0);
          return [...context.getImageData(0, 0, image.width, image.height).data];
        })()`,
      );
      const readable = pixels.filter(
        (_, at) => at % 4 === 0 && contrast(pixels.slice(at, at + 3), panel) >= 3,
      );
      // WCAG 2.2, 1.4.11: at least 3:1, and more than a line of it.
      expect(readable.length / (pixels.length / 4), name).toBeGreaterThan(0.14);
    }
    await page.close();
  });

  it('differ in shape: at 16 pixels and without colour no two are alike', async () => {
    // The drawings from which scripts/make-icons.ts makes the icons: the shapes alone.
    const names = (await readdir(folder)).filter((name) => name.endsWith('.svg'));
    const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'base64')));
    const page = await browser.newPage('about:blank');
    const alphas = await page.evaluate<number[][]>(
      `Promise.all(${JSON.stringify(files)}.map(async (svg) => {
        const image = new Image();
        image.src = 'data:image/svg+xml;base64,' + svg;
        await image.decode();
        const context = document.createElement('canvas').getContext('2d');
        context.drawImage(image, 0, 0, 16, 16);
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

/** WCAG 2.2, of two colours. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [dark = 0, light = 0] = [a, b].map(luminance).sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: readonly number[]): number {
  const [r = 0, g = 0, blue = 0] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
}
