// IT's MSI on a real Windows, in the release workflow: installed, used, refused during a contact, upgraded, repaired by its keeper,
// removed. SIGHTLINE_MSI and SIGHTLINE_OLD_MSI name the MSI and an older version of it; it needs an administrator, and a computer on
// which Sightline may be installed. What Wine can show is in test/installer.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { orLeftOut } from '../rig/leftOut.ts';
import { run } from '../rig/process.ts';
import type { Page } from '../rig/recorder.ts';
import { connectPage } from '../rig/recorder.ts';

const { SIGHTLINE_MSI: newer = '', SIGHTLINE_OLD_MSI: older = '', ProgramFiles = '' } = process.env;
const why =
  process.platform !== 'win32'
    ? 'it needs Windows'
    : newer === '' || older === ''
      ? 'SIGHTLINE_MSI and SIGHTLINE_OLD_MSI name no MSI'
      : null;

const BUSY = 1602;
const TRY_LATER = 1618;
const PORT = 5431;
const ORIGIN = 'https://acme.my.connect.aws';
const TASK = 'Sightline keeper';
const contactId = 'a1b2c3d4-0001-4000-8000-00000000a003';

describe.skipIf(why !== null)(orLeftOut('the MSI on a real Windows', why), () => {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-msi-'));
  const log = join(folder, 'msi.log');
  const installed = join(ProgramFiles, 'Sightline');
  let page: Page;

  afterAll(async () => {
    await run('msiexec', ['/x', newer, '/qn', 'INTERRUPT_RECORDING=1']);
    rmSync(folder, { recursive: true, force: true });
  });

  const msiexec = async (...words: string[]): Promise<number | null> =>
    (await run('msiexec', [...words, '/qn', '/norestart', '/l*v', log])).code;
  /** Windows Installer writes UTF-16. */
  const logText = (): string => readFileSync(log, 'utf16le');
  const value = async (key: string, name: string): Promise<string> => {
    const { stdout } = await run('reg', ['query', key, '/v', name, '/reg:64']);
    return (
      stdout
        .toString()
        .trim()
        .split(/\s{4,}/)
        .at(-1) ?? ''
    );
  };
  const version = () => value('HKLM\\SOFTWARE\\Sightline\\Installer', 'Version');
  const hasTask = async () => (await run('schtasks', ['/query', '/tn', TASK])).code === 0;
  const answers = (): Promise<boolean> =>
    connectPage(PORT, { origin: ORIGIN, hello: false }).then(
      async (one) => {
        await one.close();
        return true;
      },
      () => false,
    );
  const expectAnswer = () => expect.poll(answers, { timeout: 60_000, interval: 500 }).toBe(true);

  it('is installed', async () => {
    const code = await msiexec('/i', older, 'ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws', `PORT=${PORT}`);
    expect(code, logText()).toBe(0);
    expect(await version()).toBe('0.0.1');
    expect(await value('HKLM\\SOFTWARE\\Policies\\Sightline', 'agentMayQuit')).toBe('0x0');
    expect(await hasTask()).toBe(true);
    const xml = (await run('schtasks', ['/query', '/tn', TASK, '/xml'])).stdout.toString();
    for (const part of ['S-1-5-32-545', 'LogonTrigger', 'PT1M', 'LeastPrivilege', '/net'])
      expect(xml).toContain(part);
  });

  it('is started by its task, and connects a page', async () => {
    expect((await run('schtasks', ['/run', '/tn', TASK])).code).toBe(0);
    await expectAnswer();
    page = await connectPage(PORT, { origin: ORIGIN });
    await page.ask('contact.start', { contactId, channel: 'VOICE' });
    await page.push((push) => push.type === 'app.state' && push.state === 'recording');
  });

  it('is not upgraded during a contact, nor while it is suspended', async () => {
    expect(await msiexec('/i', newer)).toBe(BUSY);
    expect(logText()).toContain('a contact is in progress');
    await page.ask('contact.suspend', { contactId });
    expect(await msiexec('/i', newer)).toBe(BUSY);
    const wrapper = fileURLToPath(
      new URL('../../resources/installer/sightline-msiexec.cmd', import.meta.url),
    );
    expect((await run('cmd', ['/c', wrapper, '/i', newer])).code).toBe(TRY_LATER);
    expect(await version()).toBe('0.0.1');
    await page.ask('contact.resume', { contactId });
    await page.ask('contact.stop', { contactId });
    await page.event(contactId, 'PUBLISHED');
    await page.close();
  });

  it('is upgraded after it, and runs again', async () => {
    expect(await msiexec('/i', newer), logText()).toBe(0);
    expect(await version()).not.toBe('0.0.1');
    await expectAnswer();
  });

  it('comes back after a crash', async () => {
    await run('taskkill', ['/f', '/im', 'Sightline.exe']);
    await expectAnswer();
  });

  it('is removed without a trace', async () => {
    expect(await msiexec('/x', newer), logText()).toBe(0);
    expect(await answers()).toBe(false);
    expect(existsSync(installed)).toBe(false);
    expect(await hasTask()).toBe(false);
    expect((await run('reg', ['query', 'HKLM\\SOFTWARE\\Sightline', '/reg:64'])).code).not.toBe(0);
  });
});
