// How `sightline review` starts, what it says when it cannot, and how it ends.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { host } from '../rig/program.ts';
import { addReviewRecording } from '../rig/reviewFiles.ts';
import { ask, openLink, startReview } from '../rig/reviewProgram.ts';

let folder: string;
let library: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  library = join(folder, 'library');
  await addReviewRecording(library, 'team-a', 1);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const command = (...args: string[]) =>
  host.run({
    args: ['review', '--no-open', '--data-dir', join(folder, 'data'), ...args],
    ...{ display: null, environment: {}, wrapper: [] },
  });

it('shows the folder to which policy sends recordings, without downloads where policy says so, and ends on Ctrl+C', async () => {
  const review = await startReview(folder, ['--sink-folder', library, '--review-download', 'no']);
  const me = await openLink(review);
  expect(me.session).toMatchObject({ library, role: 'admin', may: { download: false, readAudit: true } });
  const [row] = await me.rows();
  expect((await me.get(`/api/recordings/${row!.id}/download`)).json().code).toBe('NOT_ALLOWED');
  expect((await me.get('/api/notes.csv')).json().code).toBe('NOT_ALLOWED');
  expect((await me.get(`/api/recordings/${row!.id}/video`)).status).toBe(200);
  review.program.kill('SIGINT');
  expect(await review.program.exited).toBe(0);
  await expect(ask(review.port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('listens on 127.0.0.1 only', async () => {
  const review = await startReview(folder, [library]);
  const free = createServer();
  // The same port is free on another address of this computer.
  await new Promise<void>((resolve) => free.listen(review.port, '127.0.0.2', resolve));
  free.close();
  await review.stop();
});

describe('says with a code', () => {
  it('that the folder is missing', async () => {
    const { code, stderr } = await command(join(folder, 'nowhere'));
    expect(stderr).toMatch(/^sightline: REVIEW_NOT_STARTED: .*nowhere/m);
    expect(code).toBe(69);
  });

  it('that the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await command(library, '--port', String(port));
    other.close();
    expect(stderr).toContain(`REVIEW_NOT_STARTED: Another program uses port ${port}.`);
    expect(code).toBe(69);
  });

  it('that the bucket refuses or cannot be reached', async () => {
    const { code, stderr } = await host.run({
      args: [
        'review',
        's3://bucket/prefix',
        '--no-open',
        '--data-dir',
        join(folder, 'data'),
        '--s3-endpoint',
        'http://127.0.0.1:9',
      ],
      ...{ display: null, wrapper: [] },
      environment: {
        AWS_ACCESS_KEY_ID: 'a',
        AWS_SECRET_ACCESS_KEY: 'b',
        AWS_REGION: 'eu-central-1',
        AWS_MAX_ATTEMPTS: '1',
      },
    });
    expect(stderr).toMatch(/^sightline: REVIEW_NOT_STARTED: s3:\/\/bucket\/prefix/m);
    expect(code).toBe(69);
  });

  it('that the audit log is a folder', async () => {
    const path = join(folder, 'a-folder');
    await mkdir(path);
    const { code, stderr } = await command(library, '--audit-log', path);
    expect(stderr).toContain('REVIEW_NOT_STARTED: The audit log');
    expect(code).toBe(69);
  });

  it('that options do not belong together', async () => {
    const { code, stderr } = await command(library, '--access', 'x');
    expect([code, stderr]).toEqual([64, expect.stringContaining('add --serve')]);
  });
});
