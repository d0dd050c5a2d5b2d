// Video, audio and downloads. Watching and downloading are different rights: the video route answers a player only. That stops
// saving by mistake or by a link; it cannot stop somebody who may watch from keeping what the screen shows (docs/review-team.md).

import { ReviewFailure } from '../../failure.ts';
import { auditOnce, factOf, recordingFor, userOf } from '../context.ts';
import type { Parts, ReviewApp, ReviewContext } from '../context.ts';
import { audioQuery } from '../queries.ts';
import { sendFile } from '../sendFile.ts';

export function addMediaRoutes(app: ReviewApp, parts: Parts): void {
  const { audit, limits, streams, mayDownload } = parts;
  const shared = (c: ReviewContext) => ({
    ended: c.var.caller.session.ended,
    open: () => streams.open(userOf(c)),
  });

  app.get('/api/recordings/:id/video', async (c) => {
    insistOnPlayer(c);
    const recording = recordingFor(c, parts);
    const file = await recording.video();
    await auditOnce(c, parts, { action: 'view', details: { what: 'video' } }, recording);
    const headers = { 'content-type': 'video/mp4', 'content-disposition': 'inline' };
    return sendFile(c, { file, headers, ...shared(c) });
  });

  app.get('/api/recordings/:id/audio', async (c) => {
    insistOnPlayer(c);
    const { kind } = audioQuery(c.req.queries());
    const recording = recordingFor(c, parts, kind === 'original' ? 'downloader' : 'viewer');
    const file = await recording.audio(kind);
    await auditOnce(c, parts, { action: 'listen', details: { kind } }, recording);
    const headers = { 'content-type': 'audio/wav', 'content-disposition': 'inline' };
    return sendFile(c, { file, headers, ...shared(c) });
  });

  app.get('/api/recordings/:id/download', async (c) => {
    await limits.take('download', userOf(c));
    const recording = recordingFor(c, parts, 'downloader');
    if (!mayDownload)
      throw new ReviewFailure('NOT_ALLOWED', 'Downloads are switched off by policy or on the command line.');
    const file = await recording.video();
    // Each one, and each continued one: a download is never part of a group.
    const range = c.req.header('range');
    const details = { sizeBytes: file.sizeBytes, ...(range === undefined ? {} : { range }) };
    await audit.add(factOf(c, parts, { action: 'download', details }, recording));
    const name = recording.key.split('/').at(-1) ?? 'recording.mp4';
    const headers = { 'content-type': 'video/mp4', 'content-disposition': attachment(name) };
    return sendFile(c, { file, headers, ...shared(c) });
  });
}

/**
 * Browsers say what a request is for (Fetch Metadata), and no page can change that. Absent: an older browser, or Safari's
 * media loader; those are answered. @throws ReviewFailure NOT_ALLOWED
 */
function insistOnPlayer(c: ReviewContext): void {
  const destination = c.req.header('sec-fetch-dest');
  if (destination === undefined || destination === 'video' || destination === 'audio') return;
  throw new ReviewFailure(
    'NOT_ALLOWED',
    'This address is for the player. To keep the recording, use Download.',
  );
}

/** RFC 6266: the plain name for old programs, the real one for the others. No path, no control character, no quote. */
export function attachment(name: string): string {
  const safe = name.replaceAll(/[\p{C}\p{Zl}\p{Zp}"\\/:*?<>|]/gu, '_').slice(-200);
  const plain = safe.replaceAll(/[^\x20-\x7e]|[%;]/g, '_');
  const encoded = encodeURIComponent(safe).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
