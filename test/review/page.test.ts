// The page of the review tool in real Chromium: list, filters, keyboard, virtual scrolling, thumbnails, what it says when something is
// wrong, and its looks. The server is a strict stand-in here, whose states can be had at will; pageServer.test.ts has the real one.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RecordingRow } from '../../review/contract.ts';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { keyFrameOf } from '../rig/reviewKeyFrames.ts';
import { openReviewPage, rowsShownMs, type ReviewPage } from '../rig/reviewPage.ts';
import { startReviewStandIn, type ReviewStandIn } from '../rig/reviewStandIn.ts';

const ROWS = 10_000;
const NOW = new Date('2026-03-02T15:00:00.000Z');

let server: ReviewStandIn;
let browser: Browser;
let review: ReviewPage;
let page: Page;
let all: RecordingRow[];
let initial: ReviewStandIn['state'];

beforeAll(async () => {
  const keyFrame = await keyFrameOf('testsrc2=size=1920x1080:rate=1', ['-f', 'lavfi']);
  server = await startReviewStandIn({ rows: ROWS, keyFrames: [keyFrame], now: NOW });
  initial = { ...server.state };
  all = server.state.rows.filter(({ trial }) => !trial);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.stop();
  await server.stop();
});
beforeEach(() => {
  Object.assign(server.state, initial);
  server.requests.length = 0;
});
afterEach(async () => {
  const { complaints } = review;
  await page.close();
  expect(complaints).toEqual([]);
});

async function open(hash = ''): Promise<void> {
  review = await openReviewPage(browser, `${server.origin}/${hash}`);
  page = review.page;
}
async function openList(hash = ''): Promise<void> {
  await open(hash);
  await rowsShownMs(page);
}
const grid = () => page.getByRole('grid', { name: 'Recordings' });
const rowOf = (row: RecordingRow) => page.locator(`[data-recording="${row.id}"]`);
const activeRow = () => page.locator('.row.active');
const status = () => page.getByRole('status').first();
const english = new Intl.NumberFormat('en-US');
const countText = (count: number) => `${english.format(count)} recordings`;
const ofAll = (count: number) => `${english.format(count)} of ${english.format(ROWS)} recordings`;
const hash = () => new URL(page.url()).hash;
const listRequests = () => server.requests.filter((one) => one.startsWith('GET recordings?'));
const pictureRequests = () => server.requests.filter((one) => one.includes('/keyframe?'));
const images = () => page.locator('.table .thumbnail img');

/** What the browser keeps for this origin: names of buckets and caches. */
const stored = () =>
  page.evaluate<string[]>(
    'Promise.all([navigator.storageBuckets.keys(), caches.keys()]).then((found) => found.flat())',
  );

/** Of every row that exists and has a video. */
async function allPictures(): Promise<void> {
  const rows = (): Promise<number> => page.locator('[data-recording]').count();
  const withVideo = async (): Promise<number> =>
    all.slice(0, await rows()).filter(({ problems }) => !problems.includes('no-video')).length;
  await expect.poll(rows).toBeGreaterThan(8);
  await expect.poll(async () => (await images().count()) - (await withVideo())).toBe(0);
}

