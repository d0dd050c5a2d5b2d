// File descriptors run out in mid-contact (Linux): a flood takes all that a low limit leaves, and ffmpeg dies meanwhile.
// Sightline lives, captures again as soon as it can, and delivers what it has.
import { readdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { host } from '../rig/program.ts';
import { startVictim } from '../rig/victim.ts';

/** Fewer than the connections that may wait for their request, so that a flood reaches it. */
const LIMIT = 120;

it('a flood that takes every descriptor costs a gap and nothing else', async () => {
  const victim = await startVictim({ wrapper: ['prlimit', `--nofile=${LIMIT}:${LIMIT}`] });
  const { recorder, page } = victim;
  const held: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of held) socket.destroy();
    await victim.stop();
  });
  const descriptors = async (): Promise<number> => (await readdir(`/proc/${recorder.pid}/fd`)).length;

  while ((await descriptors()) < LIMIT - 1) {
    expect(held.length).toBeLessThan(2 * LIMIT);
    const socket = connect(recorder.port, '127.0.0.1').on('error', () => undefined);
    held.push(socket);
    // Where nothing is left, the connection is closed again.
    await Promise.race([new Promise((resolve) => socket.once('close', resolve)), sleep(20)]);
  }
  const [ffmpeg = 0] = await host.ffmpegs(recorder.pid);
  process.kill(ffmpeg, 'SIGKILL');
  const problem = await page.push((push) => push.type === 'app.state' && push.state === 'problem');
  expect(problem).toMatchObject({ reason: { code: expect.any(String) as string } });
  await vi.waitFor(
    () => expect(recorder.stderr()).toMatch(/"capture failed".*(cannot start another process|EMFILE)/),
    { timeout: 8000, interval: 20 },
  );

  // Nobody lets go: the flood's connections have ten seconds to send a request.
  await page.push(
    (push) => push.type === 'app.state' && push.state === 'recording' && push.rev > problem.rev,
  );
  expect(await page.request('ping')).toMatchObject({ ok: true });
  await victim.suspendsSoon();
  await victim.isRecordedWhole({ gaps: ['interrupted', 'suspended'] });
});
