// Nothing plain on the disk: while a contact is recorded, while it is suspended, and after a crash, the recorder's whole
// data folder is searched for anything of the pictures and of the contact. And what is changed there is refused.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

/** Box names of MP4, H.264's start of a picture in it, and what the page said of the contact. */
const plain = /ftyp|moov|moof|mdat|avc1|avcC|Lavf|secret-contact|Sales-queue|4711-attribute|alice/;
const contact = { contactId: 'secret-contact' };

let desk: Desk;
let home: string;
let recorder: Recorder;
let page: Page;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
});
afterAll(() => desk.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-cipher-'));
  await start();
});
afterEach(async () => {
  await recorder.stop();
  await rm(home, { recursive: true, force: true });
});

async function start(...flags: string[]): Promise<void> {
  recorder = await startRecorder({ display: desk.display, home, flags });
  page = await recorder.connect();
}

function begin(contactId = contact.contactId): Promise<unknown> {
  return page.ask('contact.start', {
    ...{ contactId, channel: 'VOICE', queue: 'Sales-queue' },
    attributes: { customer: '4711-attribute' },
  });
}

async function spoolFiles(): Promise<string[]> {
  const names = await readdir(join(home, 'data', 'spool'), { recursive: true });
  return names
    .map((name) => join(home, 'data', 'spool', name))
    .filter((path) => /\.(run|ndjson)$/.test(path));
}

/** Of the spool: the status events and the log name contacts, and are meant to. */
async function expectNothingPlain(): Promise<void> {
  const files = await spoolFiles();
  expect(files.length).toBeGreaterThanOrEqual(2);
  for (const path of files) {
    expect((await readFile(path)).toString('latin1'), path).not.toMatch(plain);
  }
}

it('nothing of pictures or contact can be read in the spool, at any moment', async () => {
  await begin();
  for (let looks = 0; looks < 10; looks += 1) {
    await sleep(120);
    await expectNothingPlain();
  }
  await page.ask('contact.suspend', contact);
  await expectNothingPlain();
  await page.ask('contact.resume', contact);
  await sleep(400);
  recorder.kill('SIGKILL');
  await recorder.exited;
  await expectNothingPlain();
  // And yet it is all there.
  await start();
  await page.ask('contact.stop', contact);
  await page.event(contact.contactId, 'PUBLISHED');
  const [found] = await recorder.published();
  expect(await decodesCleanly(found!.mp4)).toBe('');
  expect(found!.manifest.contact.queue).toBe('Sales-queue');
  expect(recorder.stderr()).toContain("The system's key store is not used");
});

it('a run that was changed is refused with its code, and takes no other recording with it', async () => {
  // Two recordings that could not be delivered, each with a run of its own.
  await recorder.stop();
  const noFolder = join(home, 'not-a-folder');
  await writeFile(noFolder, '');
  await start('--sink-folder', noFolder);
  for (const contactId of ['good', 'bad']) {
    await begin(contactId);
    await sleep(700);
    await page.ask('contact.stop', { contactId });
    await page.event(contactId, 'FAILED');
  }
  await recorder.stop();
  const runs = (await spoolFiles()).filter((path) => path.endsWith('.run')).sort();
  expect(runs).toHaveLength(2);
  const bytes = await readFile(runs[1]!);
  bytes[Math.floor(bytes.byteLength / 2)]! ^= 1;
  await writeFile(runs[1]!, bytes);
  await start();
  await page.event('good', 'PUBLISHED');
  const failed = await page.event('bad', 'FAILED');
  expect(JSON.stringify(failed.detail)).toContain('SPOOL_UNREADABLE');
  expect((await recorder.published()).map(({ manifest }) => manifest.contact.contactId)).toEqual(['good']);
  // Left as it is, for whoever can make something of it.
  expect((await readFile(runs[1]!)).equals(bytes)).toBe(true);
});

it('without its key a spool is left alone, and recording goes on with a new one', async () => {
  await begin('lost');
  await sleep(500);
  recorder.kill('SIGKILL');
  await recorder.exited;
  const before = await spoolFiles();
  await rm(join(home, 'data', 'spool.key'));
  await start();
  expect(recorder.stderr()).toMatch(/a spool folder cannot be read.*spool\.key is gone/);
  await begin('next');
  await sleep(500);
  await page.ask('contact.stop', { contactId: 'next' });
  await page.event('next', 'PUBLISHED');
  // Its folder is removed about now, which a listing of the spool may trip over.
  await recorder.stop();
  for (const path of before) expect(await spoolFiles()).toContain(path);
});
