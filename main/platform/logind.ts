// Absences on Linux, from systemd-logind (or elogind) over the system bus: https://www.freedesktop.org/software/systemd/
// man/latest/org.freedesktop.login1.html. By signals, never polled. A machine without a bus, without logind or without a
// session gets one line in the log and no watch; in doubt about the state, nothing changes.
//
// What "locked" is. `Lock` and `Unlock` are requests to the session's lock screen, `LockedHint` is what the lock screen
// reports to have done, and many report nothing. So Lock begins "locked" and Unlock ends it; LockedHint true is "locked"
// in any case; LockedHint false ends it only where it had become true, since from a lock screen that never
// sets it false means nothing.

import type { Message } from '@jellybrick/dbus-next';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../shared/errors.ts';
import { within } from './deadline.ts';
import { AbsenceSet } from './sessionWatch.ts';
import type { SessionWatch, SessionWatchOptions } from './sessionWatch.ts';
import { NoAnswerError, RefusedError, SystemBus, expectSocket, plain, plainAll } from './systemBus.ts';
import type { Call } from './systemBus.ts';

export interface LogindOptions extends SessionWatchOptions {
  /** Whose session is watched: our own unless given. */
  readonly pid?: number;
  /** Waits before the first, second, ... try to connect again; the last of them from then on. */
  readonly retryDelaysMs?: readonly number[];
}

const START_WITHIN_MS = 900;
const RETRY_DELAYS_MS = [500, 1000, 2000, 5000, 15_000, 60_000];

const BUS = 'org.freedesktop.DBus';
const LOGIN = 'org.freedesktop.login1';
const MANAGER = 'org.freedesktop.login1.Manager';
const SESSION = 'org.freedesktop.login1.Session';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const ROOT = '/org/freedesktop/login1';

/** Of every session: they are few, and so none is missed while ours is being looked for. */
const matchRules = [
  `type='signal',sender='${BUS}',interface='${BUS}',member='NameOwnerChanged',arg0='${LOGIN}'`,
  `type='signal',sender='${LOGIN}',interface='${MANAGER}'`,
  `type='signal',sender='${LOGIN}',interface='${SESSION}'`,
  `type='signal',sender='${LOGIN}',interface='${PROPERTIES}',arg0='${SESSION}'`,
];

/** For StartSessionWatch. Resolves within a second; where logind is slower, the watch begins when it answers. */
export async function startLogindWatch(options: LogindOptions): Promise<SessionWatch> {
  const watch = new LogindWatch(options);
  if ((await within(watch.begun, START_WITHIN_MS, 'late')) === 'late')
    options.log.info('logind has not answered yet; the session is watched from when it does');
  return watch;
}

/** There is nothing to be watched here, and there is no use in trying again. */
class NothingToWatch extends Error {}

