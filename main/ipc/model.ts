// What a window may ask, and what it is answered, without Electron: who is asking is checked first, then what was said.

import type { z } from 'zod';
import type { Requests } from '../shared/ipc.ts';
import { PAGE_ROOT, requestArguments } from '../shared/ipc.ts';

/** One for each channel. */
export type Handlers = {
  readonly [C in RequestChannel]: (...args: Parameters<Requests[C]>) => ReturnType<Requests[C]>;
};
export type RequestChannel = keyof Requests;

export const requestChannels = Object.keys(requestArguments) as RequestChannel[];

/** Where a request comes from; null when its frame is already gone. */
export interface Sender {
  readonly url: string;
  readonly isTopFrame: boolean;
}

/** Thrown back to the window; says which rule was broken and nothing else. */
export class IpcRefusal extends Error {
  override readonly name = 'IpcRefusal';
}

/** @throws IpcRefusal when the sender is not one of our pages or the arguments are not what the channel takes */
export function answer<C extends RequestChannel>(
  handlers: Handlers,
  channel: C,
  sender: Sender | null,
  args: readonly unknown[],
): ReturnType<Requests[C]> {
  if (sender === null || !sender.isTopFrame || !sender.url.startsWith(PAGE_ROOT)) {
    throw new IpcRefusal(`"${channel}" is only for Sightline's own windows.`);
  }
  const schema: z.ZodType<Parameters<Requests[C]>> = requestArguments[channel];
  const parsed = schema.safeParse(args);
  if (!parsed.success) throw new IpcRefusal(`"${channel}" was called with the wrong arguments.`);
  return handlers[channel](...parsed.data);
}
