// The machine's policy changes while the program runs: between contacts, in mid-contact, for the worse, and away.
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MACHINE_POLICY_FILE } from '../../main/policy/machine.ts';
import { startDisplay } from '../rig/display.ts';
import type { Display } from '../rig/display.ts';
import { asSeenBy, withOwnEtc } from '../rig/mount.ts';
import type { Recorder } from '../rig/recorder.ts';
import { readPublished, startRecorder } from '../rig/recorder.ts';

let display: Display;
let home: string;
let recorder: Recorder;

const contactId = (n: number): string => `a1b2c3d4-0001-4000-8000-00000000000${n}`;

/** In place at once, as an administrator's tool does it; an object says also what the recorder's flags said. */
async function setPolicy(given: object | string, mode = 0o644): Promise<void> {
  const { dataDir, sinkFolder } = recorder;
  const base = { port: 0, dataDir, sinkFolder, display: display.display, allowLoopbackOrigins: true };
  const values = typeof given === 'string' ? given : { ...base, ...given };
  const file = asSeenBy(recorder.pid, MACHINE_POLICY_FILE);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, typeof values === 'string' ? values : JSON.stringify(values));
  await chmod(`${file}.new`, mode);
  await rename(`${file}.new`, file);
}

/** Resolves when the program has logged such a line, `times` times. */
async function logged(text: string, times = 1): Promise<void> {
  const until = performance.now() + 15_000;
  while (recorder.stderr().split(text).length - 1 < times) {
    if (performance.now() > until) throw new Error(`never said "${text}":\n${recorder.stderr()}`);
    await sleep(25);
  }
}

const state = async (): Promise<{ problems: string[]; pending: { key: string; applied: string }[] }> =>
  JSON.parse(await readFile(join(recorder.dataDir, 'policy-state.json'), 'utf8')) as never;

async function stateWith(matches: (found: Awaited<ReturnType<typeof state>>) => boolean): Promise<void> {
  const until = performance.now() + 10_000;
  while (!matches(await state())) {
    if (performance.now() > until) throw new Error(`the state stayed ${JSON.stringify(await state())}`);
    await sleep(25);
  }
}

/** Is not running as another test's recorder is; everything but what is tested comes from the environment. */
beforeEach(async () => {
  display = await startDisplay({ width: 640, height: 480 });
  home = await mkdtemp(join(tmpdir(), 'sightline-policy-'));
  const etc = join(home, 'etc');
  await mkdir(etc);
  recorder = await startRecorder({
    display: display.display,
    home,
    wrapper: withOwnEtc(etc),
    environment: { XDG_CONFIG_HOME: join(home, 'config') },
  });
});

afterEach(async () => {
  await recorder.stop();
  await display.stop();
  await rm(home, { recursive: true, force: true });
});

