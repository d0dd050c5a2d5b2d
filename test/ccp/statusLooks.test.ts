// <sightline-status> for eyes, screen readers and other languages: axe-core in light, dark and forced colors, a whole catalogue of
// other texts, and the order in which a page gets element, properties and script.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { freePort } from '../rig/freePort.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { german } from './german.ts';
import { openStatusTab, statusRoutes, type StatusTab } from '../rig/statusPage.ts';

const POLL = { timeout: 30_000, interval: 50 };
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let display: Display;
let server: PageServer;
let browser: Browser;
let recorder: Recorder;
let nothing: number;

beforeAll(async () => {
  display = await startDisplay();
  server = await startPageServer({ routes: statusRoutes });
  browser = await startBrowser();
  recorder = await startRecorder({ display: display.display });
  nothing = await freePort();
});
afterAll(async () => {
  await recorder.stop();
  await browser.stop();
  await server.stop();
  await display.stop();
});

const kindOf = async (tab: StatusTab): Promise<string | null> => (await tab.shown()).kind;

/** A page's own module with a catalogue, as a page would bundle it. */
async function germanScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('german.ts', import.meta.url))],
    ...{ bundle: true, write: false, format: 'iife', globalName: 'catalogue' },
  });
  return `${outputFiles[0]!.text}; globalThis.catalogue = catalogue`;
}

