// The watch over our session on Linux, on a real dbus-daemon of its own with a stand-in for logind (test/rig/login1.ts).
import { createServer } from 'node:net';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as dbus from '@jellybrick/dbus-next';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LogindOptions } from '../../main/platform/logind.ts';
import { startLogindWatch } from '../../main/platform/logind.ts';
import type { AbsenceReason, SessionWatch } from '../../main/platform/sessionWatch.ts';
import type { PrivateBus, SessionDescription } from '../rig/login1.ts';
import { connectTo, startBus, startLogin1 } from '../rig/login1.ts';
import { temporaryFolder } from '../unit/support/folders.ts';
import { keepingLogger } from '../unit/support/logs.ts';

type Absences = readonly AbsenceReason[];
const OURS: SessionDescription = { id: '2', leader: process.pid };

let folder: string;
let bus: PrivateBus;

beforeEach(async () => {
  folder = await temporaryFolder();
  bus = await startBus(folder);
  vi.stubEnv('DBUS_SYSTEM_BUS_ADDRESS', bus.address);
  vi.stubEnv('XDG_SESSION_ID', undefined);
  return async () => {
    vi.unstubAllEnvs();
    await bus.stop();
  };
});

interface Watched {
  readonly watch: SessionWatch;
  /** All that was told, in order. */
  readonly told: readonly Absences[];
  readonly lines: ReturnType<typeof keepingLogger>['lines'];
  readonly startedInMs: number;
  /** Resolves when the newest that was told is this set (none at all is the empty set). */
  readonly becomes: (...absences: Absences) => Promise<void>;
  /** Resolves when a line with these words has been logged, this many times. */
  readonly says: (level: string, words: string, times?: number) => Promise<void>;
}

async function watchSession(options: Partial<LogindOptions> = {}): Promise<Watched> {
  const told: Absences[] = [];
  const { log, lines } = keepingLogger();
  const before = performance.now();
  const watch = await startLogindWatch({
    onChange: (absences) => told.push(absences),
    log,
    retryDelaysMs: [20],
    ...options,
  });
  const startedInMs = performance.now() - before;
  onTestFinished(() => watch.stop());
  const soon = { timeout: 10_000, interval: 5 };
  return {
    ...{ watch, told, lines, startedInMs },
    becomes: (...absences) => vi.waitFor(() => expect(told.at(-1) ?? []).toEqual(absences), soon),
    says: (level, words, times = 1) =>
      vi.waitFor(() => {
        const said = lines.filter((line) => line.level === level && line.message.includes(words));
        expect(said.length, JSON.stringify(lines)).toBeGreaterThanOrEqual(times);
      }, soon),
  };
}

async function withSession(description: SessionDescription = OURS, options: Partial<LogindOptions> = {}) {
  const login1 = await startLogin1(bus.address, [description]);
  const watched = await watchSession(options);
  return { login1, session: login1.sessions[0]!, ...watched };
}

describe('a machine on which no session can be watched', () => {
  it.each([
    ['without a system bus', 'no system bus: ENOENT', () => rm(join(folder, 'bus'))],
    ['with a dead bus', 'no system bus: connect ECONNREFUSED', () => bus.stop()],
    ['without logind', 'no logind', () => Promise.resolve()],
    ['without a session', 'no session', () => startLogin1(bus.address, [])],
    [
      'with a greeter only',
      'no session',
      () => startLogin1(bus.address, [{ ...OURS, class: 'greeter', isDisplay: true }]),
    ],
  ])('gets one line in the log and no watch: %s', async (_name, reason, prepare) => {
    await prepare();
    const { told, lines, watch, startedInMs } = await watchSession();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'info',
      message: expect.stringContaining('not watched') as string,
    });
    expect(lines[0]!.fields['reason']).toContain(reason);
    expect(startedInMs).toBeLessThan(1000);
    await watch.stop();
    expect(told).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  it('holds up the start for less than a second when the bus accepts and says nothing', async () => {
    const path = join(folder, 'silent');
    const server = createServer().listen(path);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    vi.stubEnv('DBUS_SYSTEM_BUS_ADDRESS', `unix:path=${path}`);
    const { startedInMs, watch, told, lines } = await watchSession();
    expect(startedInMs).toBeLessThan(1000);
    expect(lines.map(({ level }) => level)).toEqual(['info']);
    await watch.stop(); // does not wait for the answer either
    expect(told).toEqual([]);
  });
});

