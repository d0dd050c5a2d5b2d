// The status window in real Chromium, over real services: in every state it says what is so, at 100 and 200 %, light and
// dark, to the eye, the keyboard and the screen reader, and it never breaks the rules that its pages live under.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import { LOOKS } from '../rig/statusWindow.ts';
import type { Look } from '../rig/statusWindow.ts';
import type { Scene } from '../rig/windowScenes.ts';
import { playScenes, shown } from '../rig/windowScenes.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Seen {
  readonly headline: string;
  readonly text: string;
  /** With what is folded away. */
  readonly folded: string;
  readonly complaints: readonly string[];
  /** Serious and critical ones of axe, and what sticks out to the side, each with its look. */
  readonly faults: readonly string[];
}

let browser: Browser;
const seen = new Map<string, Seen>();
/** What the scenes that need hands on them came to. */
const keyboard: { stops: string[]; outlines: number[]; kept: boolean[] } = {
  stops: [],
  outlines: [],
  kept: [],
};
let opened: readonly { path: string; kind: string }[] = [];
let bridge: { names: string[]; frozen: boolean; electron: string } | null = null;
let exported = '';
/** Of the state and of the suspension on the timeline. */
let ages: { state: string; header: string; total: string } | null = null;
let problemsAt = Infinity;
let staleShown = '';

beforeAll(async () => {
  browser = await startBrowser();
  await playScenes(browser, async (scene) => {
    const { page, complaints } = scene.window;
    const faults: string[] = [];
    for (const look of LOOKS) faults.push(...(await faultsOf(scene, look)));
    seen.set(scene.name, {
      headline: await page.getByRole('heading', { level: 1 }).innerText(),
      text: await page.locator('body').innerText(),
      folded: (await page.locator('body').textContent()) ?? '',
      complaints: [...complaints],
      faults,
    });
    if (scene.name === 'uploaded') await useKeyboard(scene);
    if (scene.name === 'idle') await lookAtBridge(scene);
    if (scene.name === 'suspended') ages = await agesOf(page);
    if (scene.name === 'uploaded') problemsAt = await topOf(page, 'ol.checks > li');
    if (scene.name === 'sending') await exportDiagnostics(page);
  });
}, 240_000);
afterAll(() => browser.stop());

