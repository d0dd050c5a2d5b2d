// A connection to an X server, with time limits and with errors that say what to do. Without it the x11 package throws outside of
// all handlers.

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import x11 from 'x11';
import type { Client, Display } from 'x11';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import { withDeadline } from './deadline.ts';

const ANSWER_DEADLINE_MS = 5000;

export interface X11Connection {
  readonly display: Display;
  close(): void;
}

/**
 * @param gone the connection is lost; not called after close()
 * @throws SightlineError NO_DISPLAY
 */
export async function connectX11(name: string, gone: () => void): Promise<X11Connection> {
  await requireReadableAuthority();
  const { client, display } = openClient(name);
  const close = (): void => {
    client.removeAllListeners('end');
    hangUp(client);
  };
  try {
    const opened = await inTime(display);
    const lost = once(gone);
    client.on('end', lost).on('error', lost);
    return { display: opened, close };
  } catch (error) {
    close();
    throw unreachableDisplay(name, error);
  }
}

/** The x11 package throws outside of all handlers when it cannot read this file. */
async function requireReadableAuthority(): Promise<void> {
  const path = process.env.XAUTHORITY ?? join(homedir(), '.Xauthority');
  try {
    await readFile(path);
  } catch (error) {
    const code = errno(error);
    if (code === 'ENOENT') return;
    throw new SightlineError(
      'NO_DISPLAY',
      `The X authority file ${path} cannot be read (${code ?? 'unknown'}). Make it readable for this user, or set XAUTHORITY to one that is.`,
      { cause: error },
    );
  }
}

function openClient(name: string): { client: Client; display: Promise<Display> } {
  const waiting: { resolve: (display: Display) => void; reject: (error: Error) => void }[] = [];
  const display = new Promise<Display>((resolve, reject) => waiting.push({ resolve, reject }));
  const fail = (error: Error): void => waiting.forEach(({ reject }) => reject(error));
  const client = x11.createClient({ display: name }, (error, connected) => {
    if (error) fail(error);
    else waiting.forEach(({ resolve }) => resolve(connected));
  });
  client.on('error', fail).on('end', () => fail(new Error('the X server closed the connection')));
  return { client, display };
}

function hangUp(client: Client): void {
  try {
    client.terminate();
  } catch {
    // It was never connected.
  }
}

/** A stopped X server does not answer. */
export function inTime<T>(work: Promise<T>): Promise<T> {
  return withDeadline(work, ANSWER_DEADLINE_MS, () => new Error('the X server does not answer'));
}

export function unreachableDisplay(name: string, cause: unknown): SightlineError {
  if (cause instanceof SightlineError) return cause;
  return new SightlineError(
    'NO_DISPLAY',
    `The display ${name} cannot be reached (${errorMessage(cause)}). Check that its session runs and that "display" names it.`,
    { cause },
  );
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
