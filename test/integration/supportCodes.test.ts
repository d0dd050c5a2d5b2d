// Error codes that docs/support.md explains and that no other test brings about on the built program.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { withOwnEtc } from '../rig/mount.ts';
import type { Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import { needsLinux, orLeftOut } from '../rig/leftOut.ts';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let home: string;
let display: Display;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-codes-'));
  display = await startDisplay();
});
afterAll(async () => {
  await display.stop();
  await rm(home, { recursive: true, force: true });
});

/** A recorder with our ffmpeg, which does something else as soon as it is to look at the screen. */
async function withFfmpegThat(does: string, name: string): Promise<Recorder> {
  const program = join(home, name);
  const own = file('resources/ffmpeg/linux-x64/ffmpeg');
  const script = `#!/bin/sh\ncase "$*" in *x11grab*) ${does} ;; esac\nexec '${own}' "$@"\n`;
  await writeFile(program, script, { mode: 0o755 });
  return startRecorder({ display: display.display, flags: ['--ffmpeg-path', program] });
}

describe('an ffmpeg that gives no picture', () => {
  it('CAPTURE_TIMEOUT: a start is given up after 10 s; USER_ERROR: a contact that ended before its first picture', async () => {
    const recorder = await withFfmpegThat('exec sleep 60', 'hangs');
    const page = await recorder.connect();
    const early = page.request('contact.start', { contactId: 'short', channel: 'CHAT' });
    await page.ask('contact.stop', { contactId: 'short' });
    expect((await early).error).toMatchObject({ code: 'USER_ERROR', source: 'CLIENT' });
    expect((await page.event('short', 'FAILED')).detail).toMatchObject({
      failureInfo: { code: 'USER_ERROR' },
    });
    const late = await page.request('contact.start', { contactId: 'slow', channel: 'CHAT' });
    expect(late.error).toMatchObject({ code: 'CAPTURE_TIMEOUT', source: 'CLIENT' });
    expect((await page.event('slow', 'FAILED')).detail).toMatchObject({
      failureInfo: { code: 'CAPTURE_TIMEOUT' },
    });
    await recorder.stop();
  });

  it('CAPTURE_FAILED: its last words are told, and it is tried again', async () => {
    const recorder = await withFfmpegThat('echo "the driver is gone" >&2; exit 3', 'ends');
    const page = await recorder.connect();
    const reply = page.request('contact.start', { contactId: 'c', channel: 'CHAT' });
    const push = await page.push((one) => one.type === 'app.state' && one.state === 'problem');
    expect(push).toMatchObject({
      reason: {
        code: 'CAPTURE_FAILED',
        message: expect.stringContaining('the driver is gone') as string,
      },
    });
    expect((await reply).error).toMatchObject({ code: 'CAPTURE_FAILED' });
    expect((await page.event('c', 'FAILED')).detail).toMatchObject({
      failureInfo: { code: 'CAPTURE_FAILED' },
    });
    await recorder.stop();
  });
});

describe('sightline browser-policy --apply', () => {
  const apply = (...before: string[]) => {
    const flags = ['browser-policy', '--apply', '--allowed-domains', 'acme.my.connect.aws'];
    const [program = '', ...args] = [...before, process.execPath, file('dist/main/headless.mjs'), ...flags];
    const { status, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      env: { ...process.env, HOME: home },
    });
    return { status, stderr };
  };

  it.skipIf(needsLinux !== null)(orLeftOut('NEEDS_ADMINISTRATOR: as any user', needsLinux), () => {
    const asNobody =
      process.getuid?.() === 0 ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] : [];
    expect(apply(...asNobody)).toEqual({
      status: 69,
      stderr: expect.stringMatching(
        /^sightline: NEEDS_ADMINISTRATOR: .* may be written by root only\. Run it with sudo/m,
      ) as string,
    });
  });

  it.skipIf(needsLinux !== null)(
    orLeftOut('BROWSER_POLICY_NOT_WRITTEN: over a file that is not JSON', needsLinux),
    async () => {
      const etc = join(home, 'etc');
      await mkdir(etc);
      const broken =
        'mkdir -p /etc/firefox/policies && echo "{" > /etc/firefox/policies/policies.json && exec "$@"';
      expect(apply(...withOwnEtc(etc), 'sh', '-c', broken, 'sh')).toEqual({
        status: 69,
        stderr: expect.stringMatching(
          /^sightline: BROWSER_POLICY_NOT_WRITTEN: .*\/etc\/firefox\/policies\/policies\.json/m,
        ) as string,
      });
    },
  );
});
