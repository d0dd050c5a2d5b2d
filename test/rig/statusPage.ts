// A page with <sightline-status> under a strict Content Security Policy, and what the element shows.
import type { Page } from 'playwright-core';
import type { Browser } from './browser.ts';
import { ccpRoutes } from './ccpPackage.ts';
import type { PageServer, Route } from './pageServer.ts';
import { agent } from './recorder.ts';

export const STRICT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self' http://127.0.0.1:* ws://127.0.0.1:*",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "base-uri 'none'",
].join('; ');

const page = (body: string): Route => ({
  body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>
    <meta name="color-scheme" content="light dark">
    <script src="/before.js"></script></head><body><main><h1>Page</h1>${body}</main></body></html>`,
  contentType: 'text/html; charset=utf-8',
  headers: { 'content-security-policy': STRICT_POLICY },
});
const script = (body: string): Route => ({ body, contentType: 'text/javascript; charset=utf-8' });

export const statusRoutes: Readonly<Record<string, Route>> = {
  ...ccpRoutes,
  '/status.html': page(
    '<sightline-status></sightline-status><script src="/sightline-ccp.js"></script><script src="/status.js"></script>',
  ),
  // The element's class is defined when the page has set its properties long ago.
  '/late.html': page(
    '<sightline-status></sightline-status><script src="/early.js"></script><script src="/sightline-ccp.js"></script><script src="/status.js"></script>',
  ),
  '/before.js': script(`window.violations = [];
    addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));`),
  '/early.js': script(
    `document.querySelector('sightline-status').texts = { labels: { idle: 'Set early' } };`,
  ),
  '/status.js': script(`{
    const asked = new URLSearchParams(location.search);
    const identity = { ...${JSON.stringify(agent)} };
    if (asked.has('agent')) identity.agentArn = identity.instanceArn + '/agent/' + asked.get('agent');
    window.client = Sightline.createClient({ identity, port: Number(asked.get('port')) });
    window.contacts = Sightline.createContactRecorder(client);
    const element = document.querySelector('sightline-status');
    for (const name of (asked.get('attributes') ?? '').split(' ')) if (name !== '') element.setAttribute(name, '');
    element.source = { client, contacts };
  }`),
};

export interface StatusTab {
  readonly page: Page;
  shown(): Promise<Shown>;
  /** JavaScript of the page, which has \`client\`, \`contacts\` and \`element\`. */
  run<T>(code: string): Promise<T>;
  close(): Promise<void>;
}

export interface Shown {
  readonly kind: string | null;
  readonly label: string;
  readonly detail: string;
  /** Empty where no time is shown. */
  readonly elapsed: string;
  /** The visible button's, or empty. */
  readonly action: string;
  readonly isOpen: boolean;
  readonly steps: readonly string[];
  readonly contacts: readonly string[];
  readonly code: string;
  readonly language: string | null;
}

export interface StatusTabOptions {
  readonly port: number;
  readonly agent?: string;
  readonly attributes?: string;
  readonly path?: string;
}

export async function openStatusTab(
  browser: Browser,
  server: Pick<PageServer, 'origin'>,
  { port, agent: name, attributes = '', path = '/status.html' }: StatusTabOptions,
): Promise<StatusTab> {
  const query = new URLSearchParams({ port: String(port), attributes });
  if (name !== undefined) query.set('agent', name);
  const opened = await browser.newPage(`${server.origin}${path}?${query.toString()}`);
  return statusTab(opened);
}

export function statusTab(opened: Page): StatusTab {
  const run = <T>(code: string): Promise<T> =>
    opened.evaluate<T>(`{ const element = document.querySelector('sightline-status'); ${code} }`);
  return {
    page: opened,
    run,
    shown: () =>
      run(`
        const get = (id) => element.shadowRoot.getElementById(id);
        const text = (id) => (get(id).checkVisibility() ? get(id).textContent : '');
        const lines = (id) => [...get(id).children].map((one) => one.textContent);
        ({
          kind: get('base').dataset.kind ?? null,
          label: text('label'),
          detail: text('detail'),
          elapsed: text('elapsed'),
          action: text('action'),
          isOpen: get('panel').checkVisibility(),
          steps: lines('steps'),
          contacts: lines('contacts'),
          code: text('code'),
          language: get('base').lang,
        })`),
    close: () => opened.close(),
  };
}
