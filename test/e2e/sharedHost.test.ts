// Several users of one host at once, as on a terminal server: each with a display, a browser and a Sightline of their own, by
// real user ids, and one port for all. Judged by the recordings' pictures: each painter shows another phase.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import type { CcpTab } from '../rig/ccpPage.ts';
import { CCP_PAGE, openCcpTab } from '../rig/ccpPage.ts';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { freePort } from '../rig/freePort.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import type { PageServer } from '../rig/pageServer.ts';
import { startPageServer } from '../rig/pageServer.ts';
import type { Recorder } from '../rig/recorder.ts';
import { agent, startRecorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { asUser, homeOf, pageOf, whyNoOtherUsers } from '../rig/users.ts';

const USERS = [4241, 4242, 4243];
const STRANGER = 4244;
const why = whyNoOtherUsers();
/** For docs/vdi.md: `SIGHTLINE_TRANSCRIPT=1 npx vitest run test/e2e/sharedHost.test.ts`. */
const say = (line: string): void => {
  if (process.env.SIGHTLINE_TRANSCRIPT !== undefined) process.stdout.write(`${line}\n`);
};

interface Seat {
  readonly uid: number;
  readonly phase: number;
  readonly contactId: string;
  readonly home: Awaited<ReturnType<typeof homeOf>>;
  readonly desk: Desk;
  readonly browser: Browser;
  recorder: Recorder;
  tab: CcpTab;
}

describe.skipIf(why !== null)(`three users of one host${why === null ? '' : ` (left out: ${why})`}`, () => {
  let port: number;
  let server: PageServer;
  const seats: Seat[] = [];

  const record = (uid: number, desk: Desk, home: string): Promise<Recorder> =>
    startRecorder({
      display: desk.display,
      home,
      flags: ['--port', String(port)],
      wrapper: asUser(uid),
      environment: { HOME: home },
    });
  const hello = ({ uid }: Pick<Seat, 'uid'>) => ({
    protocol: 1,
    ...agent,
    agentArn: `${agent.instanceArn}/agent/user-${uid}`,
  });

  beforeAll(async () => {
    port = await freePort();
    server = await startPageServer({ routes: { '/ccp.html': CCP_PAGE } });
    for (const [index, uid] of USERS.entries()) {
      const home = await homeOf(uid);
      const desk = await startDesk({ monitors: oneMonitor, user: uid });
      const phase = index + 1;
      await desk.setPhase(phase);
      const [recorder, browser] = await Promise.all([
        record(uid, desk, home.home),
        startBrowser({
          user: uid,
          display: desk.display,
          args: ['--window-position=0,400', '--window-size=500,300'],
        }),
      ]);
      const tab = await openCcpTab(browser, server, port);
      seats.push({ uid, phase, contactId: `call-of-${uid}`, home, desk, browser, recorder, tab });
    }
  }, 120_000);
  afterAll(async () => {
    for (const seat of seats) {
      await seat.browser.stop();
      await seat.recorder.stop();
      await seat.desk.stop();
      await seat.home.remove();
    }
    await server.stop();
  });

  /** As a page does: again and again, until it is let in. */
  async function connectAgain(seat: Seat, sinceMs: number): Promise<number> {
    for (;;) {
      try {
        await seat.tab.connect();
        const { ok } = await seat.tab.ask('hello', hello(seat));
        if (ok === true) return performance.now() - sinceMs;
      } catch {
        // Nobody has the port yet.
      }
      await sleep(100);
    }
  }

  it('record each their own screen, though the first one is killed in mid-contact', async () => {
    for (const { uid, recorder, desk } of seats)
      say(`user ${uid}: display ${desk.display}, sightline ${recorder.pid}, port ${recorder.port}`);
    for (const seat of seats) {
      expect(await seat.tab.ask('hello', hello(seat))).toMatchObject({ ok: true, recordings: [] });
      const started = await seat.tab.ask('contact.start', { contactId: seat.contactId, channel: 'VOICE' });
      expect(started).toMatchObject({ ok: true });
      say(`user ${seat.uid}: ${seat.contactId} is recorded, reply ${JSON.stringify(started)}`);
    }
    await sleep(1500);

    const refused = await pageOf(STRANGER, port, server.origin, [
      JSON.stringify({ id: '1', type: 'status' }),
    ]);
    expect(refused).toMatchObject({ refused: 403 });
    say(`user ${STRANGER}, who has no Sightline: ${JSON.stringify(refused)}`);

    const [first, ...others] = seats as [Seat, Seat, Seat];
    const killedAt = performance.now();
    first.recorder.kill('SIGKILL');
    say(`user ${first.uid}'s Sightline, which has the port, is killed`);
    const away = await Promise.all(others.map((seat) => connectAgain(seat, killedAt)));
    for (const [index, { uid }] of others.entries())
      say(`user ${uid}: connected again after ${Math.round(away[index] ?? 0)} ms`);
    expect(Math.max(...away)).toBeLessThan(5000);
    first.recorder = await record(first.uid, first.desk, first.home.home);
    await connectAgain(first, killedAt);
    say(`user ${first.uid}: Sightline started again, and its page is back`);
    await sleep(1500);

    for (const seat of seats) {
      expect(await seat.tab.ask('status')).toMatchObject({
        state: 'recording',
        recordings: [{ contactId: seat.contactId }],
      });
      expect(await seat.tab.ask('contact.stop', { contactId: seat.contactId })).toMatchObject({ ok: true });
    }
    for (const seat of seats) {
      await expect.poll(() => seat.recorder.published(), { timeout: 20_000 }).toHaveLength(1);
      const { mp4, manifest } = (await seat.recorder.published())[0]!;
      expect(manifest.contact.contactId).toBe(seat.contactId);
      expect(manifest.agent.arn).toBe(hello(seat).agentArn);
      expect(await decodesCleanly(mp4)).toBe('');
      const frames = await decodeRecording(mp4, manifest);
      const codes = frames.flatMap((frame) => [...frame.codes.values()]).filter((code) => code !== null);
      expect(new Set(codes.map(({ phase }) => phase))).toEqual(new Set([seat.phase]));
      expect(recordingClock(frames, manifest, await seat.desk.lateCodes()).maxMs).toBeLessThanOrEqual(200);
      const gaps = manifest.gaps.map(({ reason }) => reason);
      expect(gaps).toEqual(seat === first ? ['app-restarted'] : []);
      say(
        `user ${seat.uid}: one MP4, ${codes.length} frames read, all of screen ${seat.phase}; gaps: ${gaps.join(', ') || 'none'}`,
      );
    }
  }, 90_000);
});
