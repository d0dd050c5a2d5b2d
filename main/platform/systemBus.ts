// One connection to the system bus (DBUS_SYSTEM_BUS_ADDRESS, or the well-known socket): calls, signals, its end.

import type * as Library from '@jellybrick/dbus-next';
import type { Message, MessageBus } from '@jellybrick/dbus-next';
import type { EventEmitter } from 'node:events';
import { access } from 'node:fs/promises';
import type { Duplex } from 'node:stream';

/** Longer than the 25 s that the bus itself gives a service to start. */
const ANSWER_WITHIN_MS = 30_000;

/**
 * Rejects where there plainly is no bus: its socket is not there. Asked before the library is loaded, which takes 40 ms
 * and 13 MB. An address of another kind is left to the library.
 */
export async function expectSocket(): Promise<void> {
  const address = process.env['DBUS_SYSTEM_BUS_ADDRESS'] ?? '';
  const path = address === '' ? '/var/run/dbus/system_bus_socket' : /^unix:path=([^,;]+)/.exec(address)?.[1];
  if (path !== undefined && !address.includes(';')) await access(path);
}

/** The answer was an error; the message begins with its name. */
export class RefusedError extends Error {}

export interface Call {
  readonly to: string;
  readonly path: string;
  readonly face: string;
  readonly member: string;
  /** One `s` for each argument unless told. */
  readonly signature?: string;
  readonly body: readonly unknown[];
}

/** What the library does not show of a connection, and alone tells of its end. */
interface Internals {
  readonly _connection: { readonly stream?: Duplex; on(event: 'end', listener: () => void): void };
}

type Fail = (error: Error) => void;

/**
 * Answers are taken here and not by the library's call(), for two reasons: an answer must be taken before the signals
 * that follow it, which may have come in the same packet, and a call must fail when the connection ends.
 */
export class SystemBus {
  readonly connected: Promise<void>;
  /** Resolves with the reason when the connection is gone, however that came. */
  readonly lost: Promise<Error>;
  timedOut = false;
  private readonly bus: MessageBus & Internals;
  private readonly waiting = new Set<Fail>();
  private readonly answers = new Map<number, (message: Message) => void>();
  private ended: Error | null = null;
  private lose: (error: Error) => void = () => {};

  constructor(
    private readonly library: typeof Library,
    onSignal: (message: Message) => void,
  ) {
    this.lost = new Promise((resolve) => (this.lose = resolve));
    this.bus = library.systemBus() as MessageBus & Internals;
    (this.bus as EventEmitter).on('error', (error: Error) => this.end(error)); // not in its types
    this.bus._connection.on('end', () => this.end(new Error('the bus closed the connection')));
    this.bus.on('message', (message) => {
      if (message.type === library.MessageType.SIGNAL) onSignal(message);
      else if (message.replySerial !== undefined) this.answers.get(message.replySerial)?.(message);
    });
    this.connected = this.wait('the bus', (done) => {
      this.bus.once('connect', done);
    });
  }

  /** `take` sees the answer before any later message is looked at. */
  async call(
    { to, path, face, member, signature, body }: Call,
    take: (body: readonly unknown[], sender: string) => void = () => {},
  ): Promise<readonly unknown[]> {
    const serial = this.bus.newSerial();
    const message = new this.library.Message({
      ...{ serial, destination: to, path, interface: face, member },
      ...{ signature: signature ?? 's'.repeat(body.length), body: [...body] },
    });
    try {
      return await this.wait(member, (done, fail) => {
        this.answers.set(serial, (answer) => {
          if (answer.type === this.library.MessageType.ERROR) {
            const [text] = answer.body;
            fail(new RefusedError(`${answer.errorName}: ${typeof text === 'string' ? text : ''}`));
            return;
          }
          take(answer.body, answer.sender);
          done(answer.body);
        });
        this.bus.send(message);
      });
    } finally {
      this.answers.delete(serial);
    }
  }

  end(reason: Error): void {
    if (this.ended !== null) return;
    this.ended = reason;
    for (const fail of this.waiting) fail(reason);
    this.bus._connection.stream?.destroy();
    this.lose(reason);
  }

  private async wait<T>(what: string, begin: (done: (value: T) => void, fail: Fail) => void): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let failed: Fail = () => {};
    try {
      return await new Promise<T>((done, fail) => {
        if (this.ended !== null) throw this.ended;
        timer = setTimeout(() => {
          this.timedOut = true;
          this.end(new Error(`no answer from ${what} within ${ANSWER_WITHIN_MS} ms`));
        }, ANSWER_WITHIN_MS);
        failed = fail;
        this.waiting.add(fail);
        begin(done, fail);
      });
    } finally {
      clearTimeout(timer);
      this.waiting.delete(failed);
    }
  }
}

/** What a D-Bus variant holds. */
export function plain(variant: unknown): unknown {
  return typeof variant === 'object' && variant !== null && 'value' in variant ? variant.value : undefined;
}

export function plainAll(variants: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(variants ?? {}).map(([name, value]) => [name, plain(value)]));
}