class LogindWatch implements SessionWatch {
  /** The first try has succeeded, or will not be repeated. */
  readonly begun: Promise<void>;
  private begin: () => void = () => {};
  private readonly absences: AbsenceSet;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private bus: SystemBus | null = null;
  private hasWatched = false;
  /** Failed tries since the last time that all was well. */
  private tries = 0;
  /** logind's unique name: any program on the bus may send us a signal, but not under another's name. */
  private owner: string | null = null;
  private path: string | null = null;
  private lock = { asked: false, hint: false };
  private active = true;
  private asleep = false;
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly options: LogindOptions) {
    this.begun = new Promise((resolve) => (this.begin = resolve));
    this.absences = new AbsenceSet((absences) => {
      if (!this.isStopped()) options.onChange(absences);
    });
    this.running = this.run().finally(this.begin);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.bus?.end(new Error('stopped'));
    await this.running;
  }

  private isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    const { log, retryDelaysMs = RETRY_DELAYS_MS } = this.options;
    for (;;) {
      const error = await this.watchUntilLost().catch((failure: unknown) => failure);
      if (this.isStopped()) return;
      if (error instanceof NothingToWatch && !this.hasWatched) {
        log.info('The session is not watched: locking the screen pauses nothing', { reason: error.message });
        return;
      }
      const retryInMs = retryDelaysMs[Math.min(this.tries, retryDelaysMs.length - 1)] ?? 1000;
      log[this.tries === 0 ? 'warn' : 'debug']('The session cannot be watched now; trying again', {
        error: errorMessage(error),
        retryInMs,
      });
      this.tries += 1;
      await delay(retryInMs, undefined, { signal: this.stopping.signal }).catch(() => {});
      if (this.isStopped()) return;
    }
  }

  /** Connects, follows, and returns why that came to an end. */
  private async watchUntilLost(): Promise<Error> {
    await expectSocket().catch(noBus);
    // Loaded here, so that other platforms and a machine without a bus do not pay for it.
    const library = await import('@jellybrick/dbus-next');
    if (this.isStopped()) return new Error('stopped');
    const bus = new SystemBus(library, (message) => this.takeSignal(bus, message));
    this.bus = bus;
    this.owner = null;
    try {
      await bus.connected.catch((error: unknown) => {
        if (error instanceof NoAnswerError) throw error;
        noBus(error);
      });
      const addMatch = { to: BUS, path: '/org/freedesktop/DBus', face: BUS, member: 'AddMatch' };
      await Promise.all(matchRules.map((rule) => bus.call({ ...addMatch, body: [rule] })));
      await this.read(bus);
      this.options.log.info('The session is watched', { session: this.path });
      this.hasWatched = true;
      this.tries = 0;
      this.begin();
      return await bus.lost;
    } finally {
      bus.end(new Error('given up'));
    }
  }

  /** Finds our session and takes over its state. */
  private async read(bus: SystemBus): Promise<void> {
    try {
      await bus.call(property(ROOT, MANAGER, 'PreparingForSleep'), ([value], sender) => {
        this.owner = sender;
        this.asleep = plain(value) === true;
      });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      throw new NothingToWatch(`no logind: ${error.message}`, { cause: error });
    }
    const path = await findSession(bus, this.options.pid ?? process.pid);
    if (path === null) throw new NothingToWatch('logind knows no session of this user');
    await bus.call(allOf(path), ([properties]) => {
      if (path !== this.path) this.lock = { asked: false, hint: false };
      this.path = path;
      this.takeProperties(properties);
    });
  }

  /** After something that may have changed everything. One at a time; what fails ends the connection, for a new one. */
  private readAgain(bus: SystemBus): void {
    this.reading = this.reading
      .then(() => this.read(bus))
      .catch((error: unknown) => {
        // A session that has ended changes nothing, until SessionNew announces another.
        if (error instanceof NothingToWatch && this.path === null) {
          this.options.log.info('The session has ended; waiting for another', { reason: error.message });
        } else bus.end(error instanceof Error ? error : new Error(String(error)));
      });
  }

  private takeSignal(bus: SystemBus, { sender, path, interface: face, member, body }: Message): void {
    if (sender === BUS) {
      if (member !== 'NameOwnerChanged' || body[0] !== LOGIN || this.owner === null) return;
      // logind was started again. Until it is there the state stays as it is.
      this.owner = String(body[2]);
      if (this.owner !== '') this.readAgain(bus);
      return;
    }
    if (sender !== this.owner) return;
    if (face === MANAGER && path === ROOT) this.takeManagerSignal(bus, member, body);
    if (this.path === null || path !== this.path) return;
    if (face === PROPERTIES) {
      const [, changed, invalidated] = body;
      this.takeProperties(changed);
      if (
        Array.isArray(invalidated) &&
        invalidated.some((name) => name === 'LockedHint' || name === 'Active')
      ) {
        this.readAgain(bus);
      }
    } else if (face === SESSION && (member === 'Lock' || member === 'Unlock')) {
      this.options.log.info(`The session was asked to ${member.toLowerCase()}`, { hint: this.lock.hint });
      this.lock.asked = member === 'Lock';
      this.report();
    }
  }

  private takeManagerSignal(bus: SystemBus, member: string, body: readonly unknown[]): void {
    if (member === 'PrepareForSleep') {
      this.asleep = body[0] === true;
      this.report();
    } else if (member === 'SessionRemoved' && body[1] === this.path) {
      this.path = null;
      this.readAgain(bus);
    } else if (member === 'SessionNew' && this.path === null) this.readAgain(bus);
  }

  private takeProperties(properties: unknown): void {
    const { Active: active, LockedHint: hint } = plainAll(properties);
    if (typeof active === 'boolean') this.active = active;
    if (typeof hint === 'boolean') {
      if (this.lock.hint && !hint) this.lock.asked = false;
      this.lock.hint = hint;
    }
    this.report();
  }

  private report(): void {
    const locked = this.lock.asked || this.lock.hint;
    try {
      this.absences.update({ locked, 'switched-away': !this.active, asleep: this.asleep });
    } catch (error) {
      this.options.log.error('A change of the session could not be passed on', {
        error: errorMessage(error),
      });
    }
  }
}

/**
 * The session whose screen we record, in this order: the one that our process is in; XDG_SESSION_ID; what logind calls
 * `auto`; the user's display session (for a process started by systemd --user). The first one with a screen of its
 * own counts: a program that was started over ssh is in another session than the screen it records. Without any such,
 * it is the first that there is, since startx leaves a session the type that it had on the console.
 */
async function findSession(bus: SystemBus, pid: number): Promise<string | null> {
  const ask = (member: string, signature: string, value: unknown) =>
    bus.call({ to: LOGIN, path: ROOT, face: MANAGER, member, signature, body: [value] });
  const id = process.env['XDG_SESSION_ID'];
  const ways: readonly (() => Promise<unknown>)[] = [
    async () => (await ask('GetSessionByPID', 'u', pid))[0],
    async () => (id === undefined ? null : (await ask('GetSession', 's', id))[0]),
    async () => {
      const [properties] = await bus.call(allOf(`${ROOT}/session/auto`));
      return (await ask('GetSession', 's', plainAll(properties)['Id']))[0];
    },
    async () => {
      const [user] = await ask('GetUser', 'u', process.getuid?.() ?? 0);
      const [display] = await bus.call(property(String(user), 'org.freedesktop.login1.User', 'Display'));
      const shown = plain(display);
      return Array.isArray(shown) && shown[0] !== '' ? (shown[1] as unknown) : null;
    },
  ];
  let first: string | null = null;
  for (const way of ways) {
    try {
      const path = await way();
      if (typeof path !== 'string') continue;
      const [properties] = await bus.call(allOf(path));
      const { Class: kind, Type: type } = plainAll(properties);
      if (!String(kind).startsWith('user')) continue; // greeter, lock-screen, background, manager: no user's desktop
      if (type === 'x11' || type === 'wayland' || type === 'mir') return path;
      first ??= path;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }
  return first;
}

const login = { to: LOGIN, face: PROPERTIES };
const property = (path: string, face: string, name: string): Call => ({
  ...login,
  path,
  member: 'Get',
  body: [face, name],
});
const allOf = (path: string): Call => ({ ...login, path, member: 'GetAll', body: [SESSION] });

function noBus(error: unknown): never {
  throw new NothingToWatch(`no system bus: ${errorMessage(error)}`, { cause: error });
}
