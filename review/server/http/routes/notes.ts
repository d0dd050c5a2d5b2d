// Notes of reviewers, and their export.

import { auditOnce, factOf, recordingFor, roleOf, userOf } from '../context.ts';
import type { Parts, ReviewApp } from '../context.ts';
import { ReviewFailure } from '../../failure.ts';
import type { RecordingRow } from '../../../contract.ts';
import { jsonBody } from '../body.ts';
import { scopeOf } from '../grants.ts';
import { csvHeader, csvOf } from '../notes/csv.ts';
import { newNotesSchema } from '../notes/store.ts';
import { invalid, parsed, recordingQuery, searchedFor } from '../queries.ts';

/** Of an export: so many recordings have notes at most. */
const MAX_EXPORTED = 100_000;

export function addNotesRoutes(app: ReviewApp, parts: Parts): void {
  const { audit, library, limits, notes, mayDownload } = parts;

  app.get('/api/recordings/:id/notes', async (c) => {
    const recording = recordingFor(c, parts);
    await auditOnce(c, parts, { action: 'view', details: { what: 'notes' } }, recording);
    return c.json(await notes.read(recording.row.id));
  });

  app.put('/api/recordings/:id/notes', async (c) => {
    await limits.take('save', userOf(c));
    const recording = recordingFor(c, parts);
    const version = c.req.header('if-match');
    if (version === undefined || !/^(?:none|[0-9a-f]{32})$/.test(version)) throw invalid('if-match');
    const { entries } = parsed(newNotesSchema, await jsonBody(c));
    const { id, contactId } = recording.row;
    const saved = await notes.save(
      { id, contactId, key: recording.key },
      version === 'none' ? null : version,
      entries,
      { user: userOf(c), isAdmin: roleOf(c) === 'admin' },
      (change) => audit.add(factOf(c, parts, { action: 'notes', details: { ...change } }, recording)),
    );
    return c.json(saved);
  });

  app.get('/api/notes.csv', async (c) => {
    await limits.take('export', userOf(c));
    const query = recordingQuery(c.req.queries());
    const scope = scopeOf(c.var.caller.grants, 'downloader');
    if (!mayDownload || scope.length === 0)
      throw new ReviewFailure('NOT_ALLOWED', 'You may read notes, but not export them.');
    const withNotes = await notes.ids();
    const rows: RecordingRow[] = [];
    for (const row of library.rows(query, scope)) if (withNotes.has(row.id)) rows.push(row);
    const details = { ...searchedFor(query), recordings: rows.length };
    await audit.add(factOf(c, parts, { action: 'export', details }));
    return c.body(csvStream(rows.slice(0, MAX_EXPORTED)), 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="sightline-notes.csv"',
    });
  });

  function csvStream(rows: readonly RecordingRow[]): ReadableStream<Uint8Array> {
    let next = 0;
    const encoder = new TextEncoder();
    return new ReadableStream({
      start: (controller) => controller.enqueue(encoder.encode(csvHeader)),
      async pull(controller) {
        const row = rows[next++];
        if (row === undefined) {
          controller.close();
          return;
        }
        // Notes that cannot be read must not look like no notes: the download fails.
        const { entries } = await notes.read(row.id);
        controller.enqueue(encoder.encode(csvOf(row, entries)));
      },
    });
  }
}
