// The key that recordings on this disk are sealed with, damaged: what has sealed nothing is replaced, and what cannot
// record is a problem that is shown before the first contact.
import { truncate, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { temporaryFolder } from '../unit/support/folders.ts';

const contact = { contactId: 'c', channel: 'VOICE' };
let display: Display;

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());

async function start(home: string, ...flags: string[]): Promise<Recorder> {
  const recorder = await startRecorder({ display: display.display, home, flags });
  onTestFinished(async () => {
    await recorder.stop();
  });
  return recorder;
}

it('empty, as a kill during its making leaves it: replaced, and recorded with', async () => {
  const home = await temporaryFolder();
  const key = join(home, 'data', 'spool.key');
  // The folder of the session that was to be begun, too: it is made before the key.
  await mkdir(join(home, 'data', 'spool', 'session'), { recursive: true });
  await writeFile(key, '', { mode: 0o600 });
  const recorder = await start(home);
  const page = await recorder.connect();
  expect(await page.ask('status')).toMatchObject({ state: 'idle' });
  await page.ask('contact.start', contact);
  await sleep(600);
  await page.ask('contact.stop', { contactId: 'c' });
  await page.event('c', 'PUBLISHED');
  expect((await stat(key)).size).toBe(32);
});

it('emptied after it has sealed recordings: a problem with a code from the start, gone when it is put back', async () => {
  const home = await temporaryFolder();
  const key = join(home, 'data', 'spool.key');
  const copy = join(home, 'spool.key.copy');
  // A sink that is a file: the recording stays in the spool.
  await writeFile(join(home, 'sink'), '');
  const first = await start(home);
  const page = await first.connect();
  await page.ask('contact.start', contact);
  await sleep(600);
  await page.ask('contact.stop', { contactId: 'c' });
  await page.event('c', 'COMPLETED');
  await first.stop();
  await copyFile(key, copy);
  await truncate(key, 0);

  const second = await start(home);
  const again = await second.connect();
  const state = await again.ask('status');
  expect(state).toMatchObject({ state: 'problem' });
  const push = await again.push((one) => one.type === 'app.state' && one.state === 'problem');
  expect(push).toMatchObject({
    reason: {
      code: 'SPOOL_UNREADABLE',
      message: expect.stringContaining('Put the right one back') as string,
    },
  });
  expect((await readFile(key)).byteLength).toBe(0);
  const refused = await again.request('contact.start', { ...contact, contactId: 'd' });
  expect(refused.error).toMatchObject({ code: 'SPOOL_UNREADABLE' });
  await again.close();

  await copyFile(copy, key);
  const third = await second.connect();
  expect(await third.ask('status')).toMatchObject({ state: 'idle' });
  await third.ask('contact.start', { ...contact, contactId: 'e' });
});