describe('our session', () => {
  it('is found by our process, in use: nothing is told', async () => {
    const { told, lines, session, startedInMs } = await withSession();
    expect(told).toEqual([]);
    expect(lines).toEqual([
      { level: 'info', message: 'The session is watched', fields: { session: session.path } },
    ]);
    expect(startedInMs).toBeLessThan(1000);
  });

  it.each<[string, SessionDescription[], Record<string, string>]>([
    ['XDG_SESSION_ID', [{ id: 'c7' }], { XDG_SESSION_ID: 'c7' }],
    ['"auto"', [{ id: 'c7', isAuto: true }], {}],
    ["the user's display session", [{ id: 'c7', isDisplay: true }], {}],
    [
      'the display session, when our process is in one of ssh',
      [
        { id: '9', leader: process.pid, type: 'tty' },
        { id: 'c7', isDisplay: true },
      ],
      {},
    ],
    [
      'our process, on a console without any display session (startx)',
      [{ id: 'c7', leader: process.pid, type: 'tty' }],
      {},
    ],
    [
      "our process's session and not the display session, when both have a screen",
      [
        { id: 'c7', leader: process.pid, type: 'wayland' },
        { id: '9', isDisplay: true },
      ],
      { XDG_SESSION_ID: '9' },
    ],
  ])('is found by %s', async (_name, sessions, environment) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const login1 = await startLogin1(bus.address, sessions);
    const { becomes } = await watchSession();
    login1.sessions[sessions.findIndex(({ id }) => id === 'c7')]!.setLockedHint(true);
    await becomes('locked');
  });

  it('is told of at once, as one change, when it is locked and switched away at the start', async () => {
    const { told } = await withSession({ ...OURS, locked: true, active: false });
    expect(told).toEqual([['locked', 'switched-away']]);
  });

  it('is told of at once when the machine is about to sleep', async () => {
    await startLogin1(bus.address, [{ ...OURS, locked: true }], { preparingForSleep: true });
    const { told } = await watchSession();
    expect(told).toEqual([['locked', 'asleep']]);
  });

  it('is locked and unlocked by its LockedHint', async () => {
    const { session, becomes, told } = await withSession();
    session.setLockedHint(true);
    await becomes('locked');
    session.setLockedHint(true);
    session.setLockedHint(false);
    await becomes();
    expect(told).toEqual([['locked'], []]);
  });

  it('is locked and unlocked by signals, where the lock screen sets no hint', async () => {
    const { session, becomes, told } = await withSession();
    session.sendLock();
    await becomes('locked');
    session.setLockedHint(false); // tells nothing: it has never been true
    session.setActive(false);
    await becomes('locked', 'switched-away');
    session.setActive(true);
    session.sendUnlock();
    await becomes();
    expect(told).toEqual([['locked'], ['locked', 'switched-away'], ['locked'], []]);
  });

  it('is locked by the signal and unlocked by the hint that followed it', async () => {
    const { session, becomes, told } = await withSession();
    session.sendLock();
    session.setLockedHint(true);
    session.setLockedHint(false);
    await becomes();
    await vi.waitFor(() => expect(told).toEqual([['locked'], []]));
  });

  it('stays locked on Unlock while its lock screen says that it is', async () => {
    const { session, becomes, told } = await withSession();
    session.sendLock();
    session.setLockedHint(true);
    session.sendUnlock();
    session.setActive(false); // to know that Unlock has been seen
    await becomes('locked', 'switched-away');
    session.setActive(true);
    session.setLockedHint(false);
    await becomes();
    expect(told).toEqual([['locked'], ['locked', 'switched-away'], ['locked'], []]);
  });

  it('is switched away and back', async () => {
    const { session, becomes, told } = await withSession();
    session.setActive(false);
    await becomes('switched-away');
    session.setActive(true);
    await becomes();
    expect(told).toEqual([['switched-away'], []]);
  });

  it('sleeps and wakes', async () => {
    const { login1, becomes, told } = await withSession();
    login1.prepareForSleep(true);
    await becomes('asleep');
    login1.prepareForSleep(false);
    await becomes();
    expect(told).toEqual([['asleep'], []]);
  });

  it('has several absences at once, and each ends alone', async () => {
    const { login1, session, becomes, told } = await withSession();
    session.setLockedHint(true);
    session.setActive(false);
    login1.prepareForSleep(true);
    await becomes('locked', 'switched-away', 'asleep');
    login1.prepareForSleep(false);
    session.setActive(true);
    session.setLockedHint(false);
    await becomes();
    expect(told.map((each) => each.length)).toEqual([1, 2, 3, 2, 1, 0]);
  });

  it('is not moved by the sessions of others', async () => {
    const { login1, session, becomes, told } = await withSession();
    const other = login1.addSession({ id: '3' });
    other.setLockedHint(true);
    other.setActive(false);
    other.sendLock();
    other.remove();
    session.setActive(false);
    await becomes('switched-away');
    expect(told).toEqual([['switched-away']]);
  });

  it('is not unlocked by a stranger who says that it is', async () => {
    const { session, becomes, told } = await withSession({ ...OURS, locked: true });
    const stranger = await connectTo(bus.address);
    const watchers = await uniqueNames(stranger);
    for (const destination of watchers) {
      const forged = dbus.Message.newSignal(
        session.path,
        'org.freedesktop.DBus.Properties',
        'PropertiesChanged',
        'sa{sv}as',
        ['org.freedesktop.login1.Session', { LockedHint: new dbus.Variant('b', false) }, []],
      );
      forged.destination = destination;
      stranger.send(forged);
    }
    await uniqueNames(stranger); // the bus has passed them on
    session.setActive(false);
    await becomes('locked', 'switched-away');
    expect(told).toEqual([['locked'], ['locked', 'switched-away']]);
    stranger.disconnect();
  });

  it('is told of no more once the watch has been stopped', async () => {
    const { session, watch, told } = await withSession();
    const second = await watchSession();
    await watch.stop();
    session.setLockedHint(true);
    await second.becomes('locked');
    expect(told).toEqual([]);
  });

  it('is another one after a new login', async () => {
    const { login1, session, becomes, says, told } = await withSession();
    session.sendLock();
    await becomes('locked');
    session.remove();
    await says('info', 'has ended');
    expect(told).toEqual([['locked']]); // in doubt nothing changes
    const next = login1.addSession({ id: '5', isDisplay: true });
    await becomes();
    next.setLockedHint(true);
    await becomes('locked');
  });
});

