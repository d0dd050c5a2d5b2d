// The ten lines of docs/ccp.md, taken out of it and run: the real Streams library, the built script, the real recorder. Only the addresses
// of the library and of Connect, and the port, are the test's.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStreamsDesk, type StreamsDesk } from '../rig/ccpFrame/streamsDesk.ts';

let desk: StreamsDesk;

beforeAll(async () => {
  desk = await startStreamsDesk();
});
afterAll(() => desk.stop());

async function snippet(): Promise<string> {
  const docs = await readFile(fileURLToPath(new URL('../../docs/ccp.md', import.meta.url)), 'utf8');
  const html = /## A custom CCP in 10 lines\n+```html\n(.*?)```/s.exec(docs)?.[1];
  if (html === undefined) throw new Error('docs/ccp.md has no HTML below "A custom CCP in 10 lines".');
  return html;
}

/** Each must be in the snippet, or the test would run something else. */
function replaced(html: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, html);
}

it('records a call, and nothing while the payment form has the focus', async () => {
  const html = replaced(await snippet(), [
    ['src="connect-streams.js"', 'src="/streams.js"'],
    ['src="sightline-ccp.js"', 'src="/sightline-ccp.js"'],
    ['https://acme.my.connect.aws/ccp-v2/', desk.connect.ccpUrl],
    ['Sightline.streams(connect)', `Sightline.streams(connect, { port: ${desk.recorder.port} })`],
  ]);
  desk.server.routes['/snippet.html'] = `<!doctype html><meta charset="utf-8">${html}`;
  const page = await desk.browser.newPage(`${desk.server.origin}/snippet.html`);
  const contactId = desk.connect.ring();
  desk.connect.accept(contactId);
  await desk.becomes(contactId, 'recording');
  await page.click('[name=card]');
  await desk.becomes(contactId, 'suspended');
  await page.evaluate('document.activeElement.blur()');
  await desk.becomes(contactId, 'recording');
  desk.connect.endCall(contactId);
  expect((await desk.manifestOf(contactId)).suspensions).toHaveLength(1);
});

it('has ten lines of script and markup', async () => {
  const lines = (await snippet()).trim().split('\n');
  // Two more are the form, which a page has anyway.
  expect(lines.length).toBeLessThanOrEqual(12);
});
