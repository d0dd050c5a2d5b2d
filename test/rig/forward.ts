// Another origin's pages from one of the rig's servers: what the browser asks of `https://acme.example`, the test fetches from the
// server. To Chromium such pages are on the internet. Nothing leaves this machine.
import type { BrowserContext } from 'playwright-core';
import type { PageServer } from './pageServer.ts';

export async function forward(context: BrowserContext, origin: string, server: PageServer): Promise<void> {
  await context.route(`${origin}/**`, async (route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const body = request.postDataBuffer();
    const answer = await fetch(`${server.origin}${pathname}${search}`, {
      method: request.method(),
      ...(body === null ? {} : { body: new Uint8Array(body) }),
    });
    const { 'content-length': _, ...headers } = Object.fromEntries(answer.headers);
    await route.fulfill({ status: answer.status, headers, body: Buffer.from(await answer.arrayBuffer()) });
  });
}
