// One connection to the system bus (DBUS_SYSTEM_BUS_ADDRESS, or the well-known socket): calls, signals, its end.

import type * as Library from '@jellybrick/dbus-next';
import type { Message, MessageBus } from '@jellybrick/dbus-next';
import type { EventEmitter } from 'node:events';
import { access } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { withDeadline } from './deadline.ts';

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

/** The bus or a service did not answer in time. */
export class NoAnswerError extends Error {}

export interface Call {
  readonly to: string;
  readonly path: string;
  readonly face: string;
  readonly member: string;
  /** One `s` for each argument unless given. */
  readonly signature?: string;
  readonly body: readonly unknown[];
}

/** The library does not type this, and nothing else of it reports the connection's end. */
interface Internals {
  readonly _connection: { readonly stream?: Duplex; on(event: 'end', listener: () => void): void };
}

/**
 * Answers are taken here and not by the library's call(), for two reasons: an answer must be taken before the signals
 * that follow it, which may have come in the same packet, and a call must fail when the connection ends.
 */
export class SystemBus {
  readonly connected: Promise<void>;
  /** Resolves with the reason when the connection is gone, however that came. */
  readonly lost: Promise<Error>;
  private readonly bus: MessageBus & Internals;
  private readonly answers = new Map<number, (message: Message) => void>();
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
    const connected = new Promise<void>((done) => {
      this.bus.once('connect', done);
    });
    this.connected = this.unlessLost('the bus', connected);
  }

  /** `take` sees the answer before any later message is looked at. */
  async call(
    { to, path, face, member, signature, body }: Call,
    take: (body: readonly unknown[], sender: string) => void = () => {},
  ): Promise<readonly unknown[]> {
    const serial = this.bus.newSerial();
    const answered = new Promise<readonly unknown[]>((done, fail) => {
      this.answers.set(serial, (answer) => {
        if (answer.type === this.library.MessageType.ERROR)
          return fail(new RefusedError(`${answer.errorName}: ${(answer.body as string[])[0] ?? ''}`));
        take(answer.body, answer.sender);
        done(answer.body);
      });
    });
    this.bus.send(
      new this.library.Message({
        ...{ serial, destination: to, path, interface: face, member },
        ...{ signature: signature ?? 's'.repeat(body.length), body: [...body] },
      }),
    );
    return this.unlessLost(member, answered).finally(() => this.answers.delete(serial));
  }

  end(reason: Error): void {
    this.lose(reason);
    this.bus._connection.stream?.destroy();
  }

  private unlessLost<T>(what: string, answered: Promise<T>): Promise<T> {
    const lost = this.lost.then((reason) => Promise.reject(reason));
    return withDeadline(Promise.race([answered, lost]), ANSWER_WITHIN_MS, () => {
      const error = new NoAnswerError(`no answer from ${what} within ${ANSWER_WITHIN_MS} ms`);
      this.end(error);
      return error;
    });
  }
}

/** The value of a D-Bus variant. */
export function plain(variant: unknown): unknown {
  return typeof variant === 'object' && variant !== null && 'value' in variant ? variant.value : undefined;
}

export function plainAll(variants: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(variants ?? {}).map(([name, value]) => [name, plain(value)]));
}