describe.each([
  ['light', 'none'],
  ['dark', 'none'],
  ['dark', 'active'],
] as const)('with %s colors, forced: %s', (colorScheme, forcedColors) => {
  it.each(['not-running', 'idle', 'recording', 'suspended'])(
    'axe-core finds nothing while it is %s',
    async (kind) => {
      const port = kind === 'not-running' ? nothing : recorder.port;
      const tab = await openStatusTab(browser, server, { port, attributes: 'controls' });
      await tab.page.emulateMedia({ colorScheme, forcedColors });
      if (kind === 'recording' || kind === 'suspended') {
        await tab.run("contacts.record({ contactId: 'c-1', channel: 'VOICE' })");
        await expect.poll(() => kindOf(tab), POLL).toBe('recording');
      }
      if (kind === 'suspended') await tab.run("contacts.suspend('c-1', 'page')");
      await expect.poll(() => kindOf(tab), POLL).toBe(kind);
      const { violations, passes } = await tab.page.evaluate<AxeResults>(`${axe}; axe.run(document)`);
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((one) => one.html).join(' ')}`)).toEqual(
        [],
      );
      // It has looked into the shadow root.
      const seen = passes.flatMap(({ nodes }) => nodes.map((one) => JSON.stringify(one.target)));
      expect(seen.some((target) => target.includes('sightline-status') && target.includes('#label'))).toBe(
        true,
      );
      // The icon of the state is there, and can be told from the background.
      const shapes = tab.page.locator('sightline-status #icon path:visible');
      expect(await shapes.count()).toBe(1);
      if (port === recorder.port) await tab.run("contacts.stop('c-1')");
      await expect.poll(() => tab.run('contacts.contacts.length'), POLL).toBe(0);
      await tab.close();
    },
  );
});

describe('for a screen reader', () => {
  it('is a polite status without the running time, in its own language, with named controls', async () => {
    const tab = await openStatusTab(browser, server, { port: recorder.port, attributes: 'controls' });
    await tab.run("contacts.record({ contactId: 'c-1', channel: 'VOICE' })");
    await tab.run("contacts.record({ contactId: 'c-2', channel: 'CHAT' })");
    await expect.poll(() => kindOf(tab), POLL).toBe('recording');
    const status = tab.page.getByRole('status');
    expect((await status.textContent())?.trim()).toBe('Recording');
    expect(await tab.page.getByRole('timer', { name: 'Duration' }).textContent()).toMatch(/^\d+:\d\d$/);
    expect(await tab.page.getByRole('button').count()).toBe(2);
    expect(await tab.page.getByRole('button', { name: 'Details', expanded: false }).count()).toBe(1);
    expect((await tab.shown()).language).toBe('en');
    await tab.run("contacts.stop('c-1'); contacts.stop('c-2')");
    await tab.close();
  });
});

describe('texts', () => {
  it('of another language replace every one of ours', async () => {
    const tab = await openStatusTab(browser, server, { port: nothing });
    await tab.page.evaluate(await germanScript());
    await expect.poll(() => kindOf(tab), POLL).toBe('not-running');
    await tab.run('element.texts = catalogue.german');
    expect(await tab.shown()).toMatchObject({
      language: 'de',
      label: 'Sightline läuft nicht',
      detail: german.meanings['not-running'],
      steps: german.steps['not-running'],
    });
    expect(await tab.page.getByRole('button', { name: 'Noch einmal versuchen' }).count()).toBe(1);
    // No text of the catalogue is the English one, except where both languages have the same word.
    const same = await tab.run<string[]>(`
      const texts = (value, path) => typeof value === 'object'
        ? Object.entries(value).flatMap(([key, one]) => texts(one, path + '.' + key))
        : [[path, typeof value === 'function' ? value('A', 'B') : value]];
      const own = new Map(texts(Sightline.english, ''));
      texts(catalogue.german, '').filter(([path, text]) => text !== '' && own.get(path) === text).map(([path]) => path)`);
    expect(same).toEqual(['.labels.problem', '.suspendedBecause', '.code', '.channels.CHAT', '.contact']);
    await tab.close();
  });

  it('set in part leave the others, also before the class is defined', async () => {
    const tab = await openStatusTab(browser, server, { port: recorder.port, path: '/late.html' });
    await expect.poll(async () => (await tab.shown()).label, POLL).toBe('Set early');
    await tab.run("contacts.record({ contactId: 'c-1', channel: 'VOICE' })");
    await expect.poll(async () => (await tab.shown()).label, POLL).toBe('Recording');
    await tab.run("contacts.stop('c-1')");
    await expect.poll(() => tab.run('contacts.contacts.length'), POLL).toBe(0);
    await tab.close();
  });
});

describe('a page', () => {
  it('that takes the element away and puts it back sees it work on', async () => {
    const tab = await openStatusTab(browser, server, { port: recorder.port });
    await expect.poll(() => kindOf(tab), POLL).toBe('idle');
    await tab.run('window.parent_ = element.parentElement; window.kept = element; element.remove()');
    await tab.page.evaluate("contacts.record({ contactId: 'c-1', channel: 'VOICE' })");
    await expect.poll(() => tab.page.evaluate('client.appState.state'), POLL).toBe('recording');
    expect(await tab.page.evaluate("kept.shadowRoot.getElementById('base').dataset.kind")).toBe('idle');
    await tab.page.evaluate('parent_.append(kept)');
    await expect.poll(() => kindOf(tab), POLL).toBe('recording');
    await tab.run("contacts.stop('c-1')");
    await expect.poll(() => kindOf(tab), POLL).toBe('idle');
    await tab.close();
  });

  it('gives it colors and a font by custom properties and parts', async () => {
    const tab = await openStatusTab(browser, server, { port: nothing });
    await expect.poll(() => kindOf(tab), POLL).toBe('not-running');
    const style = await tab.run<string[]>(`
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('sightline-status { --sightline-problem: rgb(1, 2, 3); --sightline-font: 20px serif }' +
        'sightline-status::part(base) { border-style: dotted }');
      document.adoptedStyleSheets = [sheet];
      const of = (id) => getComputedStyle(element.shadowRoot.getElementById(id));
      [of('label').color, of('label').fontSize, of('base').borderTopStyle]`);
    expect(style).toEqual(['rgb(1, 2, 3)', '20px', 'dotted']);
    await tab.close();
  });

  it('without a bridge shows nothing', async () => {
    const tab = await openStatusTab(browser, server, { port: nothing });
    await expect.poll(() => kindOf(tab), POLL).toBe('not-running');
    await tab.run('element.source = null');
    expect(await tab.run("element.shadowRoot.getElementById('base').checkVisibility()")).toBe(false);
    await tab.close();
  });
});
