// The audit log of the built program: what a session leaves in it, what becomes of it when the program or the disk fails, and that
// nothing is shown that would not be in it.
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditPage } from '../../review/contract.ts';
import { host } from '../rig/program.ts';
import { addReviewRecording } from '../rig/reviewFiles.ts';
import { openLink, startReview } from '../rig/reviewProgram.ts';

let folder: string;
let library: string;
let log: string;
let run = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  library = join(folder, 'library');
  await addReviewRecording(library, 'team-a', 1);
  await addReviewRecording(library, 'team-b', 2);
});
beforeEach(() => (log = join(folder, `audit-${(run += 1)}.ndjson`)));
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = () =>
  startReview(folder, [library, '--audit-log', log, '--notes', join(folder, `notes-${run}`)]);
const lines = async () =>
  (await readFile(log, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditPage['entries'][number]);
const command = (...args: string[]) =>
  host.run({
    args: ['review', '--data-dir', join(folder, 'data'), ...args],
    display: null,
    environment: {},
    wrapper: [],
  });
const check = () => command('--check-audit', log);

it('has a line for each thing that somebody did, and none for each page of a list or each range of a video', async () => {
  const review = await start();
  const me = await openLink(review);
  const [row] = await me.rows();
  const at = `/api/recordings/${row!.id}`;
  for (let offset = 0; offset < 5; offset += 1)
    await me.get(`/api/recordings?text=agent&offset=${offset}&limit=1`);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      me.get(`${at}/video`, { range: `bytes=${index * 100}-${index * 100 + 99}` }),
    ),
  );
  await me.get(`${at}/download`);
  await me.get(`${at}/download`);
  await me.send('POST', `${at}/verify`, null);
  await me.send('POST', `${at}/actions`, { action: 'snapshot', atMs: 4000 });
  await me.send('POST', `${at}/actions`, { action: 'share-link', atMs: 4000 });
  const note = { id: crypto.randomUUID(), atMs: 1, text: 'SECRET TEXT', score: null };
  await me.send('PUT', `${at}/notes`, { entries: [note] }, { 'if-match': 'none' });
  await me.get('/api/notes.csv');
  await me.get('/api/recordings/AAAAAAAAAAAAAAAAAAAAAAAA');
  const page = (await me.get('/api/audit?limit=3')).json() as unknown as AuditPage;
  expect(page.chain).toBe('intact');
  expect(page.entries.map(({ action }) => action)).toEqual(['read-audit', 'refused', 'export']);
  const older = (
    await me.get(`/api/audit?before=${page.entries.at(-1)!.number}&limit=1`)
  ).json() as unknown as AuditPage;
  expect(older.entries).toMatchObject([{ action: 'notes', details: { added: 1, changed: 0, removed: 0 } }]);
  await me.send('POST', '/api/sign-out', null);
  await review.stop();

  const found = await lines();
  expect(found.map(({ action }) => action)).toEqual([
    ...[
      'sign-in',
      'list',
      'list',
      'view',
      'download',
      'download',
      'verify',
      'snapshot',
      'share-link',
      'notes',
      'export',
    ],
    ...['refused', 'read-audit', 'sign-out'],
  ]);
  expect(found.map(({ number }) => number)).toEqual(found.map((_, index) => index + 1));
  expect(found[3]).toMatchObject({
    ...{ recordingId: row!.id, contactId: row!.contactId, address: '127.0.0.1', role: 'admin' },
    details: { what: 'video' },
  });
  expect(await readFile(log, 'utf8')).not.toContain('SECRET TEXT');
  expect(await check()).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('intact, 14 lines.') as string,
  });
});

describe('while the server runs', () => {
  it('a log that somebody else has written to stops everything that would be in it', async () => {
    const review = await start();
    const me = await openLink(review);
    const [row] = await me.rows();
    const at = `/api/recordings/${row!.id}`;
    await appendFile(log, '{"number":99}\n');
    for (const path of [`${at}/download`, `${at}/video`, at, '/api/recordings?text=a', '/api/notes.csv']) {
      const answer = await me.get(path);
      expect(answer.json().code).toBe('AUDIT_UNAVAILABLE');
      expect(answer.status).toBe(503);
    }
    expect((await me.send('POST', `${at}/actions`, { action: 'snapshot', atMs: 0 })).status).toBe(503);
    expect((await me.send('PUT', `${at}/notes`, { entries: [] }, { 'if-match': 'none' })).status).toBe(503);
    expect(await readdir(join(folder, `notes-${run}`))).toEqual([]);
    await review.stop();
  });

  it('a second server does not write into it', async () => {
    const review = await start();
    const second = await command(library, '--no-open', '--audit-log', log);
    expect(second.code).toBe(69);
    expect(second.stderr).toMatch(
      /REVIEW_NOT_STARTED: The audit log .* another `sightline review` \(process \d+\) uses it/,
    );
    await review.stop();
  });
});

describe('after the server', () => {
  async function someLines(): Promise<string[]> {
    const review = await start();
    const me = await openLink(review);
    const [row] = await me.rows();
    for (let count = 0; count < 4; count += 1) await me.get(`/api/recordings/${row!.id}/download`);
    await review.stop();
    return (await readFile(log, 'utf8')).trimEnd().split('\n');
  }

  it('the next one continues it, and keeps a last line that a crash has cut off', async () => {
    const before = await someLines();
    await appendFile(log, '{"number":7,"time":"2026-');
    const review = await start();
    await openLink(review);
    await review.stop();
    const text = await readFile(log, 'utf8');
    expect(text.startsWith(`${before.join('\n')}\n{"number":7,"time":"2026-\n`)).toBe(true);
    const [next] = text
      .trimEnd()
      .split('\n')
      .slice(before.length + 1);
    expect(JSON.parse(next!)).toMatchObject({
      number: 7,
      action: 'sign-in',
      details: { afterTornLine: true },
    });
    expect((await check()).stdout).toMatch(/intact, 8 lines\. Cut off by a crash or a full disk: line 7\./);
    // Not even what was cut off can be changed.
    await writeFile(log, text.replace('"number":7,"time":"2026-\n', '"number":7,"time":"2027-\n'));
    expect((await check()).code).toBe(1);
  });

  it('a file that is no audit log is not written to', async () => {
    await writeFile(log, 'x'.repeat(100_000));
    const { code, stderr } = await command(library, '--no-open', '--audit-log', log);
    expect([code, stderr]).toEqual([69, expect.stringContaining('it is no audit log of Sightline')]);
    expect(await readFile(log, 'utf8')).toBe('x'.repeat(100_000));
  });
});
