// The review page in real Chromium, as its tests, pictures and measurements open it: every violation of the page's policy, error in the
// console and request to another origin is noted.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { startBrowser, type Browser } from './browser.ts';

export interface ReviewPage {
  readonly page: Page;
  /** What a page must never do; sentences. */
  readonly complaints: string[];
  /** The violations that axe-core finds now, of all rules or of one. */
  axe(rule?: 'color-contrast'): Promise<string[]>;
}

const MIN_AXE_PASSES = 10;

export async function openReviewPage(browser: Browser, url: string): Promise<ReviewPage> {
  const page = await browser.context.newPage();
  const { origin } = new URL(url);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    // An answer that is not 2xx is what some tests are about.
    const expected = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !expected)
      complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (to.protocol !== 'blob:' && to.origin !== origin) complaints.push(`request: ${request.url()}`);
  });
  await page.addInitScript(
    'addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))',
  );
  await page.goto(url);
  const script = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  return {
    page,
    complaints,
    async axe(rule) {
      const options = rule === undefined ? '{}' : `{ runOnly: ['${rule}'] }`;
      const { violations, passes } = await page.evaluate<AxeResults>(
        `${script}; axe.run(document, ${options})`,
      );
      if (rule === undefined && passes.length < MIN_AXE_PASSES)
        throw new Error('axe has looked at next to nothing');
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
      );
    },
  };
}

/** Until the first rows are on the screen; since the page's navigation began. */
export async function rowsShownMs(page: Page): Promise<number> {
  // A function: the page's policy forbids what Playwright does with an expression.
  const shown = (): number | null => performance.getEntriesByName('rows-shown')[0]?.startTime ?? null;
  const handle = await page.waitForFunction(shown, null, { polling: 20 });
  return Number(await handle.jsonValue());
}

export interface FirstPage {
  /** With an empty browser cache: milliseconds from the navigation to the first rows on the screen. */
  readonly coldMs: number;
  /** The same when the address is opened again, the median of several. */
  readonly warmMs: number;
  readonly rows: number;
}

const WARM_VISITS = 5;

export function firstPageLine({ coldMs, warmMs, rows }: FirstPage): string {
  return `  in Chromium: first page of ${rows} rows after ${coldMs} ms with a new index and an empty browser, ${warmMs} ms when it is opened again (median of ${WARM_VISITS})`;
}

/** @param url of a running review server, as it prints it: a link for signing in may be used once */
export async function measureFirstPage(url: string): Promise<FirstPage> {
  const browser = await startBrowser();
  try {
    const { page } = await openReviewPage(browser, url);
    const coldMs = await rowsShownMs(page);
    const home = new URL('.', page.url()).href;
    const visits: number[] = [];
    for (let visit = 0; visit < WARM_VISITS; visit += 1) {
      await page.goto('about:blank');
      await page.goto(home);
      visits.push(await rowsShownMs(page));
    }
    const rows = Number(await page.locator('[role=grid]').getAttribute('aria-rowcount')) - 1;
    const warmMs = visits.sort((a, b) => a - b)[Math.floor(WARM_VISITS / 2)] ?? Infinity;
    return { coldMs: Math.round(coldMs), warmMs: Math.round(warmMs), rows };
  } finally {
    await browser.stop();
  }
}
