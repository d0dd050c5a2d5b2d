// `sightline recordings retry` from the command line to the sink, its file of secrets, and what a crash leaves behind.
// Who else may knock is in controlAttacks.test.ts.
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { RetryReply } from '../../main/shared/control.ts';
import { LET_IN, accessOf, sendControl } from '../rig/control.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { run } from '../rig/process.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));

let display: Display;
let home: string;
const recorders: Recorder[] = [];

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-control-'));
});
afterEach(async () => {
  for (const recorder of recorders.splice(0)) {
    recorder.kill('SIGKILL');
    await recorder.exited;
  }
  // Not before they are gone: they write into it.
  await rm(home, { recursive: true, force: true });
});

/** A file where the sink's folder should be. */
const blocker = (): string => join(home, 'in-the-way');

async function startWithoutSink(): Promise<{ recorder: Recorder; page: Page }> {
  await writeFile(blocker(), '');
  const recorder = await start();
  return { recorder, page: await recorder.connect() };
}

async function start(): Promise<Recorder> {
  const recorder = await startRecorder({
    display: display.display,
    home,
    flags: ['--sink-folder', join(blocker(), 'sink')],
  });
  recorders.push(recorder);
  return recorder;
}

async function record(page: Page, contactId: string): Promise<void> {
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await page.ask('contact.stop', { contactId });
}

async function sightline(...args: string[]) {
  const { code, stdout, stderr } = await run(process.execPath, [
    program,
    ...args,
    '--data-dir',
    join(home, 'data'),
  ]);
  return { code, stdout: stdout.toString(), stderr };
}

describe('sightline recordings retry', () => {
  it('delivers at once what had failed, after IT has mended the sink', async () => {
    const { recorder, page } = await startWithoutSink();
    await record(page, 'one');
    await page.event('one', 'FAILED');

    const listed = await sightline('recordings', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      recordings: [
        {
          contact: 'one',
          status: 'FAILED',
          waiting: true,
          reason: { code: 'UPLOAD_FAILED', message: expect.stringContaining('not a folder') as string },
        },
      ],
    });
    const shown = await sightline('recordings');
    expect(shown.stdout).toMatch(/ PENDING {2}one +UPLOAD_FAILED: .*not a folder/);
    expect(shown.stdout).toContain('1 upload pending; retrying automatically.');
    expect(shown.stdout).toContain('sightline recordings retry');

    // Not mended yet. Ten tries, and the publisher would wait for up to five minutes before the next one.
    const { port, token } = await accessOf(recorder);
    for (let tries = 0; tries < 9; tries += 1) {
      const { status, body } = await sendControl(
        port,
        { Authorization: `Bearer ${token}` },
        { body: '{"waitSeconds":10}' },
      );
      expect(status).toBe(200);
      expect((JSON.parse(body) as RetryReply).recordings[0]?.outcome.status).toBe('FAILED');
    }
    const early = await sightline('recordings', 'retry', 'one', '--wait', '10');
    expect(early.code).toBe(1);
    expect(early.stdout).toMatch(/^Retrying 1 upload now:\nFAILED {5}one {2}\S+ {2}UPLOAD_FAILED: /);

    await rm(blocker());
    const asked = Date.now();
    const mended = await sightline('recordings', 'retry', '--wait', '10');
    expect(mended).toMatchObject({ code: 0, stderr: '' });
    expect(mended.stdout).toMatch(/^Retrying 1 upload now:\nPUBLISHED {2}one {2}\S+ {2}file:.*\.mp4\n$/);
    expect(Date.now() - asked).toBeLessThan(10_000);
    await page.event('one', 'PUBLISHED');
    expect(await readdir(join(blocker(), 'sink'), { recursive: true })).toContainEqual(
      expect.stringMatching(/one_.*\.mp4$/),
    );
    expect(JSON.parse((await sightline('recordings', '--json')).stdout)).toMatchObject({
      recordings: [{ contact: 'one', status: 'PUBLISHED', waiting: false, reason: null }],
    });

    const again = await sightline('recordings', 'retry', 'one', '--json');
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toEqual({
      recordings: [],
      notWaiting: [
        { name: 'one', status: 'PUBLISHED', detail: expect.stringContaining('already uploaded') as string },
      ],
    });
    expect(await recorder.stop()).toBe(0);
  });

  it('tries those that are named only, and says what is known of names that wait for nothing', async () => {
    const { recorder, page } = await startWithoutSink();
    await record(page, 'one');
    await record(page, 'two');
    await page.event('two', 'FAILED');
    await page.ask('contact.start', { contactId: 'open', channel: 'CHAT' });
    const { recordings } = JSON.parse((await sightline('recordings', '--json')).stdout) as {
      recordings: { contact: string; recordingId: string }[];
    };
    const two = recordings.find((row) => row.contact === 'two')!.recordingId;

    const { code, stdout } = await sightline('recordings', '--json', 'retry', two, 'open', 'nobody');
    expect(code).toBe(1); // somebody has mistyped
    expect(JSON.parse(stdout)).toEqual({
      recordings: [{ recordingId: two, contactId: 'two', outcome: { status: 'PENDING' } }],
      notWaiting: [
        { name: 'open', status: 'INITIATED', detail: 'being recorded; uploaded when it ends' },
        {
          name: 'nobody',
          status: 'UNKNOWN',
          detail: 'this machine has no recording of that name',
        },
      ],
    });
    await page.ask('contact.stop', { contactId: 'open' });
    expect(await recorder.stop()).toBe(0);
  });

  it('says so when no Sightline is running: never, not any more, or after a crash', async () => {
    const never = await sightline('recordings', 'retry');
    expect(never).toMatchObject({ code: 69, stdout: '' });
    expect(never.stderr).toMatch(/^sightline: CLIENT_APP_NOT_RUNNING: No Sightline .* is running/);
    expect(never.stderr).toContain('Start it: it retries all pending uploads when it starts.');

    const tidy = await start();
    await tidy.stop();
    expect(await readdir(tidy.dataDir)).not.toContain('control.json');
    expect(await sightline('recordings', 'retry')).toMatchObject({ code: 69, stderr: never.stderr });

    const crashed = await start();
    crashed.kill('SIGKILL');
    await crashed.exited;
    expect(await readdir(crashed.dataDir)).toContain('control.json');
    const stale = await sightline('recordings', 'retry');
    expect(stale).toMatchObject({ code: 69, stdout: '' });
    expect(stale.stderr).toMatch(/process \d+\) has crashed or was killed/);
    expect(stale.stderr).toContain('Start it');
  });

  it.each([
    ['--wait', 'soon'],
    ['--wait', '601'],
    ['--wait', '-1'],
    ['', '--json'],
  ])('refuses %j %j as a wrong command line', async (...args) => {
    expect(await sightline('recordings', 'retry', ...args)).toMatchObject({ code: 64, stdout: '' });
  });
});