describe('the list', () => {
  it('scrolls through ten thousand rows of which only visible ones exist', async () => {
    await openList();
    expect(await grid().getAttribute('aria-rowcount')).toBe(String(all.length + 1));
    await expect.poll(() => status().textContent()).toBe(countText(all.length));
    await rowOf(all[0]!).waitFor();
    expect(await rowOf(all[0]!).textContent()).toContain(all[0]!.contactId);
    for (const position of [5000, 9000, 123]) {
      await grid().evaluate((element, offset) => {
        (element as unknown as { scrollTop: number }).scrollTop = offset;
      }, position * 52);
      await rowOf(all[position]!).waitFor();
      expect(await page.getByRole('row').count()).toBeLessThan(60);
    }
    await page.keyboard.press('End');
    await rowOf(all.at(-1)!).waitFor();
    expect(await activeRow().getAttribute('data-recording')).toBe(all.at(-1)!.id);
    expect(await activeRow().getAttribute('aria-rowindex')).toBe(String(all.length + 1));
    // Pages of rows that were seen, and one request for each.
    expect(new Set(listRequests()).size).toBe(listRequests().length);
    expect(listRequests().length).toBeLessThan(12);
  });

  it('is used with the keyboard only, and Back leads to the same place', async () => {
    await openList();
    await page.keyboard.press('/');
    await page.keyboard.type('anna.berg voice');
    const found = all.filter(({ agent, channel }) => agent === 'anna.berg' && channel === 'VOICE');
    await expect.poll(() => status().textContent()).toBe(ofAll(found.length));
    expect(hash()).toBe('#/?text=anna.berg+voice');
    await page.keyboard.press('Escape');
    for (let step = 0; step < 30; step += 1) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => activeRow().getAttribute('data-recording')).toBe(found[29]!.id);
    expect(await grid().getAttribute('aria-activedescendant')).toBe(await activeRow().getAttribute('id'));
    await expect.poll(() => activeRow().isVisible()).toBe(true);
    await page.keyboard.press('Space');
    await page.getByRole('complementary', { name: `Details of ${found[29]!.contactId}` }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await expect.poll(hash).toBe(`#/recordings/${found[29]!.id}`);
    const scrolled = listRequests().length;
    await page.goBack();
    await expect.poll(() => activeRow().getAttribute('data-recording')).toBe(found[29]!.id);
    await expect.poll(() => activeRow().isVisible()).toBe(true);
    expect(listRequests()).toHaveLength(scrolled);
    await page.goBack();
    await expect.poll(() => status().textContent()).toBe(countText(all.length));
    expect(await page.getByRole('searchbox').inputValue()).toBe('');
  });

  it('keeps what is typed at the moment when the address takes what was typed before', async () => {
    await openList();
    await page.evaluate(() => {
      const scope = globalThis as unknown as {
        history: { pushState(...state: unknown[]): void };
        document: { querySelector(selector: string): { value: string; dispatchEvent(event: Event): void } };
      };
      const push = scope.history.pushState.bind(scope.history);
      scope.history.pushState = (...state) => {
        push(...state);
        scope.history.pushState = push;
        const field = scope.document.querySelector('input[type=search]');
        field.value += '.berg';
        field.dispatchEvent(new Event('input', { bubbles: true }));
      };
    });
    await page.keyboard.press('/');
    await page.keyboard.type('anna');
    await expect.poll(hash).toBe('#/?text=anna.berg');
    expect(await page.getByRole('searchbox').inputValue()).toBe('anna.berg');
    await page.goBack();
    await expect.poll(() => page.getByRole('searchbox').inputValue()).toBe('');
  });

  it('has its filters and its order in the address', async () => {
    await openList();
    await page.getByLabel('Agent', { exact: true }).selectOption('carla.ruiz');
    await page.getByLabel('Problems', { exact: true }).selectOption('any');
    await page.getByLabel('Length', { exact: true }).selectOption('1 to 5 min');
    await page.getByRole('button', { name: 'Suspended', exact: true }).click();
    const found = all.filter(
      ({ agent, problems, durationMs, suspensions }) =>
        agent === 'carla.ruiz' &&
        problems.length > 0 &&
        suspensions > 0 &&
        durationMs >= 60_000 &&
        durationMs < 300_000,
    );
    expect(found.length).toBeGreaterThan(1);
    await expect.poll(() => status().textContent()).toBe(ofAll(found.length));
    await page.getByRole('columnheader', { name: 'Length' }).getByRole('button').click();
    const longest = found.toSorted((a, b) => b.durationMs - a.durationMs);
    await expect
      .poll(() => page.locator('[data-recording]').first().getAttribute('data-recording'))
      .toBe(longest[0]!.id);
    expect(await page.getByRole('columnheader', { name: 'Length' }).getAttribute('aria-sort')).toBe(
      'descending',
    );
    await page.reload();
    await expect
      .poll(() => page.locator('[data-recording]').first().getAttribute('data-recording'))
      .toBe(longest[0]!.id);
    expect(await page.getByLabel('Agent', { exact: true }).inputValue()).toBe('carla.ruiz');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => status().textContent()).toBe(countText(all.length));
    expect(hash()).toBe('#/?sort=durationMs&descending=true');
    await page.goBack();
    await expect.poll(() => status().textContent()).toBe(ofAll(found.length));
  });

  it('filters by days of the viewer', async () => {
    await openList('#/?fromDay=2026-02-27&toDay=2026-02-28');
    const [from, to] = [new Date(2026, 1, 27).getTime(), new Date(2026, 2, 1).getTime()];
    const found = all.filter(({ startTime }) => Date.parse(startTime) >= from && Date.parse(startTime) < to);
    expect(found.length).toBeGreaterThan(100);
    await expect.poll(() => status().textContent()).toBe(ofAll(found.length));
    expect(await page.getByLabel('From').inputValue()).toBe('2026-02-27');
    await page.getByLabel('Day', { exact: true }).selectOption('Any day');
    await expect.poll(() => status().textContent()).toBe(countText(all.length));
  });

  it('keeps what it shows until the answer to a new query is there', async () => {
    await openList();
    let answer: () => void = () => undefined;
    server.state.wait = new Promise<void>((resolve) => (answer = resolve));
    await page.getByRole('button', { name: 'Trials' }).click();
    await expect.poll(() => listRequests().some((one) => one.includes('trials=true'))).toBe(true);
    expect(await rowOf(all[0]!).isVisible()).toBe(true);
    expect(await page.locator('.skeleton').count()).toBe(0);
    answer();
    await expect.poll(() => status().textContent()).toBe(ofAll(ROWS));
  });

  it('shows what a recording says as text, and never as HTML', async () => {
    const hostile = '<img src=x onerror="document.title=\'taken\'"><b>bold</b>';
    const row: RecordingRow = {
      ...all[0]!,
      id: 'x"><script>',
      agent: hostile,
      queue: hostile,
      contactId: hostile,
    };
    server.state.rows = [row];
    await openList();
    await page.keyboard.press('Space');
    await page.getByRole('complementary').waitFor();
    expect(await page.locator('.agent', { hasText: '<b>bold</b>' }).count()).toBe(1);
    expect(await page.locator('.table b, .details b').count()).toBe(0);
    expect(await page.title()).toBe('Sightline Review');
  });
});

