// How the MSI learns that a contact is in progress (resources/installer/processes.c): this process holds a named pipe for as long as
// there is one, suspended and paused contacts included. Windows removes the pipe when the process dies, so the answer is never old, and
// the installer, which runs as SYSTEM, trusts only a pipe whose server is one of Sightline's installed programs. Nothing is sent over it.

import { createServer, type Server } from 'node:net';
import type { Logger } from './log.ts';
import { errorMessage } from '../shared/errors.ts';

class HeldPipe {
  private wanted = false;
  private server: Server | null = null;

  constructor(
    private readonly name: string,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  hold(wanted: boolean): void {
    this.wanted = wanted;
    this.follow();
  }

  private follow(): void {
    if (process.platform !== 'win32') return;
    if (this.server !== null) {
      if (!this.wanted && this.server.listening) this.server.close();
      return;
    }
    if (!this.wanted) return;
    const ended = (): void => {
      this.server = null;
      this.follow();
    };
    this.server = createServer((client) => client.destroy())
      .once('error', this.onFailed)
      .once('close', ended)
      .listen(`\\\\.\\pipe\\sightline-${this.name}-${process.pid}`)
      .unref();
  }
}

/** Says that this process reports its contacts: without it, the installer takes any ffmpeg of this process for a contact. */
const program = new HeldPipe('program', () => undefined);

/** First thing in each program: a check that grabs the screen must not look like a contact. */
export function reportToInstaller(): void {
  program.hold(true);
}

/** @returns call it with whether a contact is in progress */
export function contactSignal(log: Logger): (isOn: boolean) => void {
  const contact = new HeldPipe('contact', (error) => {
    // Another user's program may have taken the name.
    program.hold(false);
    log.warn('the installer cannot be told of contacts that are not captured', {
      reason: errorMessage(error),
    });
  });
  return (isOn) => contact.hold(isOn);
}
