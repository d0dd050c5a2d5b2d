// `sightline diagnostics` of the built program: secrets are planted wherever Sightline may meet them, and every entry of
// the zip is searched for them; and it is written whatever is broken.
import { spawnSync } from 'node:child_process';
import { appendFile, chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { withMount } from '../rig/mount.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import { readZip } from '../rig/zip.ts';

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));

const ATTRIBUTE = 'Frau-Sommer-Kundennummer-4711';
const ATTRIBUTE_NAME = 'geheimesMerkmal';
const QUEUE = 'Warteschlange-Onkologie';
const REASON = 'card-4242424242424242';
const TOKEN = 'page-token-31415926535';
const URL_PASSWORD = 'url-hunter2-password';
const PROXY_PASSWORD = 'proxy-hunter3-password';
const ACCESS_KEY = 'AKIAPLANTEDKEY000000';
const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYPLANTED0KEY';
const SESSION_TOKEN = 'IQoJb3JpZ2luX2VjPLANTED////////';
const LOGGED_BEARER = 'bearerbearerbearer123';
const LOGGED_JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl';
const LOGGED_FIELD = 'an attribute that somebody logged one day';
const USER_NAME = 'alice-the-agent';
const TAG = 'patient-7';
/** Nothing but the name of its variable says that it is one. */
const SHAPELESS = 'korrekt pferd batterie';

const environment = {
  AWS_ACCESS_KEY_ID: ACCESS_KEY,
  AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  AWS_SESSION_TOKEN: SESSION_TOKEN,
  AWS_EC2_METADATA_DISABLED: 'true',
  HTTPS_PROXY: `http://proxyuser:${PROXY_PASSWORD}@127.0.0.1:9`,
  NO_PROXY: '127.0.0.1',
  BROKER_PASSWORD: SHAPELESS,
};
const planted = [
  ...[ATTRIBUTE, ATTRIBUTE_NAME, QUEUE, REASON, TOKEN, URL_PASSWORD, PROXY_PASSWORD, ACCESS_KEY, SECRET_KEY],
  ...[SESSION_TOKEN, LOGGED_BEARER, LOGGED_JWT, LOGGED_FIELD, USER_NAME, TAG, SHAPELESS],
];
/** Nobody listens there: deliveries wait, and the log says why. */
const s3Flags = [
  ...['--sink', 's3', '--s3-bucket', 'acme-recordings', '--aws-region', 'eu-central-1', '--s3-path-style'],
  ...['--s3-endpoint', `http://s3user:${URL_PASSWORD}@127.0.0.1:9/?token=${TOKEN}`],
  ...['--s3-tags', `department=${TAG}`],
];

let home: string;
let display: Display;
let recorder: Recorder | null = null;

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-bundle-'));
});
afterEach(async () => {
  await recorder?.stop();
  recorder = null;
  await rm(home, { recursive: true, force: true });
});

async function start(flags: readonly string[]): Promise<Page> {
  recorder = await startRecorder({
    display: display.display,
    home,
    flags,
    environment: { ...environment, HOME: home },
  });
  return recorder.connect({ hello: { token: TOKEN, agentUsername: USER_NAME } });
}

function diagnostics(
  options: {
    flags?: readonly string[];
    environment?: Record<string, string>;
    wrapper?: readonly string[];
  } = {},
): { code: number | null; stdout: string; stderr: string; zip: string } {
  const zip = join(home, 'out', 'bundle.zip');
  const { DISPLAY: _, ...inherited } = process.env;
  const [command = '', ...args] = [
    ...(options.wrapper ?? []),
    ...[process.execPath, program, 'diagnostics', '--out', zip],
    ...['--data-dir', join(home, 'data'), '--sink-folder', join(home, 'sink'), '--display', display.display],
    ...(options.flags ?? []),
  ];
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...inherited, ...environment, HOME: home, ...options.environment },
  });
  return { code: status, stdout, stderr, zip };
}

async function record(page: Page, contactId: string): Promise<void> {
  const attributes = { [ATTRIBUTE_NAME]: ATTRIBUTE };
  await page.ask('contact.start', { contactId, channel: 'VOICE', queue: QUEUE, attributes });
  await page.ask('contact.suspend', { contactId, reason: REASON });
}

