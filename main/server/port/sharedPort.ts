// The port that all Sightlines of a machine share. The first one to bind it is the door of the others; when it ends, one of
// them takes its place, and their pages connect again.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { SightlineError, errno, errorMessage, toFailure, type Failure } from '../../shared/errors.ts';
import { refuseUpgrade } from '../connections.ts';
import type { DoorOptions } from './door.ts';
import { Door } from './door.ts';
import type { OpenedBy } from './doorProtocol.ts';
import { Guest } from './guest.ts';
import { explainListenError, type DescribePortOwner } from './listenError.ts';

export interface SharedPortOptions extends DoorOptions {
  readonly openedBy: OpenedBy;
  readonly describePortOwner: DescribePortOwner;
  /** Why no page can connect any more; null: pages can, again. */
  readonly onProblem: (problem: Failure | null) => void;
}

/** The first attempts are close together, because pages are waiting. */
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 5000;
/** Another guest may still be opening the port. */
const PROBLEM_AFTER_MS = 2000;

export class SharedPort {
  /** Known once it is open. */
  port = 0;
  private door: Door | null = null;
  private guest: Guest | null = null;
  private isClosed = false;
  private retry: NodeJS.Timeout | undefined;
  /** As last reported. */
  private problem: string | null = null;

  constructor(private readonly options: SharedPortOptions) {}

  /**
   * Where the system opens the port, that may come later: pages wait, and `onProblem` says why.
   * @throws SightlineError CLIENT_CONNECTION_ERROR when the port can be neither opened on 127.0.0.1 nor shared
   */
  async open(): Promise<void> {
    const { port, openedBy } = this.options;
    this.port = port;
    try {
      await this.acquire();
    } catch (error) {
      const explained = await this.explained(error);
      if (openedBy !== 'system') throw explained;
      this.report(explained);
      this.keepTrying();
    }
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
    this.door?.close();
    this.guest?.close();
  }

  /** A request of another user's Sightline. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.door === null) return refuseUpgrade(socket, '403 Forbidden');
    void this.door.upgrade(request, socket, head);
  }

  /** @throws a SightlineError, or the system's error */
  private async acquire(): Promise<void> {
    const { options, port } = this;
    try {
      if (options.openedBy === 'system') await this.join();
      else await this.openOrJoin();
    } finally {
      if (this.isClosed) this.close();
    }
    if (this.door === null)
      options.log.info('another program has the port, and hands over the connections of this user', { port });
  }

  private async openOrJoin(): Promise<void> {
    const { options, port } = this;
    try {
      this.door = await Door.open({ ...options, port });
      this.port = this.door.port;
    } catch (error) {
      if (errno(error) !== 'EADDRINUSE' || port === 0) throw error;
      await this.join().catch((refusal: unknown) => {
        options.log.debug('the program that has the port hands over no connections', {
          ...{ port, reason: errorMessage(refusal) },
        });
        throw error;
      });
    }
  }

  private async join(): Promise<void> {
    const { options, port } = this;
    this.guest = await Guest.join({ ...options, port, onLost: () => this.keepTrying() });
  }

  private keepTrying(): void {
    this.guest = null;
    if (this.isClosed) return;
    const { log, onProblem } = this.options;
    const since = performance.now();
    let waitMs = MIN_RETRY_MS;
    const attempt = async (): Promise<void> => {
      try {
        await this.acquire();
        log.info('pages can connect', { port: this.port, isDoor: this.door !== null });
        this.problem = null;
        onProblem(null);
      } catch (error) {
        if (this.isClosed) return;
        this.retry = setTimeout(() => void attempt(), waitMs);
        waitMs = Math.min(2 * waitMs, MAX_RETRY_MS);
        if (performance.now() - since > PROBLEM_AFTER_MS) this.report(await this.explained(error));
      }
    };
    void attempt();
  }

  private report(error: SightlineError): void {
    if (error.message === this.problem) return;
    this.problem = error.message;
    this.options.log.error('no page can connect', { code: error.code, reason: error.message });
    this.options.onProblem(toFailure(error));
  }

  private async explained(error: unknown): Promise<SightlineError> {
    if (error instanceof SightlineError) return error;
    const { describePortOwner, openedBy } = this.options;
    if (openedBy !== 'system') return explainListenError(error, this.port, describePortOwner);
    return new SightlineError(
      'CLIENT_CONNECTION_ERROR',
      `No page can connect: port ${this.port} is not open. Policy "sharedPort" is "system": IT starts "sightline door" with this computer.`,
      { cause: error },
    );
  }
}
