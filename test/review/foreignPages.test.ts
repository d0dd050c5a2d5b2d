// A foreign page in real Chromium, while its user is signed in to the review server: it tries to read, to change, to frame and to
// find out. Nothing of it may work, and the page itself must work all the same.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Notes, RecordingPage } from '../../review/contract.ts';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../rig/process.ts';
import { addReviewRecording } from '../rig/reviewFiles.ts';
import { startReview, type ReviewProgram } from '../rig/reviewProgram.ts';

let folder: string;
let review: ReviewProgram;
let foreign: PageServer;
let browser: Browser;
/** Ours, signed in, and the attacker's. */
let own: Page;
let page: Page;
let id: string;
const auditLog = (): string => join(folder, 'audit.ndjson');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  const video = join(folder, 'video.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=5:duration=10'];
  const codec = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-movflags', '+faststart'];
  await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), ['-v', 'error', ...source, ...codec, video]);
  await addReviewRecording(join(folder, 'library'), 'team-a', 1, await readFile(video));
  [review, foreign, browser] = await Promise.all([
    startReview(folder, [
      join(folder, 'library'),
      '--audit-log',
      auditLog(),
      '--notes',
      join(folder, 'notes'),
    ]),
    startPageServer({ routes: { '/': '<!doctype html><title>foreign</title><body></body>' } }),
    startBrowser(),
  ]);
  own = await browser.newPage(review.link.href);
  // Another port of the same host: the same site, to which browsers send the cookie.
  page = await browser.newPage(foreign.origin);
  id = (await readOwn<RecordingPage>('/api/recordings')).rows[0]!.id;
});
afterAll(async () => {
  await Promise.all([browser.stop(), review.stop(), foreign.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** From our own page. */
const readOwn = <T>(path: string): Promise<T> =>
  own.evaluate(async (at) => (await fetch(at)).json() as Promise<unknown>, path) as Promise<T>;
const target = (path: string): string => `http://127.0.0.1:${review.port}${path}`;

it('the link has left the address bar and the history, and the page works', async () => {
  // The page's own place follows the #.
  expect(own.url().replace(/#.*/, '')).toBe(target('/'));
  expect(await own.evaluate(() => [history.length <= 2, document.cookie, document.referrer])).toEqual([
    true,
    '',
    '',
  ]);
  expect(await readOwn('/api/session')).toMatchObject({ role: 'admin' });
});

it('our own page plays the video by ranges, and its viewer finds no file behind its address', async () => {
  const played = await own.evaluate(async (source) => {
    const video = document.createElement('video');
    video.muted = true;
    video.src = source;
    await new Promise((resolve, reject) => {
      video.onloadeddata = resolve;
      video.onerror = () => reject(new Error(video.error?.message));
    });
    video.currentTime = 7.5;
    await new Promise((resolve) => (video.onseeked = resolve));
    return [video.videoWidth, video.duration, video.currentTime];
  }, `/api/recordings/${id}/video`);
  expect(played).toEqual([640, 10, 7.5]);
  const opened = await browser.context.newPage();
  const answer = await opened.goto(target(`/api/recordings/${id}/video`)).catch(() => null);
  expect(answer?.status()).toBe(403);
  await opened.close();
});

describe.each([
  ['another port of this host', () => foreign.origin],
  ['another host', () => foreign.origin.replace('127.0.0.1', 'evil.localhost')],
])('a page of %s', (_, origin) => {
  beforeAll(() => page.goto(origin()));

  it('reads nothing with fetch, in any mode', async () => {
    const results = await page.evaluate(
      async (urls) => {
        const tries: string[] = [];
        for (const url of urls)
          for (const mode of ['cors', 'no-cors'] as const) {
            const answer = await fetch(url, { mode, credentials: 'include' }).catch(() => null);
            tries.push(answer === null ? 'failed' : `${answer.type} ${answer.status} ${await answer.text()}`);
          }
        return tries;
      },
      [target('/api/session'), target(`/api/recordings/${id}/video`), target('/')],
    );
    // An opaque answer has no status and no text; Cross-Origin-Resource-Policy makes even that fail.
    expect(new Set(results)).toEqual(new Set(['failed']));
  });

  it('changes nothing with fetch or a form', async () => {
    const before = await readOwn<Notes>(`/api/recordings/${id}/notes`);
    await page.evaluate(
      async ([notes, actions, signOut]) => {
        const text = { 'content-type': 'text/plain' };
        const json = { 'content-type': 'application/json', 'x-sightline-csrf': 'x', 'if-match': 'none' };
        for (const [url, method, headers] of [
          [notes, 'PUT', json],
          [actions, 'POST', text],
          [actions, 'POST', json],
          [signOut, 'POST', text],
        ] as const)
          await fetch(url!, {
            ...{ method, headers, credentials: 'include', body: '{"entries":[]}' },
            ...(headers === text ? { mode: 'no-cors' } : {}),
          }).catch(() => undefined);
        navigator.sendBeacon(signOut!, 'x');
      },
      [`/api/recordings/${id}/notes`, `/api/recordings/${id}/actions`, '/api/sign-out'].map(target),
    );
    const popup = browser.context.waitForEvent('page');
    await page.evaluate((action) => {
      const form = document.createElement('form');
      Object.assign(form, { method: 'post', action, target: '_blank' });
      document.body.append(form);
      form.submit();
    }, target('/api/sign-out'));
    const opened = await popup;
    await opened.waitForLoadState();
    expect(await opened.textContent('body')).toContain('FOREIGN_REQUEST');
    await opened.close();
    expect(await readOwn('/api/session')).toMatchObject({ role: 'admin' });
    expect(await readOwn(`/api/recordings/${id}/notes`)).toEqual(before);
    const log = await readFile(auditLog(), 'utf8');
    expect(log).not.toMatch(/"action":"(?:notes|snapshot|share-link|sign-out)"/);
  });

  it('shows nothing in a frame, an image, a video, a script or a style', async () => {
    const results = await page.evaluate(
      async ([home, video, session]) => {
        const load = (name: string, attributes: object) =>
          new Promise<string>((resolve) => {
            const element = document.createElement(name);
            element.onload = element.onloadeddata = () => resolve(`${name} loaded`);
            element.onerror = () => resolve(`${name} failed`);
            Object.assign(element, attributes);
            document.body.append(element);
          });
        return Promise.all([
          load('img', { src: video }),
          load('video', { src: video, preload: 'auto' }),
          load('video', { src: video, preload: 'auto', crossOrigin: 'use-credentials' }),
          load('script', { src: session }),
          load('link', { rel: 'stylesheet', href: home }),
        ]);
      },
      [target('/'), target(`/api/recordings/${id}/video`), target('/api/session')],
    );
    expect(results).toEqual(['img failed', 'video failed', 'video failed', 'script failed', 'link failed']);
    await page.evaluate((source) => {
      const frame = document.createElement('iframe');
      frame.src = source;
      document.body.append(frame);
      return new Promise((resolve) => (frame.onload = resolve));
    }, target('/'));
    const frame = page.frames().find((one) => one !== page.mainFrame());
    await expect.poll(() => frame?.url()).toMatch(/^chrome-error:/);
  });

  it('opens no websocket', async () => {
    const result = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.onopen = () => resolve('open');
          socket.onerror = () => resolve('failed');
        }),
      target('/api/session').replace('http', 'ws'),
    );
    expect(result).toBe('failed');
  });

  it('has no hold of the page that it opens', async () => {
    const popup = browser.context.waitForEvent('page');
    const isCut = page.evaluate(async (url) => {
      const opened = window.open(url);
      // Cross-Origin-Opener-Policy: the handle becomes that of a closed window.
      for (let tries = 0; tries < 200 && opened?.closed === false; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      return opened?.closed;
    }, target('/'));
    const opened = await popup;
    expect(await isCut).toBe(true);
    await opened.waitForLoadState();
    expect(await opened.evaluate(() => window.opener as unknown)).toBeNull();
    await opened.close();
  });
});

it('a name that turns to this computer while the page is open (DNS rebinding) gets nothing', async () => {
  const rebound = await startBrowser({ args: ['--host-resolver-rules=MAP rebound.example 127.0.0.1'] });
  try {
    const evil = await rebound.newPage(`http://rebound.example:${review.port}/api/session`);
    expect(await evil.textContent('body')).toContain('FOREIGN_REQUEST');
  } finally {
    await rebound.stop();
  }
});

it('a file on the disk that is opened as a page reads nothing', async () => {
  const file = join(folder, 'page.html');
  await writeFile(file, '<!doctype html><body></body>');
  const opened = await browser.newPage(`file://${file}`);
  const result = await opened.evaluate(
    (url) =>
      fetch(url, { credentials: 'include' }).then(
        (answer) => answer.text(),
        () => 'failed',
      ),
    target('/api/session'),
  );
  expect(result).toBe('failed');
  await opened.close();
});
