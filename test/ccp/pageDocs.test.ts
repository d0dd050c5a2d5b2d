// The samples of docs/ccp.md on the indicator, on failures and on Agent Workspace, taken out of the page and run.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusEventSchema } from '../../main/shared/statusEvent.ts';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { builtModule, ccpRoutes } from '../rig/ccpPackage.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { freePort } from '../rig/freePort.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { endWithUs } from '../rig/process.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { openStatusTab, statusRoutes } from '../rig/statusPage.ts';
import { startWorkspaceServers } from '../rig/workspaceHost/workspace.ts';

const POLL = { timeout: 30_000, interval: 50 };
const text = await readFile(new URL('../../docs/ccp.md', import.meta.url), 'utf8');

/** The code of one language under a heading, in order. */
function samples(heading: string, language: string): string[] {
  const [, after] = text.split(`\n## ${heading}\n`);
  if (after === undefined) throw new Error(`docs/ccp.md has no "${heading}"`);
  const section = after.split('\n## ')[0]!;
  return [...section.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
    .filter(([, name]) => name === language)
    .map(([, , code]) => code!);
}

let display: Display;
let recorder: Recorder;
let browser: Browser;
let server: PageServer;
beforeAll(async () => {
  display = await startDisplay();
  recorder = await startRecorder({ display: display.display });
  browser = await startBrowser();
  server = await startPageServer({ routes: statusRoutes });
});
afterAll(async () => {
  await server.stop();
  await browser.stop();
  await recorder.stop();
  await display.stop();
});

describe('the samples of the indicator', () => {
  const [plain, styled, german, ...more] = samples('The indicator on the page', 'html');

  const shownWith = (sample: string | undefined) => {
    server.routes['/sample.html'] =
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sample</title>
      <script src="/sightline-ccp.js"></script>${sample ?? 'missing'}<script src="/status.js"></script></html>`;
    return openStatusTab(browser, server, { port: recorder.port, path: '/sample.html' });
  };

  it('are three, and the first one has the button', async () => {
    expect(more).toEqual([]);
    const tab = await shownWith(plain);
    await tab.run("contacts.record({ contactId: 'c-1', channel: 'VOICE' })");
    await expect.poll(async () => (await tab.shown()).action, POLL).toBe('Suspend recording');
    await tab.run("contacts.stop('c-1')");
    await expect.poll(async () => (await tab.shown()).kind, POLL).toBe('idle');
    await tab.close();
  });

  it('give it colors and shape', async () => {
    const tab = await shownWith(styled);
    await expect.poll(async () => (await tab.shown()).kind, POLL).toBe('idle');
    const style = await tab.run<string[]>(`
      const base = getComputedStyle(element.shadowRoot.getElementById('base'));
      [base.borderTopWidth, base.borderTopLeftRadius, base.fontSize]`);
    expect(style).toEqual(['2px', '2px', '14px']);
    await tab.close();
  });

  it('give it other texts', async () => {
    const tab = await shownWith(german);
    await tab.run("contacts.record({ contactId: 'c-2', channel: 'VOICE' })");
    await expect.poll(async () => (await tab.shown()).label, POLL).toBe('Aufnahme');
    expect((await tab.shown()).language).toBe('de');
    await tab.run("contacts.stop('c-2')");
    await expect.poll(async () => (await tab.shown()).kind, POLL).toBe('idle');
    await tab.close();
  });
});

describe('the samples of failures', () => {
  const [option, receiver] = samples('Failures reach IT', 'js');
  const [event] = samples('Failures reach IT', 'json');

  it('are an event of the recorder’s schema, and options', () => {
    const parsed = statusEventSchema.parse(JSON.parse(event ?? ''));
    expect(parsed.detail.recordingStatus).toBe('FAILED');
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- a sample of the docs
    const made = new Function('token', `return { ${option ?? ''} }`)(() => 't') as {
      failuresTo: { url: string; headers: () => object };
    };
    expect(made.failuresTo.headers()).toEqual({ authorization: 'Bearer t' });
  });

  it('are a receiver that stores what a page posts, and survives what is no event', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sightline-receiver-'));
    await writeFile(join(folder, 'receiver.mjs'), receiver ?? '');
    const port = await freePort();
    const child = spawn(process.execPath, ['receiver.mjs'], {
      cwd: folder,
      env: { ...process.env, PORT: String(port), PAGE: server.origin },
    });
    endWithUs(child);
    const url = `http://127.0.0.1:${port}/`;
    try {
      await expect
        .poll(
          () =>
            fetch(url).then(
              ({ status }) => status,
              () => 0,
            ),
          POLL,
        )
        .toBe(204);
      expect((await fetch(url, { method: 'POST', body: 'no event' })).status).toBe(400);
      expect((await fetch(url, { method: 'POST', body: 'x'.repeat(10_000) })).status).toBe(400);
      const tab = await openStatusTab(browser, server, { port: await freePort() });
      await tab.page.goto(`${server.origin}/client.html?port=1`);
      await tab.page.evaluate(`Sightline.reportFailures({
        ...{ client, contacts, identity },
        to: { url: ${JSON.stringify(url)}, afterSeconds: 0 },
      }); contacts.record({ contactId: 'c-1', channel: 'VOICE' })`);
      const stored = (): Promise<string> => readFile(join(folder, 'failures.ndjson'), 'utf8').catch(() => '');
      await expect.poll(stored, POLL).toContain('page:c-1:CLIENT_APP_NOT_RUNNING');
      expect((await stored()).trim().split('\n')).toHaveLength(1);
      await tab.close();
    } finally {
      child.kill();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('the sample of an Agent Workspace app', () => {
  it('records, bundled with Amazon’s packages', async () => {
    const [sample = ''] = samples('Agent Workspace', 'html');
    const script = /<script type="module">([\s\S]*)<\/script>/.exec(sample)?.[1] ?? '';
    const { outputFiles } = await build({
      stdin: {
        contents: script
          .replace('./sightline-ccp.mjs', builtModule)
          .replace("alias: 'acme',", `alias: 'acme', port: ${recorder.port},`),
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      },
      ...{ bundle: true, write: false, format: 'esm', target: 'chrome120', logLevel: 'warning' },
    });
    const servers = await startWorkspaceServers({
      ...ccpRoutes,
      '/': `<!doctype html>${sample.replace(script, '').replace('type="module"', 'type="module" src="/app.js"')}`,
      '/app.js': { body: outputFiles[0]!.text, contentType: 'text/javascript' },
    });
    const workspace = await servers.open(browser);
    await workspace.ready();
    for (const queue of ['Internal', 'Sales']) {
      await workspace.incoming({ contactId: queue, queue });
      await workspace.connect(queue);
    }
    const button = workspace.app().getByRole('button', { name: 'Suspend recording' });
    await button.waitFor();
    // A contact that ends before its first frame has no recording.
    const label = workspace.app().locator('sightline-status #label');
    await expect.poll(() => label.textContent(), POLL).toBe('Recording');
    await workspace.acw('Sales');
    await workspace.acw('Internal');
    const published = async () =>
      (await recorder.published()).map(({ manifest }) => manifest.contact.contactId);
    await expect.poll(published, POLL).toContain('Sales');
    expect(await published()).not.toContain('Internal');
    await workspace.close();
    await servers.stop();
  });
});
