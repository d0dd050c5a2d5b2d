// The list, and what is known about one recording.

import { ReviewFailure } from '../../failure.ts';
import { auditOnce, factOf, recordingFor, roleOf, userOf } from '../context.ts';
import type { Parts, ReviewApp } from '../context.ts';
import { scopeOf } from '../grants.ts';
import { keyFrameQuery, pageAction, recordingQuery, searchedFor } from '../queries.ts';
import type { Session } from '../../../contract.ts';
import { jsonBody } from '../body.ts';

/** While somebody looks at the list, it is brought up to date this often. */
const REFRESH_EVERY_MS = 30_000;
const VERIFY_WITHIN_MS = 30 * 60_000;

export function addRecordingRoutes(app: ReviewApp, parts: Parts): void {
  const { library, limits, verifications, audit } = parts;
  let refreshedAt = -Infinity;
  const refresh = (): Promise<void> => {
    refreshedAt = performance.now();
    return library.refresh();
  };

  app.get('/api/session', (c) => {
    const { grants, session } = c.var.caller;
    const role = roleOf(c);
    return c.json<Session>({
      ...{ user: session.user, role, csrf: session.csrf },
      may: {
        download: parts.mayDownload && scopeOf(grants, 'downloader').length > 0,
        readAudit: role === 'admin',
      },
      ...{ library: library.name, appVersion: parts.appVersion },
    });
  });

  app.get('/api/recordings', async (c) => {
    const query = recordingQuery(c.req.queries());
    await auditOnce(c, parts, { action: 'list', details: searchedFor(query) });
    // The list that is there is shown at once; the page sees by `index` that it is brought up to date.
    if (performance.now() - refreshedAt > REFRESH_EVERY_MS) void refresh();
    return c.json(library.list(query, scopeOf(c.var.caller.grants, 'viewer')));
  });

  app.get('/api/facets', async (c) => {
    await auditOnce(c, parts, { action: 'list', details: {} });
    return c.json(library.facets(scopeOf(c.var.caller.grants, 'viewer')));
  });

  app.post('/api/refresh', async (c) => {
    await limits.take('refresh', userOf(c));
    void refresh();
    return c.json(library.state);
  });

  app.get('/api/recordings/:id', async (c) => {
    const recording = recordingFor(c, parts);
    const detail = await recording.detail();
    await auditOnce(c, parts, { action: 'view', details: { what: 'manifest' } }, recording);
    return c.json(detail);
  });

  // Sizes and times of frames: nothing of what they show.
  app.get('/api/recordings/:id/activity', async (c) => c.json(await recordingFor(c, parts).activity()));

  app.get('/api/recordings/:id/keyframe', async (c) => {
    const { atMs } = keyFrameQuery(c.req.queries());
    const recording = recordingFor(c, parts);
    const keyFrame = await recording.keyFrame(atMs);
    await auditOnce(c, parts, { action: 'view', details: { what: 'thumbnail' } }, recording);
    return c.json(keyFrame);
  });

  app.get('/api/recordings/:id/transcript', async (c) => {
    const recording = recordingFor(c, parts);
    const transcript = await recording.transcript();
    // Like the audio: what was not redacted is not for everybody.
    if (transcript.kind === 'original') recordingFor(c, parts, 'downloader');
    await auditOnce(c, parts, { action: 'view', details: { what: 'transcript' } }, recording);

    return c.json(transcript);
  });

  app.post('/api/recordings/:id/verify', async (c) => {
    await limits.take('verify', userOf(c));
    const recording = recordingFor(c, parts);
    const close = verifications.open(userOf(c));
    const { socket } = c.env.incoming;
    // Nothing is sent while the whole MP4 is read.
    socket.setTimeout(VERIFY_WITHIN_MS);
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    c.env.outgoing.once('close', leave);
    try {
      const signal = AbortSignal.any([gone.signal, c.var.caller.session.ended]);
      const verification = await recording.verify(signal);
      await audit.add(
        factOf(c, parts, { action: 'verify', details: { verdict: verification.verdict } }, recording),
      );
      return c.json(verification);
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      throw new ReviewFailure('UNKNOWN', 'The page did not wait for the result.', { cause: error });
    } finally {
      c.env.outgoing.off('close', leave);
      close();
    }
  });

  app.post('/api/recordings/:id/actions', async (c) => {
    const recording = recordingFor(c, parts);
    const { action, atMs } = pageAction(await jsonBody(c));
    await audit.add(factOf(c, parts, { action, details: { atMs } }, recording));
    return c.body(null, 204);
  });
}
