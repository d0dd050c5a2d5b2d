// What a page may request, without Electron: first the sender is checked, then the arguments. The same for both windows.

import type { z } from 'zod';

/** A map from channel to signature. */
type Signatures<R> = { readonly [C in keyof R]: (...args: never[]) => unknown };

/** A page with the requests that it may make: their arguments, by channel. */
export interface RequestingPage<R extends Signatures<R>> {
  readonly url: string;
  readonly arguments: { readonly [C in keyof R]: z.ZodType<Parameters<R[C]>> };
}

/** One for each channel. */
export type Handlers<R extends Signatures<R>> = {
  readonly [C in keyof R]: (...args: Parameters<R[C]>) => ReturnType<R[C]>;
};

/** The frame that a request comes from. */
export interface Sender {
  readonly url: string;
  readonly isTopFrame: boolean;
}

/** Thrown to the page; says which rule was broken and nothing else. */
export class IpcRefusal extends Error {
  override readonly name = 'IpcRefusal';
}

/**
 * @param handlers of the window that asks; null: it is none of those that show the page
 * @param sender null when its frame is already gone
 * @throws IpcRefusal when the sender is not the page in its window, or the arguments are not what the channel takes
 */
export function answer<R extends Signatures<R>, C extends keyof R & string>(
  page: RequestingPage<R>,
  handlers: Handlers<R> | null,
  channel: C,
  sender: Sender | null,
  args: readonly unknown[],
): ReturnType<R[C]> {
  if (handlers === null || sender === null || !sender.isTopFrame || sender.url !== page.url)
    throw new IpcRefusal(`"${channel}" is only for Sightline's own window.`);
  const schemas: Readonly<Record<string, z.ZodType>> = page.arguments;
  const parsed = schemas[channel]?.safeParse(args);
  if (parsed?.success !== true) throw new IpcRefusal(`"${channel}" was called with the wrong arguments.`);
  return handlers[channel](...(parsed.data as Parameters<R[C]>));
}
