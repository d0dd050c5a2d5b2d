// `npm run pictures:ccp`: every state of <sightline-status>, light and dark, into docs/pictures/ccp/status. The element is the built
// one; its states are written here, because some of them (a browser that blocks) cannot be had at will.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../test/rig/browser.ts';
import { toPalette } from '../test/rig/trayDesk.ts';

const folder = fileURLToPath(new URL('../docs/pictures/ccp/status', import.meta.url));
const script = await readFile(new URL('../dist/ccp/sightline-ccp.js', import.meta.url), 'utf8');

const connected = { kind: 'connected', appVersion: '0.1.0', sessionId: 's' };
const contact = { contactId: 'c-1', channel: 'VOICE', state: 'recording', causes: [], error: null };
const app = (state: string, reason: object | null = null) => ({
  ...{ state, reason, contacts: [], uploads: { pending: 0, failed: 0 } },
});
interface Scene {
  readonly name: string;
  readonly connection?: object;
  readonly app?: object;
  readonly contacts?: readonly object[];
  readonly attributes?: readonly string[];
  /** The details are opened. */
  readonly opened?: boolean;
}
const suspended = { ...contact, state: 'suspended', causes: ['page'] };
const card = { code: 'suspended', message: 'Card number' };
const scenes: readonly Scene[] = [
  { name: 'connecting', connection: { kind: 'connecting' } },
  { name: 'idle', app: app('idle') },
  { name: 'starting', app: app('starting'), contacts: [{ ...contact, state: 'starting' }] },
  { name: 'recording', app: app('recording'), contacts: [{ ...contact, secondsAgo: 754 }] },
  {
    name: 'recording-controls',
    app: app('recording'),
    contacts: [{ ...contact, secondsAgo: 3754 }],
    attributes: ['controls'],
  },
  {
    name: 'recording-compact',
    app: app('recording'),
    contacts: [{ ...contact, secondsAgo: 754 }],
    attributes: ['compact'],
  },
  {
    name: 'recording-several',
    app: app('recording'),
    contacts: [
      { ...contact, secondsAgo: 754 },
      { ...contact, contactId: 'c-2', channel: 'CHAT' },
      { ...contact, contactId: 'c-3', channel: 'TASK', state: 'starting' },
    ],
    opened: true,
  },
  { name: 'suspended', app: app('suspended', card), contacts: [suspended], attributes: ['controls'] },
  {
    name: 'suspended-form',
    app: app('suspended', card),
    contacts: [{ ...suspended, causes: ['form:#card'] }],
    attributes: ['controls'],
  },
  { name: 'suspended-flow', app: app('suspended'), contacts: [{ ...suspended, causes: ['flow'] }] },
  {
    name: 'suspended-agent',
    app: app('suspended', { code: 'agent', message: '' }),
    contacts: [{ ...suspended, causes: [] }],
    opened: true,
  },
  { name: 'paused', app: app('paused', { code: 'locked', message: '' }), contacts: [contact] },
  { name: 'problem', app: app('problem', { code: 'SPOOL_FULL', message: '' }), contacts: [contact] },
  { name: 'not-running', connection: { kind: 'not-running' } },
  { name: 'not-running-compact', connection: { kind: 'not-running' }, attributes: ['compact'], opened: true },
  { name: 'blocked', connection: { kind: 'blocked', permission: 'denied' } },
  { name: 'blocked-prompt', connection: { kind: 'blocked', permission: 'prompt' } },
  { name: 'refused', connection: { kind: 'refused', code: 'MULTIPLE_CCP_INTERACTION', message: '' } },
  { name: 'wrong-version', connection: { kind: 'wrong-version', recorderProtocol: 2 } },
];

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await startBrowser();
try {
  const page = await browser.newPage('about:blank');
  await page.setContent(
    '<!doctype html><meta name="color-scheme" content="light dark"><div id="place"></div>',
  );
  await page.setViewportSize({ width: 560, height: 400 });
  await page.evaluate(script);
  await page.evaluate('place.setAttribute("style", "display: inline-block; padding: 12px;")');
  for (const scene of scenes) {
    for (const colors of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: colors });
      const { connection = connected, contacts = [], attributes = [], opened = false } = scene;
      const { width, height } = await page.evaluate<{ width: number; height: number }>(`{
        const [connection, appState, contacts, attributes] = ${JSON.stringify([connection, scene.app ?? null, contacts, attributes])};
        const element = document.createElement('sightline-status');
        for (const name of attributes) element.setAttribute(name, '');
        const subscribe = () => () => {};
        const timed = ({ secondsAgo = 0, ...contact }) => ({
          ...contact, startTime: new Date(Date.now() - secondsAgo * 1000 - 100).toISOString(),
        });
        element.source = {
          client: { connection, appState: appState ?? undefined, subscribe },
          contacts: { contacts: contacts.map(timed), subscribe },
        };
        place.replaceChildren(element);
        const details = element.shadowRoot.querySelector('#details');
        if (${String(opened)} && details.getAttribute('aria-expanded') === 'false') details.click();
        const panel = element.shadowRoot.querySelector('#panel').getBoundingClientRect();
        const own = element.getBoundingClientRect();
        ({
          width: Math.ceil(Math.max(panel.right, own.right, 240)) + 12,
          height: Math.ceil(Math.max(panel.bottom, own.bottom)) + 12,
        })
      }`);
      const file = join(folder, `${scene.name}-${colors}.png`);
      const clip = { x: 0, y: 0, width, height };
      await writeFile(`${file}.whole.png`, await page.screenshot({ clip }));
      await toPalette(`${file}.whole.png`, file);
      await rm(`${file}.whole.png`);
    }
    console.log(scene.name);
  }
} finally {
  await browser.stop();
}
process.exit(0);