describe('when the other side goes away', () => {
  it('keeps the state while the bus is gone, and takes over the new one when it is back', async () => {
    const { becomes, says, told, lines } = await withSession({ ...OURS, locked: true });
    await bus.stop();
    await says('warn', 'cannot be watched');
    await says('debug', 'cannot be watched', 3); // tried again, in vain
    expect(told).toEqual([['locked']]);
    bus = await startBus(folder);
    const login1 = await startLogin1(bus.address, [{ ...OURS, active: false }]);
    await becomes('switched-away');
    login1.sessions[0]!.setActive(true);
    await becomes();
    expect(told).toEqual([['locked'], ['switched-away'], []]);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('waits for a logind that comes later than the bus', async () => {
    const { becomes, says, told } = await withSession({ ...OURS, locked: true });
    await bus.stop();
    bus = await startBus(folder);
    await says('debug', 'cannot be watched', 2);
    expect(told).toEqual([['locked']]);
    await startLogin1(bus.address, [OURS]);
    await becomes();
  });

  it('reads again when logind alone was restarted', async () => {
    const { login1, becomes, told, lines } = await withSession({ ...OURS, locked: true });
    await login1.stop();
    const next = await startLogin1(bus.address, [{ ...OURS, active: false }]);
    await becomes('switched-away');
    next.sessions[0]!.setActive(true);
    await becomes();
    expect(told).toEqual([['locked'], ['switched-away'], []]);
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('stops at once in the middle of a wait', async () => {
    const { watch, says } = await withSession(OURS, { retryDelaysMs: [3_600_000] });
    await bus.stop();
    await says('warn', 'cannot be watched');
    await watch.stop();
  });
});

/** Everybody on the bus, by the names that it has given them. */
async function uniqueNames(connection: dbus.MessageBus): Promise<string[]> {
  const reply = await connection.call(
    new dbus.Message({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'ListNames',
    }),
  );
  return (reply?.body[0] as string[]).filter((name) => name.startsWith(':') && name !== connection.name);
}