async function faultsOf({ window }: Scene, look: Look): Promise<string[]> {
  await window.look(look);
  const { page } = window;
  const name = `${look.colors} ${look.percent} %`;
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as {
      axe: {
        run(): Promise<{
          passes: unknown[];
          violations: { id: string; impact: string; nodes: { html: string }[] }[];
        }>;
      };
    };
    const { passes, violations } = await runner.run();
    if (passes.length < 10) throw new Error('axe has looked at next to nothing');
    return violations;
  });
  const serious = violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${name}: ${id} ${nodes.map(({ html }) => html).join(' ')}`);
  const sticksOut = await page.evaluate(() => {
    const { document, innerWidth } = globalThis as unknown as {
      document: { documentElement: { scrollWidth: number } };
      innerWidth: number;
    };
    return document.documentElement.scrollWidth - innerWidth;
  });
  return sticksOut > 0 ? [...serious, `${name}: ${sticksOut} pixels too wide`] : serious;
}

async function agesOf(page: Page): Promise<typeof ages> {
  const [state, header, totals] = await Promise.all(
    ['.now .figures', 'header .age', '.totals'].map((one) => page.locator(one).first().innerText()),
  );
  return { state: state!, header: header!, total: /Suspended (\S+)/.exec(totals!)?.[1] ?? '' };
}

/** From the top of the page, in CSS pixels. */
async function topOf(page: Page, selector: string): Promise<number> {
  return (await page.locator(selector).first().boundingBox())?.y ?? Infinity;
}

interface Focused {
  readonly name: string;
  readonly outlinePixels: number;
}

function focused(page: Page): Promise<Focused> {
  return page.evaluate(() => {
    interface Element {
      getAttribute(name: string): string | null;
      readonly textContent: string;
    }
    const scope = globalThis as unknown as {
      document: { activeElement: Element };
      getComputedStyle(element: Element): { outlineStyle: string; outlineWidth: string };
    };
    const element = scope.document.activeElement;
    const { outlineStyle, outlineWidth } = scope.getComputedStyle(element);
    return {
      name: element.getAttribute('aria-label') ?? element.textContent,
      outlinePixels: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth),
    };
  });
}

/** Through the first controls with Tab; then the focus must survive an update of the section it is in. */
async function useKeyboard({ window, backstage }: Scene): Promise<void> {
  const { page } = window;
  await page.bringToFront();
  await page.locator('body').click({ position: { x: 2, y: 2 } });
  for (let stop = 0; stop < 5; stop += 1) {
    await page.keyboard.press('Tab');
    const { name, outlinePixels } = await focused(page);
    keyboard.stops.push(name);
    keyboard.outlines.push(outlinePixels);
    if (name.startsWith('Open folder of')) await page.keyboard.press('Enter');
  }
  opened = backstage.opened;
  // Back to the first stop, which runs the checks.
  for (let stop = 1; stop < 5; stop += 1) await page.keyboard.press('Shift+Tab');
  const before = await focused(page);
  await page.keyboard.press('Enter');
  await shown(backstage, ({ checks }) => checks.status === 'running');
  await shown(backstage, ({ checks }) => checks.status === 'done');
  keyboard.kept.push((await focused(page)).name === before.name);
}

async function lookAtBridge({ window, backstage }: Scene): Promise<void> {
  const { page } = window;
  bridge = await page.evaluate(() => {
    const scope = globalThis as unknown as { sightline: object; require?: unknown; process?: unknown };
    return {
      names: Object.keys(scope.sightline).sort(),
      frozen: Object.isFrozen(scope.sightline),
      electron: `${typeof scope.require} ${typeof scope.process}`,
    };
  });
  // An older state that comes later is not shown.
  const now = backstage.overview.shown();
  const stale = { ...now, rev: now.rev - 1, text: { ...now.text, title: 'Old news' } };
  await page.evaluate((state) => {
    (globalThis as unknown as { __push(channel: string, state: unknown): void }).__push(
      'state.changed',
      state,
    );
  }, stale);
  staleShown = await page.getByRole('heading', { level: 1 }).innerText();
}

async function exportDiagnostics(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Export diagnostics' }).click();
  const notice = page.locator('.notice', { hasText: 'sightline-diagnostics.zip' });
  await notice.waitFor();
  exported = await notice.innerText();
}

const scenes: readonly (readonly [string, string, readonly (string | RegExp)[]])[] = [
  ['idle', 'Not recording', ['DUMMY0, 1280 × 720, main monitor', 'DUMMY2, 800 × 600, not recorded']],
  ['starting', 'Starting to record', ['Starting', 'Waiting for the first frame.']],
  [
    'recording',
    'Recording 2 contacts',
    [/Recorded 0:\d\d · Suspended 0:0\d/, /Billing · Call · \d/, /Claims · Chat · \d/],
  ],
  [
    'suspended',
    'Suspended by the page',
    [
      'Nothing is captured. Reason: Card number',
      'Suspended by the page: Card number',
      /Recorded 0:0\d · Suspended 0:0\d/,
      'Suspend recording',
    ],
  ],
  ['suspended-by-agent', 'Suspended by you', ['Suspended by you.', 'Resume recording']],
  [
    'paused',
    'Paused',
    ['Nothing is captured. The system reports the screen as locked.', /Screen locked 0:0\d/],
  ],
  ['uploaded', 'Not recording', ['Uploaded', 'Open folder', /Claims · Chat · \d/, /\d+ warnings at/]],
  [
    'problem',
    'Problem',
    [
      'The screen cannot be read. Sightline retries automatically.',
      'Details for support: NO_DISPLAY',
      'Not captured',
      /(No display|Interrupted) 0:0\d/,
    ],
  ],
  ['sending', 'Recording 1 contact', ['Uploading', /\d+ kB of (\d\.\d MB|\d+ kB) · \d+ kB\/s/]],
  [
    'refused',
    'Not recording',
    [
      '1 recording pending; retrying automatically.',
      'Retrying automatically',
      'did not accept the credentials',
      /\d+ attempts, next at/,
      'Upload pending',
      'Retry now',
    ],
  ],
  ['not-started', 'Problem', ['could not start', 'Details for support: CLIENT_CONNECTION_ERROR']],
];

describe.each(scenes)('the status window, %s', (name, headline, texts) => {
  it('says so', () => {
    expect(seen.get(name)?.headline).toBe(headline);
    for (const one of texts) expect(seen.get(name)?.text).toMatch(one);
  });

  it('shows technical details only when they are unfolded', () => {
    expect(seen.get(name)?.text).not.toMatch(
      /X11-unix|AccessDenied|Port 5431|Encoder|Electron|\d fps|not listening/,
    );
    expect(seen.get(name)?.folded).toMatch(/Frame rate.*Port.*Electron/s);
  });

  it('has nothing serious for axe, and fits, light and dark, at 100 and 200 %', () => {
    expect(seen.get(name)?.faults).toEqual([]);
  });

  it('keeps its content security policy and asks for nothing from elsewhere', () => {
    expect(seen.get(name)?.complaints).toEqual([]);
  });
});

describe('the status window', () => {
  it('can be used with the keyboard alone, and shows where one is', () => {
    expect(keyboard.stops).toEqual([
      'Run checks',
      expect.stringMatching(/^\d+ passed/),
      'Open recordings folder',
      expect.stringMatching(/^Open folder of Claims · Chat · \d/),
      expect.stringMatching(/^Open folder of Billing · Call · \d/),
    ]);
    for (const pixels of keyboard.outlines) expect(pixels).toBeGreaterThanOrEqual(2);
  });

  it('opens the folder of a recording, in the main process', () => {
    expect(opened).toHaveLength(2);
    for (const { path, kind } of opened) {
      expect(kind).toBe('file');
      expect(path).toMatch(/recordings.*\.mp4$/);
    }
  });

  it('shows the age of the state where the state is: that of the suspension, as on the timeline', () => {
    expect(ages?.state).toMatch(/^0:0[1-4]$/);
    expect(ages?.total).toBe(ages?.state);
    expect(seconds(ages?.header)).toBeCloseTo(seconds(ages?.state), -1);
  });

  it('shows what the checks found above the fold', () => {
    expect(problemsAt).toBeLessThan(200);
  });

  it('keeps the focus when the state changes under it', () => {
    expect(keyboard.kept).toEqual([true]);
  });

  it('has one narrow bridge and nothing else of Electron or Node', () => {
    expect(bridge).toEqual({
      names: [
        ...[
          'exportDiagnostics',
          'getState',
          'onState',
          'openFolder',
          'retryRecording',
          'runChecks',
          'suspend',
        ],
      ],
      frozen: true,
      electron: 'undefined undefined',
    });
  });

  it('drops a state older than the one on show', () => {
    expect(staleShown).toBe('Not recording');
  });

  it('says where the diagnostics are', () => {
    expect(exported).toBe('The diagnostics are in sightline-diagnostics.zip.');
  });
});

function seconds(clock = ''): number {
  const [minutes = 0, rest = 0] = clock.split(':').map(Number);
  return minutes * 60 + rest;
}