/** What must be in no entry: what was planted, this machine's secrets, pictures. */
async function expectNothingSecret(zip: string): Promise<Map<string, Buffer>> {
  const entries = await readZip(zip);
  const key = await readFile(join(home, 'data', 'spool.key')).catch(() => null);
  const control = await readFile(join(home, 'data', 'control.json'), 'utf8').catch(() => '{}');
  const { token, proof } = JSON.parse(control) as { token?: string; proof?: string };
  const secrets = [
    ...planted,
    ...planted.map((text) => encodeURIComponent(text)),
    ...planted.map((text) => Buffer.from(text).toString('base64').slice(0, -4)),
    ...(key === null
      ? []
      : [key.toString('latin1'), key.toString('hex'), key.toString('base64').slice(0, 40)]),
    ...[token, proof].filter((one) => one !== undefined),
    home,
    ...(hostname().length > 2 ? [hostname()] : []),
  ];
  for (const [name, bytes] of entries) {
    const text = bytes.toString('latin1');
    for (const secret of secrets)
      expect(`${name}\n${text}`.includes(secret), `${secret} in ${name}`).toBe(false);
    // Boxes of an MP4 and sealed chunks are not text; `default_base_moof` is a flag in ffmpeg's command line.
    expect(text, name).not.toMatch(/\0|\\u00|(?<![a-z_+])(ftyp|moov|moof|mdat)(?![a-z])/);
    expect(Buffer.from(bytes.toString('utf8')).equals(bytes), `${name} is UTF-8`).toBe(true);
  }
  expect(entries.has('README.txt')).toBe(true);
  return entries;
}

const json = (entries: Map<string, Buffer>, name: string): unknown =>
  JSON.parse(entries.get(name)?.toString() ?? 'null');