describe('thumbnails', () => {
  it('are decoded for visible rows, kept in the browser, and removed at sign-out', async () => {
    await openList();
    await allPictures();
    const size = await images()
      .first()
      .evaluate((image) => {
        const { naturalWidth, naturalHeight } = image as unknown as Record<string, number>;
        return { naturalWidth, naturalHeight };
      });
    expect(size).toEqual({ naturalWidth: 320, naturalHeight: 180 });
    // Not of the other ten thousand.
    expect(pictureRequests().length).toBeLessThan(30);
    const made = pictureRequests().length;
    await page.reload();
    await allPictures();
    expect(pictureRequests()).toHaveLength(made);
    expect(await stored()).toEqual(['sightline-thumbnails']);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await stored()).toEqual([]);
    expect(server.requests.at(-1)).toBe('POST sign-out');
  });

  it('are asked for two at a time, and not for rows that are scrolled away', async () => {
    let answer: () => void = () => undefined;
    server.state.keyFrameWait = new Promise<void>((resolve) => (answer = resolve));
    await openList();
    let withdrawn = 0;
    page.on('requestfailed', (request) => (withdrawn += request.url().includes('/keyframe') ? 1 : 0));
    await expect.poll(() => pictureRequests().length).toBe(2);
    // The other rows of the screen wait; leaving them frees both places, for rows that are seen now.
    await page.keyboard.press('PageDown');
    await page.keyboard.press('PageDown');
    await page.keyboard.press('PageDown');
    await expect.poll(() => pictureRequests().length).toBeGreaterThanOrEqual(4);
    await expect.poll(() => pictureRequests().length - withdrawn).toBe(2);
    answer();
    await expect.poll(() => images().count()).toBeGreaterThan(8);
  });
});