describe('a change of the machine’s policy', () => {
  it('lets a domain in at once, and shows it out when it is taken away', async () => {
    const origin = 'https://acme.my.connect.aws';
    await expect(recorder.connect({ origin })).rejects.toThrow('refused with 403');
    await setPolicy({ allowedDomains: ['acme.my.connect.aws'] });
    await logged('"keys":["allowedDomains"]');
    const page = await recorder.connect({ origin });
    await setPolicy({ allowedDomains: ['other.my.connect.aws'] });
    expect(await page.closed).toBe(1008);
    await expect(recorder.connect({ origin })).rejects.toThrow('refused with 403');
  });

  it('takes away what flags and variables have set and it does not, with a warning for each', async () => {
    const page = await recorder.connect();
    await setPolicy('{}');
    expect(await page.closed).toBe(1008);
    await expect(recorder.connect()).rejects.toThrow('refused with 403');
    await logged('the flag --allow-loopback-origins is ignored.","code":"POLICY_VALUE_IGNORED"');
    // At the next start.
    await logged('the flag --port is ignored.","code":"POLICY_VALUE_IGNORED"');
    await rm(asSeenBy(recorder.pid, MACHINE_POLICY_FILE));
    await logged('"keys":["allowLoopbackOrigins"', 2);
    await (await recorder.connect()).close();
  });

  it('leaves a page in mid-contact, which may still suspend and stop, but not start another', async () => {
    const origin = 'https://acme.my.connect.aws';
    await setPolicy({ allowedDomains: ['acme.my.connect.aws'] });
    await logged('"keys":["allowedDomains"]');
    const page = await recorder.connect({ origin });
    await page.ask('contact.start', { contactId: contactId(1), channel: 'VOICE' });
    await rm(asSeenBy(recorder.pid, MACHINE_POLICY_FILE));
    await logged('"keys":["allowedDomains"]', 2);
    await page.ask('contact.suspend', { contactId: contactId(1), reason: 'payment' });
    await page.ask('contact.resume', { contactId: contactId(1) });
    const refused = await page.request('contact.start', { contactId: contactId(2), channel: 'VOICE' });
    expect(refused).toMatchObject({ ok: false, error: { code: 'CLIENT_AUTH_ERROR' } });
    await page.ask('contact.stop', { contactId: contactId(1) });
    expect(await page.closed).toBe(1008);
  });

  it('of capture and sink waits for the contact’s end, and holds for the next one', async () => {
    const elsewhere = join(home, 'elsewhere');
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: contactId(1), channel: 'VOICE' });
    await setPolicy({ fps: 10, sinkFolder: elsewhere, logLevel: 'debug' });
    await logged('"keys":["logLevel"]');
    await stateWith(({ pending }) => pending.length === 2);
    expect((await state()).pending).toEqual([
      { key: 'sinkFolder', applied: 'when-idle' },
      { key: 'fps', applied: 'when-idle' },
    ]);
    await page.ask('contact.stop', { contactId: contactId(1) });
    await page.event(contactId(1), 'PUBLISHED');
    await stateWith(({ pending }) => pending.length === 0);
    await page.ask('contact.start', { contactId: contactId(2), channel: 'VOICE' });
    await sleep(700);
    await page.ask('contact.stop', { contactId: contactId(2) });
    await page.event(contactId(2), 'PUBLISHED');
    // The first one was not begun to be delivered when the policy changed: both lie in the new place.
    const found = [...(await recorder.published()), ...(await readPublished(elsewhere))];
    const fpsOf = (n: number): unknown =>
      found.find(({ manifest }) => manifest.contact.contactId === contactId(n))?.manifest.video.fps;
    expect([fpsOf(1), fpsOf(2)]).toEqual([5, 10]);
    expect((await readPublished(elsewhere)).map(({ manifest }) => manifest.contact.contactId)).toContain(
      contactId(2),
    );
  });

  it('of port and data folder waits for the next start, and what lies below the folder with it', async () => {
    await setPolicy({ dataDir: join(home, 'other'), port: 5999 });
    await logged('takes effect when Sightline is next started', 2);
    // Both come from flags here, which the machine overrules.
    await logged('is set by the machine policy (/etc/sightline/policy.json); the flag --port is ignored');
    await stateWith(({ pending }) => pending.length >= 2);
    expect((await state()).pending).toEqual([
      { key: 'port', applied: 'restart' },
      { key: 'dataDir', applied: 'restart' },
      { key: 'statusEventsFile', applied: 'restart' },
    ]);
    await expect(readdir(join(home, 'other'))).rejects.toThrow('ENOENT');
  });
});

describe('a policy that is not valid', () => {
  it('is refused as a whole and stops nothing; the next valid one is taken', async () => {
    await setPolicy({ allowedDomains: ['acme.my.connect.aws'] });
    await logged('"keys":["allowedDomains"]');
    const page = await recorder.connect({ origin: 'https://acme.my.connect.aws' });
    await page.ask('contact.start', { contactId: contactId(1), channel: 'VOICE' });
    for (const [n, broken, problem] of [
      [
        1,
        { allowedDomains: ['new.example', 'https://x'], fps: 10 },
        'entry 2, \\"https://x\\": it has a scheme',
      ],
      [2, '{"allowedDomains": [', 'is not a JSON object'],
      [3, { sink: 's3' }, '\\"s3Bucket\\" is not set'],
    ] as const) {
      await setPolicy(broken);
      await logged('the new policy is refused', n);
      expect(recorder.stderr()).toContain(problem);
      await stateWith(({ problems }) => problems.length === 1);
    }
    await setPolicy({ allowedDomains: ['new.example'] }, 0o666);
    await logged('others than root may write it');
    await expect(recorder.connect({ origin: 'https://new.example' })).rejects.toThrow('refused with 403');
    await page.ask('contact.stop', { contactId: contactId(1) });
    await page.event(contactId(1), 'PUBLISHED');
    await setPolicy({ allowedDomains: ['new.example'] });
    await logged('the policy is valid again');
    expect(await page.closed).toBe(1008);
    await (await recorder.connect({ origin: 'https://new.example' })).close();
    await stateWith(({ problems }) => problems.length === 0);
  });
});