const ndjson = (entries: Map<string, Buffer>, name: string): Record<string, unknown>[] =>
  (entries.get(name)?.toString() ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('sightline diagnostics', () => {
  it('beside a running Sightline, in mid-suspension, tells what support needs and nothing secret', async () => {
    const page = await start(s3Flags);
    await record(page, 'earlier');
    await page.ask('contact.stop', { contactId: 'earlier' });
    await page.push((push) => push.type === 'app.state' && push.uploads.reason !== null);
    await record(page, 'now');
    await mkdir(join(home, 'out'));
    const log = join(home, 'data', 'logs', 'sightline.log');
    await appendFile(
      log,
      [
        JSON.stringify({ level: 'warn', message: `asked with Bearer ${LOGGED_BEARER}`, reason: LOGGED_JWT }),
        JSON.stringify({
          level: 'info',
          message: 'one day',
          attributes: { a: ATTRIBUTE },
          note: LOGGED_FIELD,
        }),
        JSON.stringify({ level: 'info', message: JSON.stringify({ password: LOGGED_BEARER }) }),
        JSON.stringify({ level: 'info', message: `asked with ${SHAPELESS} for it` }),
        `Error: ${SECRET_KEY}\n    at nobody (${ATTRIBUTE})`,
        `{"level":"info","message":"torn ${ATTRIBUTE}`,
      ].join('\n'),
    );
    await appendFile(join(home, 'data', 'status-events.ndjson'), `{"attributes":{"a":"${ATTRIBUTE}"}}\n`);
    await mkdir(join(home, 'data', 'outbox'), { recursive: true });
    await writeFile(join(home, 'data', 'outbox', '0000000000000001.json'), `{"token":"${TOKEN}"}`);

    await writeFile(join(home, 'data', `${SHAPELESS}.txt`), ATTRIBUTE);

    const { code, stdout, stderr, zip } = diagnostics({ flags: s3Flags });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain(zip);
    expect((await stat(zip)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(home, 'out'))).toEqual(['bundle.zip']);
    const entries = await expectNothingSecret(zip);

    // A stretch of recording that waits for its delivery, and the one that is on.
    const spoolFiles = [...entries.keys()].filter((name) => name.startsWith('spool/'));
    expect(spoolFiles).toHaveLength(2);
    const journal = spoolFiles.flatMap((name) => ndjson(entries, name));
    expect(journal.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['contact.started', 'contact.suspended', 'contact.stopped', 'run.closed']),
    );
    expect(journal.find(({ type }) => type === 'contact.started')).toMatchObject({
      contact: { contactId: 'earlier', channel: 'VOICE' },
    });
    const { keys } = json(entries, 'policy.json') as { keys: Record<string, unknown> };
    expect(keys).toMatchObject({
      s3Endpoint: { value: 'http://127.0.0.1:9/?…', source: 'flag' },
      s3Tags: { value: ['department=[left-out]'], source: 'flag' },
      dataDir: { value: '~/data', source: 'flag' },
      fps: { value: 5, source: 'default' },
    });
    expect(json(entries, 'ffmpeg.json')).toMatchObject({ encoder: 'libopenh264' });
    expect(entries.get('ffmpeg.json')?.toString()).toContain('--enable-libopenh264');
    const { monitors } = json(entries, 'displays.json') as { monitors: unknown };
    expect(monitors).toMatchObject([{ width: 1280, height: 720 }]);
    const { checks } = json(entries, 'checks.json') as { checks: { name: string }[] };
    expect(checks.map(({ name }) => name)).toContain('ffmpeg and encoder');
    const events = ndjson(entries, 'status-events.ndjson');
    expect(JSON.stringify(events[0])).toContain('INITIATED');
    expect(events.at(-1)).toEqual({ leftOut: 'lines that are not status events', count: 1 });
    const logged = ndjson(entries, 'logs/sightline.log.ndjson');
    expect(logged.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['ready', 'publishing failed']),
    );
    expect(logged.find(({ message }) => message === 'one day')).toMatchObject({ attributes: '[left-out]' });
    const { files } = json(entries, 'data-folder.json') as { files: { name: string }[] };
    const names = files.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['control.json', 'spool.key', 'outbox/0000000000000001.json']),
    );

    // Nothing was disturbed: the contact goes on.
    await page.ask('contact.resume', { contactId: 'now' });
    await page.ask('contact.stop', { contactId: 'now' });
  });

  it('when Sightline has ended, has the manifests of what was delivered, without attributes', async () => {
    const page = await start([]);
    await record(page, 'delivered');
    await page.ask('contact.resume', { contactId: 'delivered' });
    await page.ask('contact.stop', { contactId: 'delivered' });
    await page.event('delivered', 'PUBLISHED');
    const [published] = (await recorder?.published()) ?? [];
    expect(published?.manifest.contact.attributes).toEqual({ [ATTRIBUTE_NAME]: ATTRIBUTE });
    await recorder?.stop();
    recorder = null;
    await mkdir(join(home, 'out'));
    const { code, zip } = diagnostics();
    expect(code).toBe(0);
    const [manifest, ...others] = ndjson(await expectNothingSecret(zip), 'manifests.ndjson');
    expect(others).toEqual([]);
    expect(manifest).toMatchObject({
      recordingId: published?.manifest.recordingId,
      contact: { contactId: 'delivered', channel: 'VOICE' },
      gaps: [{ reason: 'suspended' }],
      suspensions: [{ resumedBy: 'page' }],
    });
  });

  it('says what of a broken policy, a damaged journal and a missing key could not be read, and goes on', async () => {
    const page = await start(s3Flags);
    await record(page, 'one');
    recorder?.kill('SIGKILL');
    await recorder?.exited;
    recorder = null;
    const [id = ''] = await readdir(join(home, 'data', 'spool'));
    const journal = join(home, 'data', 'spool', id, 'journal.ndjson');
    const text = await readFile(journal, 'utf8');
    await writeFile(journal, text.replace(/\n.{8}/, '\nAAAAAAAA'));
    await mkdir(join(home, 'out'));
    const damaged = diagnostics({
      environment: { SIGHTLINE_FPS: 'many', SIGHTLINE_S3_BUCKET: 'NOT A BUCKET' },
    });
    expect(damaged.code).toBe(0);
    const entries = await expectNothingSecret(damaged.zip);
    expect(json(entries, 'policy.json')).toMatchObject({
      problems: [expect.stringMatching(/"s3Bucket"/), expect.stringMatching(/"fps" from SIGHTLINE_FPS/)],
      keys: { fps: { value: 5, source: 'default' }, dataDir: { value: '~/data', source: 'flag' } },
    });
    // The line that told of the contact; the others are there.
    const lines = ndjson(entries, `spool/${id}.ndjson`);
    expect(lines.at(0)).toMatchObject({ type: 'run.opened' });
    expect(lines.at(-1)).toMatchObject({ problem: { code: 'SPOOL_UNREADABLE' } });
    expect(entries.get('README.txt')?.toString()).toMatch(/SPOOL_UNREADABLE: Lines of .*: 1\./);

    await rm(join(home, 'data', 'spool.key'));
    const keyless = diagnostics();
    expect(keyless.stderr).toMatch(/spool\.key is missing/);
    expect(await readdir(join(home, 'data'))).not.toContain('spool.key');
    expect((await readZip(keyless.zip)).has('checks.json')).toBe(true);

    await rm(join(home, 'data', 'spool'), { recursive: true });
    await writeFile(join(home, 'data', 'spool'), 'no folder');
    const spoolless = diagnostics();
    expect(spoolless.code).toBe(0);
    expect(ndjson(await readZip(spoolless.zip), 'spool/unreadable.ndjson')).toMatchObject([
      { problem: { code: 'SPOOL_UNREADABLE' } },
    ]);
  });

  it('on a full disk, in no folder and under no name for a zip says so and leaves nothing behind', async () => {
    const out = join(home, 'out');
    const missing = diagnostics();
    expect(missing.code).toBe(69);
    expect(missing.stderr).toMatch(/BUNDLE_NOT_WRITTEN: .*ENOENT/);
    await mkdir(out);
    await chmod(out, 0o755);
    const script = `"$@"; code=$?; ls -A "${out}" >&2; exit $code`;
    const full = diagnostics({ wrapper: [...withMount(out, 'size=4k'), 'sh', '-c', script, 'sh'] });
    expect(full.code).toBe(69);
    expect(full.stderr).toMatch(/^sightline: DISK_FULL: The disk is full: .*--out\.\n$/);
    const wrong = diagnostics({ flags: ['--out', join(home, 'report.docx')] });
    expect(wrong.code).toBe(64);
    expect(wrong.stderr).toMatch(/ends in \.zip/);
  });
});
