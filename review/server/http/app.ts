// The web application: headers, limits, who asks, then the routes of review/contract.ts. Nothing here knows a path of the disk.

import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import { errorMessage } from '../../../main/shared/errors.ts';
import { reviewErrorCodes, type ReviewError, type ReviewErrorCode } from '../../contract.ts';
import { ReviewFailure } from '../failure.ts';
import type { Refusals } from './audit/refusals.ts';
import { maxBody } from './body.ts';
import { isSameSecret } from './constantTime.ts';
import {
  NoSuchRecording,
  factOf,
  type Env,
  type Parts,
  type ReviewApp,
  type ReviewContext,
} from './context.ts';
import { highestRole } from './grants.ts';
import { pageHeaders } from './headers.ts';
import { NoAccess } from './identity.ts';
import { TooMany } from './limits.ts';
import { MAX_NOTES_BYTES } from './notes/store.ts';
import type { PageFile } from './pageFiles.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addMediaRoutes } from './routes/media.ts';
import { addNotesRoutes } from './routes/notes.ts';
import { addRecordingRoutes } from './routes/recordings.ts';
import { addSignInRoutes } from './routes/signIn.ts';
import { messagePage } from './signInPage.ts';

const MAX_BODY = 16 * 1024;
/** Refusals that the audit log has: what somebody tried that is not for him. */
const AUDITED: readonly ReviewErrorCode[] = ['NOT_ALLOWED', 'FOREIGN_REQUEST', 'TOO_MANY_REQUESTS'];

export interface Page {
  /** null: it was not built. */
  readonly files: ReadonlyMap<string, PageFile> | null;
  readonly refusals: Refusals;
}

export function reviewApp(parts: Parts, { files, refusals }: Page): ReviewApp {
  const { identity, limits, log } = parts;
  const app = new Hono<Env>();

  app.use('/sign-in', async (c, next) => {
    await next();
    // The form's POST would have the Origin "null" under no-referrer (Fetch standard, 3.2). No address here has a secret in it.
    if (identity.signIn.kind === 'keys') c.header('referrer-policy', 'same-origin');
  });
  app.use(pageHeaders(parts.isHttps));
  app.use(async (c, next) => {
    await limits.take('address', identity.limitKeyOf(c.env.incoming));
    await next();
  });
  const [small, notes] = [maxBody(MAX_BODY), maxBody(MAX_NOTES_BYTES)];
  app.use((c, next) => (c.req.method === 'PUT' ? notes : small)(c, next));

  app.use('/api/*', async (context, next) => {
    const c = context as ReviewContext;
    c.header('cache-control', 'private, no-store');
    const caller = await identity.caller(c.env.incoming, getCookie(c, parts.cookieName));
    c.set('caller', caller);
    const { user, csrf } = caller.session;
    await limits.take('user', user);
    const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    if (changes && !isSameSecret(c.req.header('x-sightline-csrf') ?? '', csrf))
      throw new ReviewFailure('FOREIGN_REQUEST', 'The request did not come from this page. Reload it.');
    if (caller.isNew)
      await parts.audit.add(factOf(c, parts, { action: 'sign-in', details: { by: 'proxy' } }));
    await next();
  });

  addSignInRoutes(app, parts);
  addRecordingRoutes(app, parts);
  addMediaRoutes(app, parts);
  addNotesRoutes(app, parts);
  addAuditRoutes(app, parts);

  app.get('*', async (c, next) => {
    const file = files?.get(c.req.path);
    if (file === undefined) return next();
    if (c.req.path === '/' && (await mustSignIn(c))) return c.redirect('sign-in', 303);
    if (c.req.header('if-none-match') === file.headers['etag']) return c.body(null, 304, file.headers);
    return c.body(file.body, 200, file.headers);
  });
  if (files === null)
    app.get('/', (c) =>
      c.html(
        messagePage(
          'The page is missing',
          'This Sightline was built without the review page. Run `npm run build`.',
        ),
        503,
      ),
    );

  /** With personal keys. A link from elsewhere comes without the cookie (SameSite): there the page itself finds out. */
  async function mustSignIn(c: ReviewContext): Promise<boolean> {
    const site = c.req.header('sec-fetch-site');
    if (identity.signIn.kind !== 'keys' || (site !== undefined && site !== 'none' && site !== 'same-origin'))
      return false;
    return identity.caller(c.env.incoming, getCookie(c, parts.cookieName)).then(
      () => false,
      () => true,
    );
  }

  app.notFound(() => {
    throw new ReviewFailure('NOT_FOUND', 'There is nothing at this address.');
  });

  app.onError(async (error, c) => {
    const failure = error instanceof ReviewFailure ? error : null;
    const code = failure?.code ?? 'UNKNOWN';
    const reference = Math.random().toString(36).slice(2, 8);
    if (failure === null)
      log.error('a request of the review page failed', {
        ...{ reference, path: c.req.path.slice(0, 200), reason: errorMessage(error), stack: error.stack },
      });
    if (AUDITED.includes(code) || failure instanceof NoSuchRecording) await refused(c, code, failure);
    if (failure instanceof TooMany) c.header('retry-after', String(failure.retryAfterSeconds));
    if (!c.req.path.startsWith('/api/')) c.header('cache-control', 'no-store');
    const message =
      failure?.message ??
      `Something went wrong on the review server. Try again; the administrator finds the reason in its log (${reference}).`;
    return c.json<ReviewError>({ code, message }, reviewErrorCodes[code]);
  });

  async function refused(
    c: ReviewContext,
    code: ReviewErrorCode,
    failure: ReviewFailure | null,
  ): Promise<void> {
    const caller = c.get('caller') as Env['Variables']['caller'] | undefined;

    await refusals.add({
      user: caller?.session.user ?? (failure instanceof NoAccess ? failure.user : ''),
      role: caller === undefined ? null : highestRole(caller.grants),
      action: failure instanceof NoAccess ? 'sign-in-refused' : 'refused',
      address: identity.addressOf(c.env.incoming),
      details: { code, method: c.req.method, path: c.req.path },
    });
  }

  return app;
}