describe('control.json', () => {
  it('is for its owner only, and new with every start', async () => {
    const first = await start();
    const path = join(first.dataDir, 'control.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const one = await accessOf(first);
    expect(one).toMatchObject({ pid: first.pid, port: first.port });
    await first.stop();
    const second = await start();
    const other = await accessOf(second);
    expect(other.token).not.toBe(one.token);
    expect(other.proof).not.toBe(one.proof);
    expect(other.token).not.toBe(other.proof);
    // What a process that has crashed left behind, or gave to somebody, opens nothing.
    const old = await sendControl(second.port, { Authorization: `Bearer ${one.token}` });
    expect(old).toMatchObject({ status: 401, body: 'Unauthorized' });
  });

  it('is not used once others may read it', async () => {
    const recorder = await start();
    await chmod(join(recorder.dataDir, 'control.json'), 0o640);
    const { code, stderr } = await sightline('recordings', 'retry');
    expect(code).toBe(69);
    expect(stderr).toMatch(/^sightline: CLIENT_AUTH_ERROR: .*can be read or changed by others/);
    expect(recorder.stderr()).not.toContain(LET_IN);
  });

  it('gives its secrets to no log, no event, no output and no list of processes', async () => {
    const { recorder, page } = await startWithoutSink();
    await record(page, 'one');
    await page.event('one', 'FAILED');
    const { port, token, proof } = await accessOf(recorder);
    const outputs = [
      await sightline('recordings', 'retry', '--wait', '5', '--json'),
      await sightline('recordings', 'retry', 'one'),
      await sightline('recordings'),
    ];
    await sendControl(port, { Authorization: `Bearer ${token}`, Origin: 'http://localhost:3000' });
    await sendControl(port, { Authorization: `Bearer ${token}x` });
    await sendControl(port, { Authorization: `Bearer ${token}` }, { body: token });
    const commandLine = await readFile(`/proc/${recorder.pid}/cmdline`, 'utf8');
    const environment = await readFile(`/proc/${recorder.pid}/environ`, 'utf8');
    await recorder.stop();
    const files = await readdir(home, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name), 'latin1')),
    );
    const everything = [...texts, recorder.stderr(), JSON.stringify(outputs), commandLine, environment];
    expect(everything.join('\n')).toContain(LET_IN); // the log is among them
    for (const secret of [token, proof]) {
      expect(everything.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});

describe('a program of somebody else on the port of a Sightline that crashed', () => {
  let port: number;

  beforeEach(async () => {
    const recorder = await start();
    ({ port } = recorder);
    recorder.kill('SIGKILL');
    await recorder.exited;
  });

  async function listenThere(server: Server): Promise<void> {
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect((server.address() as AddressInfo).port).toBe(port);
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  }

  it('is not believed, however well it plays Sightline, and gets a token that opens nothing', async () => {
    let given = '';
    const lie: RetryReply = {
      recordings: [
        {
          recordingId: 'r',
          contactId: 'trust-me',
          outcome: { status: 'PUBLISHED', location: 'file:///gone' },
        },
      ],
      unknown: [],
    };
    await listenThere(
      createHttpServer((incoming, response) => {
        given = incoming.headers.authorization ?? '';
        response
          .writeHead(200, { 'Sightline-Proof': given.slice('Bearer '.length) })
          .end(JSON.stringify(lie));
      }),
    );
    const { code, stdout, stderr } = await sightline('recordings', 'retry', '--wait', '1');
    expect(code).toBe(69);
    expect(stdout).toBe('');
    expect(stderr).toContain(`its port ${port} now`);
    expect(stderr).not.toContain('trust-me');
    const next = await start();
    expect(await sendControl(next.port, { Authorization: given })).toMatchObject({ status: 401 });
  });

  it('is told apart when it speaks no HTTP', async () => {
    await listenThere(createTcpServer((socket) => socket.resume().end('220 mail.example ESMTP\r\n')));
    const { code, stdout, stderr } = await sightline('recordings', 'retry');
    expect(code).toBe(69);
    expect(stdout).toBe('');
    expect(stderr).toContain('another program uses that port now');
  });
});
