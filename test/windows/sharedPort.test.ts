// The shared port as a Windows program: a guest behind another user's Sightline, which takes the port when that one is killed.
// Wine has one session only (every process is in session 1), so the other user's Sightline is one of this system.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { freePort } from '../rig/freePort.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { endWithUs } from '../rig/process.ts';
import { builtProgram } from '../rig/program.ts';
import { agent, connectPage, startRecorder, type Page } from '../rig/recorder.ts';
import { asUser, homeOf, whyNoOtherUsers } from '../rig/users.ts';

const OTHER = 4241;
const why = whyNoOtherUsers();

it.skipIf(why !== null)(
  `a guest records its page’s contact, though the door is killed in the middle of it${why === null ? '' : ` (left out: ${why})`}`,
  async () => {
    const port = String(await freePort());
    const other = await homeOf(OTHER);
    const [command = '', ...words] = asUser(OTHER);
    const folders = ['--data-dir', join(other.home, 'data'), '--sink-folder', join(other.home, 'sink')];
    const door = spawn(
      command,
      [...words, process.execPath, builtProgram, 'serve', '--port', port, ...folders],
      {
        ...{ stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, HOME: other.home } },
      },
    );
    endWithUs(door);
    await once(door.stdout, 'data');
    const desk = await startDesk({ monitors: oneMonitor });
    const guest = await startRecorder({ display: desk.display, flags: ['--port', port] });
    try {
      expect(guest.stderr()).toContain(
        'another program has the port, and hands over the connections of this user',
      );
      const page = await guest.connect();
      await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
      door.kill('SIGKILL');
      const again = await connectedAgain(guest.port);
      expect(await again.request('hello', { protocol: 1, ...agent })).toMatchObject({
        ok: true,
        recordings: [{ contactId: 'c', state: 'recording' }],
      });
      expect(guest.stderr()).toContain('"isDoor":true');
      await again.ask('contact.stop', { contactId: 'c' });
      await again.event('c', 'PUBLISHED');
      const [found] = await guest.published();
      expect(found!.manifest.gaps).toEqual([]);
      expect(await decodesCleanly(found!.mp4)).toBe('');
    } finally {
      door.kill('SIGKILL');
      await guest.stop();
      await desk.stop();
      await other.remove();
    }
  },
);

async function connectedAgain(port: number): Promise<Page> {
  let page: Page | null = null;
  await expect
    .poll(async () => (page = await connectPage(port, { hello: false }).catch(() => null)))
    .not.toBeNull();
  return page as unknown as Page;
}
