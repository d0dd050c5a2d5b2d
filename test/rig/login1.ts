// A private system bus, and on it a stand-in for logind: the part of org.freedesktop.login1 that tells of sessions, as
// documented (methods, properties, signals), with a test in the place of the desktop. The bus is the real dbus-daemon.
// https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html
import * as dbus from '@jellybrick/dbus-next';
import { spawn } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithUs, findTool } from './process.ts';

const ROOT = '/org/freedesktop/login1';
const DBUS_HINT = 'Install it (on Debian: apt install dbus-daemon), or run `npm run setup`.';

export interface PrivateBus {
  /** For DBUS_SYSTEM_BUS_ADDRESS. */
  readonly address: string;
  /** Ends the daemon, and with it every connection; resolves when it is gone. May be called twice. */
  stop(): Promise<void>;
}

/** A dbus-daemon on a socket in `folder`, ready for clients. The same folder gives the same address again. */
export async function startBus(folder: string): Promise<PrivateBus> {
  const command = findTool(['dbus-daemon'], DBUS_HINT);
  const address = `unix:path=${join(folder, 'bus')}`;
  const config = join(folder, 'bus.conf');
  await writeFile(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow send_type="signal"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`,
  );
  const child = spawn(command, [`--config-file=${config}`, '--nofork', '--nopidfile', '--print-address=1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithUs(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const gone = once(child, 'close');
  // It prints its address once it listens.
  const ready = once(createInterface(child.stdout), 'line').then(() => true);
  if (!(await Promise.race([ready, gone.then(() => false)]))) {
    throw new Error(`${command} ended before it listened:\n${said}`);
  }
  return {
    address,
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

export interface SessionDescription {
  readonly id: string;
  /** The process that is in it; none unless told. */
  readonly leader?: number;
  readonly type?: 'x11' | 'wayland' | 'tty' | 'unspecified';
  readonly class?: string;
  readonly locked?: boolean;
  readonly active?: boolean;
  /** What GetUser says is the user's graphical session. */
  readonly isDisplay?: boolean;
  /** What /org/freedesktop/login1/session/auto stands for. */
  readonly isAuto?: boolean;
}

export interface Login1Session {
  readonly path: string;
  /** What a lock screen does with SetLockedHint(). */
  setLockedHint(locked: boolean): void;
  /** Another virtual terminal comes to the front, or ours again. */
  setActive(active: boolean): void;
  /** What `loginctl lock-session` and `unlock-session` make logind send. */
  sendLock(): void;
  sendUnlock(): void;
  /** The session ends. */
  remove(): void;
}

export interface Login1 {
  addSession(description: SessionDescription): Login1Session;
  /** PrepareForSleep, with PreparingForSleep set as logind does. */
  prepareForSleep(start: boolean): void;
  /** Leaves the bus, as logind does when it is restarted. */
  stop(): Promise<void>;
}

const failure = (name: string, message: string) =>
  new dbus.DBusError(`org.freedesktop.login1.${name}`, message);

/** In this version of the library a new object hides what configureMembers has put on its class. */
class Described extends dbus.interface.Interface {
  constructor(name: string) {
    super(name);
    delete this.$properties;
    delete this.$methods;
    delete this.$signals;
  }
}

class Session extends Described {
  Id: string;
  Class: string;
  Type: string;
  Active: boolean;
  LockedHint: boolean;

  constructor(
    readonly leader: number | undefined,
    description: SessionDescription,
  ) {
    super('org.freedesktop.login1.Session');
    this.Id = description.id;
    this.Class = description.class ?? 'user';
    this.Type = description.type ?? 'x11';
    this.Active = description.active ?? true;
    this.LockedHint = description.locked ?? false;
  }

  Lock(): void {}
  Unlock(): void {}
}
Session.configureMembers({
  properties: {
    Id: { signature: 's', access: 'read' },
    Class: { signature: 's', access: 'read' },
    Type: { signature: 's', access: 'read' },
    Active: { signature: 'b', access: 'read' },
    LockedHint: { signature: 'b', access: 'read' },
  },
  signals: { Lock: { signature: '' }, Unlock: { signature: '' } },
});

class User extends Described {
  Display: [string, string] = ['', '/'];

  constructor() {
    super('org.freedesktop.login1.User');
  }
}
User.configureMembers({ properties: { Display: { signature: '(so)', access: 'read' } } });

class Manager extends Described {
  PreparingForSleep = false;

  constructor(private readonly sessions: ReadonlyMap<string, Session>) {
    super('org.freedesktop.login1.Manager');
  }

  GetSession(id: string): string {
    if (!this.sessions.has(id)) throw failure('NoSuchSession', `No session '${id}' known`);
    return pathOf(id);
  }

  GetSessionByPID(pid: number): string {
    for (const [id, { leader }] of this.sessions) if (leader === pid) return pathOf(id);
    throw failure('NoSessionForPID', `PID ${pid} does not belong to any known session`);
  }

  GetUser(uid: number): string {
    return `${ROOT}/user/_${uid}`;
  }

  PrepareForSleep(start: boolean): boolean {
    return start;
  }
  SessionNew(id: string): [string, string] {
    return [id, pathOf(id)];
  }
  SessionRemoved(id: string): [string, string] {
    return [id, pathOf(id)];
  }
}
Manager.configureMembers({
  properties: { PreparingForSleep: { signature: 'b', access: 'read' } },
  methods: {
    GetSession: { inSignature: 's', outSignature: 'o' },
    GetSessionByPID: { inSignature: 'u', outSignature: 'o' },
    GetUser: { inSignature: 'u', outSignature: 'o' },
  },
  signals: {
    PrepareForSleep: { signature: 'b' },
    SessionNew: { signature: 'so' },
    SessionRemoved: { signature: 'so' },
  },
});

/** As systemd writes them: a character that an object path may not have, as `_` and two hexadecimal digits. */
function pathOf(id: string): string {
  const escaped = id.replace(/^\d|[^A-Za-z0-9]/g, (c) => `_${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `${ROOT}/session/${escaped}`;
}

/** A connection to the bus at `address`, whoever it is for. */
export async function connectTo(address: string): Promise<dbus.MessageBus> {
  const before = process.env['DBUS_SYSTEM_BUS_ADDRESS'];
  process.env['DBUS_SYSTEM_BUS_ADDRESS'] = address;
  const bus = dbus.systemBus();
  if (before === undefined) delete process.env['DBUS_SYSTEM_BUS_ADDRESS'];
  else process.env['DBUS_SYSTEM_BUS_ADDRESS'] = before;
  await once(bus as EventEmitter, 'connect'); // rejects on 'error'
  (bus as EventEmitter).on('error', () => {}); // the bus may be ended under us
  return bus;
}

/** Takes logind's name on the bus, with the sessions that are there from the start. */
export async function startLogin1(
  address: string,
  descriptions: readonly SessionDescription[],
  options: { preparingForSleep?: boolean } = {},
): Promise<Login1 & { readonly sessions: readonly Login1Session[] }> {
  const bus = await connectTo(address);
  const sessions = new Map<string, Session>();
  const manager = new Manager(sessions);
  manager.PreparingForSleep = options.preparingForSleep ?? false;
  const user = new User();
  bus.export(ROOT, manager);
  bus.export(`${ROOT}/user/_${process.getuid?.() ?? 0}`, user);

  const add = (description: SessionDescription): Login1Session => {
    const { id, leader } = description;
    const session = new Session(leader, description);
    const path = pathOf(id);
    sessions.set(id, session);
    bus.export(path, session);
    if (description.isAuto === true) bus.export(`${ROOT}/session/auto`, new Session(leader, description));
    if (description.isDisplay === true) user.Display = [id, path];
    const change = (changed: Partial<Pick<Session, 'Active' | 'LockedHint'>>): void => {
      Object.assign(session, changed);
      Session.emitPropertiesChanged(session, changed);
    };
    return {
      path,
      setLockedHint: (LockedHint) => change({ LockedHint }),
      setActive: (Active) => change({ Active }),
      sendLock: () => session.Lock(),
      sendUnlock: () => session.Unlock(),
      remove: () => {
        sessions.delete(id);
        if (user.Display[0] === id) user.Display = ['', '/'];
        bus.unexport(path);
        manager.SessionRemoved(id);
      },
    };
  };
  const first = descriptions.map(add);
  await bus.requestName('org.freedesktop.login1');
  return {
    sessions: first,
    addSession: (description) => {
      const session = add(description);
      manager.SessionNew(description.id);
      return session;
    },
    prepareForSleep: (start) => {
      manager.PreparingForSleep = start;
      manager.PrepareForSleep(start);
    },
    stop: async () => {
      await bus.releaseName('org.freedesktop.login1');
      bus.disconnect();
    },
  };
}
