// Signing in and out. A new session always gets a new cookie, so nobody can have fixed it before; attempts are counted by address.

import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { ReviewFailure } from '../../failure.ts';
import type { Env, Parts, ReviewApp } from '../context.ts';
import { factOf } from '../context.ts';
import { tooManySessions } from '../identity.ts';
import { keyPage, messagePage, signInScript, signInStyle } from '../signInPage.ts';

const MAX_KEY = 200;
/** A wrong key or link costs this much time. */
const REFUSED_AFTER_MS = 500;

export function addSignInRoutes(app: ReviewApp, parts: Parts): void {
  const { audit, identity, limits, sessions } = parts;
  const { signIn } = identity;

  /** @throws ReviewFailure AUDIT_UNAVAILABLE, TOO_MANY_REQUESTS */
  async function begin(c: Context<Env>, user: string, keySha256: string | null): Promise<void> {
    const created = sessions.create(user, keySha256);
    if (created === null) throw tooManySessions();
    const grants = signIn.kind === 'local' ? null : signIn.access.grantsOf(user, []);
    try {
      const address = identity.addressOf(c.env.incoming);
      const role = grants === null ? 'admin' : (grants[0]?.role ?? null);
      const details = { by: signIn.kind === 'local' ? 'link' : 'key' };
      await audit.add({ user, role, action: 'sign-in', address, details });
    } catch (error) {
      sessions.end(created.session);
      throw error;
    }
    setCookie(c, parts.cookieName, created.token, {
      ...{ path: '/', httpOnly: true, sameSite: 'Strict', secure: parts.isHttps },
    });
  }

  async function refuse(c: Context<Env>, by: string): Promise<void> {
    const address = identity.addressOf(c.env.incoming);
    await audit.add({ user: '', role: null, action: 'sign-in-refused', address, details: { by } });
    await new Promise((resolve) => setTimeout(resolve, REFUSED_AFTER_MS));
  }

  app.get('/sign-in', async (c) => {
    c.header('cache-control', 'no-store');
    if (signIn.kind === 'proxy') return c.redirect('./', 303);
    if (signIn.kind === 'keys') return c.html(keyPage(null));
    const token = c.req.query('token');
    if (token === undefined)
      return c.html(
        messagePage(
          'You are signed out',
          'Press Enter in the window in which `sightline review` runs to get a new link, or start it again.',
        ),
        401,
      );
    await limits.take('signIn', identity.limitKeyOf(c.env.incoming));
    if (token.length > MAX_KEY || !signIn.links.use(token)) {
      await refuse(c, 'link');
      return c.html(
        messagePage(
          'This link does not work any more',
          'It works once, and for five minutes. If you did not open it yourself, somebody else has: end `sightline review`. For a new link, press Enter in the window in which `sightline review` runs.',
        ),
        401,
      );
    }
    await begin(c, signIn.user, null);
    return c.redirect('./', 303);
  });

  app.post('/sign-in', async (c) => {
    c.header('cache-control', 'no-store');
    if (signIn.kind !== 'keys')
      throw new ReviewFailure('INVALID_REQUEST', 'This server has no personal keys.');
    await limits.take('signIn', identity.limitKeyOf(c.env.incoming));
    const { key } = await c.req.parseBody();
    const found = typeof key === 'string' && key.length <= MAX_KEY ? await identity.userOfKey(key) : null;
    if (found === null) {
      await refuse(c, 'key');
      return c.html(
        keyPage('This key is not valid any more, or its user has no access. Ask the administrator.'),
        401,
      );
    }
    await begin(c, found.user, found.sha256);
    return c.redirect('./', 303);
  });

  for (const { path, body, type } of [signInScript, signInStyle])
    app.get(path, (c) => c.body(body, 200, { 'content-type': type, 'cache-control': 'no-cache' }));

  app.post('/api/sign-out', async (c) => {
    await audit.add(factOf(c, parts, { action: 'sign-out' }));
    sessions.end(c.var.caller.session);
    deleteCookie(c, parts.cookieName, { path: '/', secure: parts.isHttps });
    return c.body(null, 204);
  });
}
