// A page names queues and attributes to get a recording out of its place in the sink, or to make a name that the store, the file
// system or a reader of the list mistakes for another. Policy puts those values into the key and the tags.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDisplay, type Display } from '../rig/display.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import { startStrictStore } from '../rig/s3Store.ts';

const PREFIX = 'connect/<alias>/<queue>/<channel>/<attribute:case>';
const naming = [
  ...['--key-prefix', PREFIX, '--attributes-for-keys', 'case', '--instance-alias', 'policys'],
  ...['--s3-tags', 'queue=<queue>,case=<attribute:case>,team=a'],
];
/** Queue and attribute, and the folders of both. */
const names: readonly [string, string, string, string][] = [
  ['../../x', '..', 'x', 'none'],
  ['\0', 'a\0/\\..\\b', 'none', 'a-b-[0-9a-f]{8}'],
  ['\u202egpj.exe', '\u200f\u200e', 'gpj\\.exe-[0-9a-f]{8}', 'none'],
  ['q'.repeat(1024), '/etc/passwd', 'q{55}-[0-9a-f]{8}', 'etc-passwd'],
  ['con', 'nul.txt', 'con-', 'nul-\\.txt'],
  [
    '<attribute:card>',
    '{"a":1}\r\nx-amz-acl: public-read',
    'attribute-card',
    'a-1-x-amz-acl-public-read-[0-9a-f]{8}',
  ],
  ['Ärzte & Co', '%2e%2e%2f', 'rzte-Co-[0-9a-f]{8}', '2e-2e-2f'],
];

let display: Display;
let home: string;
let recorder: Recorder;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => (display = await startDisplay()));
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-names-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await rm(home, { recursive: true, force: true });
});

async function start(flags: readonly string[], environment = {}): Promise<Page> {
  recorder = await startRecorder({
    display: display.display,
    home,
    flags: [...naming, ...flags],
    environment,
  });
  stops.push(() => recorder.stop());
  return recorder.connect();
}

async function recordAll(page: Page): Promise<void> {
  for (const [index, [queue, value]] of names.entries()) {
    const contactId = `c-${index}`;
    const attributes = { case: value, card: '4711-secret', __proto__: 'x' };
    await page.ask('contact.start', { contactId, channel: 'VOICE', queue, attributes });
  }
  await sleep(700);
  for (const index of names.keys()) await page.ask('contact.stop', { contactId: `c-${index}` });
}

/** Each recording lies where it should, and nothing lies elsewhere. */
function expectKeys(keys: readonly string[]): void {
  expect(keys).toHaveLength(names.length);
  for (const [index, [, , queue, value]] of names.entries()) {
    const key = keys.find((one) => one.includes(`/c-${index}_`));
    expect(key).toMatch(
      new RegExp(
        `^connect/policys/${queue}/VOICE/${value}/\\d{4}/\\d\\d/\\d\\d/c-${index}_\\d{8}T\\d{6}Z\\.mp4$`,
      ),
    );
  }
  expect(keys.join()).not.toContain('4711');
}

describe('hostile names of a page', () => {
  it('longer than the protocol allows are refused', async () => {
    const page = await start([]);
    const fields = { contactId: 'c', channel: 'VOICE' };
    for (const more of [{ queue: 'q'.repeat(10_240) }, { attributes: { case: 'x'.repeat(10_240) } }])
      expect(await page.request('contact.start', { ...fields, ...more })).toMatchObject({
        error: { code: 'INVALID_MESSAGE' },
      });
  });

  it('stay in the folder sink', async () => {
    const page = await start([]);
    await recordAll(page);
    for (const index of names.keys()) await page.event(`c-${index}`, 'PUBLISHED');
    const published = await recorder.published();
    expectKeys(published.map(({ mp4 }) => relative(recorder.sinkFolder, mp4)));
    expect((await readdir(home)).sort()).toEqual(['data', 'sink']);
    // What was said is in the manifest, unchanged.
    for (const { manifest } of published) {
      const [queue, value] = names[Number(manifest.contact.contactId.slice(2))] ?? [];
      expect(manifest.contact).toMatchObject({ queue, attributes: { case: value } });
    }
  });

  it('stay in the prefix of the bucket, and are the same after a crash and for each attempt', async () => {
    const store = await startStrictStore();
    stops.push(() => store.stop());
    const options = s3Options(store);
    const page = await start(options.flags, options.environment);
    await store.strict?.down();
    await recordAll(page);
    const refused = await page.push((one) => one.type === 'app.state' && one.uploads.reason !== null);
    expect(refused).toMatchObject({ uploads: { reason: { code: 'CLIENT_CONNECTION_ERROR' } } });
    recorder.kill('SIGKILL');
    await recorder.exited;

    await store.strict?.up();
    const back = await start(options.flags, options.environment);
    for (const index of names.keys()) await back.event(`c-${index}`, 'PUBLISHED');
    const objects = (await store.objects()).filter(({ key }) => key.endsWith('.mp4'));
    expectKeys(objects.map(({ key }) => key));
    expect(store.strict?.problems).toEqual([]);
    for (const { metadata, tags } of objects) {
      const [queue = '', value = ''] = names[Number(metadata['sightline-contact-id']?.slice(2))] ?? [];
      expect(tags).toMatchObject({ team: 'a' });
      if (queue === 'Ärzte & Co') expect(tags).toEqual({ team: 'a', queue: 'Ärzte - Co', case: '2e-2e-2f' });
      if (value === '..') expect(tags).toEqual({ team: 'a', queue: '../../x', case: '..' });
      if (queue.startsWith('\u202e')) expect(tags).toEqual({ team: 'a', queue: 'gpj.exe', case: 'none' });
    }
  });
});
