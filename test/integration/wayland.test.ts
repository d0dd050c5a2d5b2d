// In a real Wayland session (cage and its XWayland): nothing is recorded, and everyone who asks is told why.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startDisplay } from '../rig/display.ts';
import { host } from '../rig/program.ts';
import { startRecorder } from '../rig/recorder.ts';
import { containing } from '../unit/support/matchers.ts';
import type { WaylandSession } from '../rig/waylandSession.ts';
import { startWaylandSession } from '../rig/waylandSession.ts';

const CODE = 'WAYLAND_UNSUPPORTED';
let session: WaylandSession;
beforeAll(async () => {
  session = await startWaylandSession();
});
afterAll(() => session.stop());

describe('Sightline in a Wayland session', () => {
  it.each([
    ['as a service that has nothing of the session but its X display', true],
    ['as a program of a session without XWayland', false],
  ])('%s: refuses before and at a contact, and records nothing', async (_, isService) => {
    const recorder = await startRecorder(
      isService ? { display: session.display } : { display: null, environment: session.environment },
    );
    onTestFinished(async () => {
      await recorder.stop();
    });
    const page = await recorder.connect();
    const state = await page.push((push) => push.type === 'app.state' && push.state === 'problem');
    expect(state).toMatchObject({ reason: { code: CODE, message: containing('"Xorg"') } });
    const reply = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(reply.error).toMatchObject({ code: CODE, source: 'CLIENT' });
    const { detail } = await page.event('c', 'FAILED');
    expect(detail).toMatchObject({ failureInfo: { code: CODE, source: 'CLIENT' } });
    expect(await recorder.published()).toEqual([]);
    expect(recorder.stderr()).toContain(`"message":"nothing can be recorded","code":"${CODE}"`);
  });

  it('records an Xvfb that runs in it', async () => {
    const display = await startDisplay();
    onTestFinished(() => display.stop());
    const recorder = await startRecorder({ display: display.display, environment: session.environment });
    onTestFinished(async () => {
      await recorder.stop();
    });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
  });

  it('fails the checks "display" and "test capture" of doctor, with what to do', async () => {
    const home = await mkdtemp(join(tmpdir(), 'sightline-wayland-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    const { stdout } = await host.run({
      args: ['doctor', '--json', '--data-dir', home],
      display: session.display,
      environment: session.environment,
      wrapper: [],
    });
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; verdict: string; evidence: string }[];
    };
    const found = checks.filter(({ evidence }) => evidence.includes('This is a Wayland session'));
    expect(found.map(({ name, verdict }) => `${name}: ${verdict}`)).toEqual([
      'display: failed',
      'test capture: failed',
    ]);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'machine', verdict: 'warning' }));
  });
});