describe('what it says', () => {
  it('while the library is listed and read, and when it cannot be', async () => {
    const { rows } = server.state;
    server.state.rows = [];
    server.state.index = { state: 'listing', indexed: 0, total: null, updatedAt: null };
    await open();
    await page.getByRole('heading', { name: 'Listing the library' }).waitFor();
    server.state.rows = rows.slice(0, 400);
    server.state.index = { state: 'reading', indexed: 400, total: ROWS, updatedAt: null };
    await page.getByText('Reading details: 400 of 10,000').waitFor();
    await rowOf(all[0]!).waitFor();
    server.state.rows = rows;
    server.state.index = initial.index;
    await expect.poll(() => status().textContent()).toBe(countText(all.length));

    const problem = {
      code: 'LIBRARY_UNAVAILABLE',
      message: 'The bucket refuses. Check the credentials.',
    } as const;
    server.state.index = { ...initial.index, state: 'failed', problem };
    const asked = listRequests().length;
    await page.getByRole('button', { name: 'Refresh' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The bucket refuses. Check the credentials.').waitFor();
    expect(await alert.textContent()).toContain('What you see is from');
    expect(await rowOf(all[0]!).isVisible()).toBe(true);
    // The page asks once more by itself, soon after a refresh.
    await expect.poll(() => listRequests().length).toBeGreaterThan(asked);
    server.state.index = initial.index;
    await alert.getByRole('button', { name: 'Try again' }).click();
    await alert.waitFor({ state: 'detached' });
  });

  it('when nothing is found, and when nothing is there', async () => {
    await open('#/?text=nobody-has-this-name');
    await page.getByRole('heading', { name: 'No recording matches' }).waitFor();
    server.state.rows = [];
    await page.locator('main').getByRole('button', { name: 'Clear filters' }).last().click();
    await page.getByRole('heading', { name: 'No recordings yet' }).waitFor();
  });

  it('when the session has ended, and removes its thumbnails', async () => {
    await openList();
    await expect.poll(() => images().count()).toBeGreaterThan(8);
    server.state.signedIn = false;
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    expect(await page.getByRole('grid').count()).toBe(0);
    await expect.poll(stored).toEqual([]);
    server.state.signedIn = true;
    await page.getByRole('button', { name: 'Reload' }).click();
    await grid().waitFor();
  });

  it('when the server answers with an error, or not at all', async () => {
    server.state.failure = { code: 'AUDIT_UNAVAILABLE', message: 'The disk of the audit log is full.' };
    await open();
    await page.getByText('The disk of the audit log is full.').waitFor();
    server.state.failure = null;
    await page.getByRole('button', { name: 'Try again' }).click();
    await grid().waitFor();
    await page.route('**/api/**', (route) => route.abort());
    await page.getByLabel('Channel', { exact: true }).selectOption('Chat');
    await page.getByText('The review server does not answer').waitFor();
    await page.unroute('**/api/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect
      .poll(() => status().textContent())
      .toBe(ofAll(all.filter(({ channel }) => channel === 'CHAT').length));
  });

  it('to each role what it may do', async () => {
    const controls = async (): Promise<string[]> => {
      await openList();
      await page.keyboard.press('Space');
      await page.getByRole('complementary').waitFor();
      const names = ['Export notes (CSV)', 'Download MP4', 'Audit log'];
      const shown = await Promise.all(names.map((name) => page.getByRole('link', { name }).count()));
      return names.filter((_, index) => shown[index] === 1);
    };
    expect(await controls()).toEqual([]);
    await page.close();
    server.state.role = 'downloader';
    expect(await controls()).toEqual(['Export notes (CSV)', 'Download MP4']);
    await page.getByLabel('Agent', { exact: true }).selectOption('carla.ruiz');
    await expect.poll(hash).toContain('carla');
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export notes' }).click();
    await downloading;
    expect(server.requests).toContain('GET notes.csv?sort=startTime&descending=true&agent=carla.ruiz');
    await page.goto(`${server.origin}/#/audit`);
    await page.getByRole('heading', { name: 'Only administrators can read the audit log' }).waitFor();
    await page.close();
    server.state.role = 'admin';
    expect(await controls()).toEqual(['Export notes (CSV)', 'Download MP4', 'Audit log']);
  });

  it('of the audit log: entries page by page, and whether its chain is intact', async () => {
    server.state.role = 'admin';
    await open('#/audit');
    await page.getByText('The chain of entries is intact').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(100);
    server.state.chain = 'broken';
    await page.getByRole('button', { name: 'Older entries' }).click();
    await page.getByRole('alert').getByText('The chain of entries is broken').waitFor();
    await page.getByRole('button', { name: 'Older entries' }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(250);
    expect(await page.getByRole('button', { name: 'Older entries' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await grid().waitFor();
  });
});

describe('its looks', () => {
  it('give axe-core nothing to find in light, dark and forced colors: list, details, help, audit log, notices', async () => {
    const looks = async (): Promise<string[]> => {
      await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none', reducedMotion: 'reduce' });
      const found = await review.axe();
      for (const forcedColors of ['none', 'active'] as const) {
        await page.emulateMedia({ colorScheme: 'dark', forcedColors });
        found.push(
          ...(await review.axe('color-contrast')).map((one) => `dark, forced ${forcedColors}: ${one}`),
        );
      }
      return found;
    };
    server.state.role = 'admin';
    await open('#/?agent=nobody');
    // Few rows: they all look the same.
    await page.setViewportSize({ width: 1280, height: 460 });
    await page.getByRole('heading', { name: 'No recording matches' }).waitFor();
    expect(await looks()).toEqual([]);
    await page.goto(`${server.origin}/#/?problem=any`);
    await page.locator('[data-recording]').first().waitFor();
    await page.keyboard.press('Space');
    await page.getByRole('complementary').waitFor();
    server.state.index = { ...initial.index, state: 'failed' };
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByRole('alert').waitFor();
    expect(await looks()).toEqual([]);
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    expect(await looks()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.goto(`${server.origin}/#/audit`);
    await page.locator('tbody tr').first().waitFor();
    expect(await looks()).toEqual([]);
  });

  it('follow the choice of colors, which is kept', async () => {
    await openList();
    const ground = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.getByLabel('Colors').selectOption('Dark');
    await expect.poll(ground).not.toBe(light);
    await page.reload();
    await grid().waitFor();
    expect(await ground()).not.toBe(light);
    await page.getByLabel('Colors').selectOption('As the system');
    await expect.poll(ground).toBe(light);
  });
});
