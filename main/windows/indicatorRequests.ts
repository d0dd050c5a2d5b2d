// Who may ask what through the indicator's channels, without Electron: the sender first, then the arguments.

import type { z } from 'zod';
import type { IndicatorRequests } from '../shared/indicatorIpc.ts';
import { INDICATOR_PAGE, indicatorArguments } from '../shared/indicatorIpc.ts';

export type IndicatorChannel = keyof IndicatorRequests;
export const indicatorChannels = Object.keys(indicatorArguments) as IndicatorChannel[];

/** Where a request comes from; null when its frame is already gone. */
export interface IndicatorSender {
  readonly url: string;
  readonly isTopFrame: boolean;
  /** Whether the window is one of the indicator's. */
  readonly isIndicator: boolean;
}

/** @throws Error when the sender is not the indicator or the arguments are not what the channel takes */
export function indicatorRequest<C extends IndicatorChannel>(
  channel: C,
  sender: IndicatorSender | null,
  args: readonly unknown[],
): Parameters<IndicatorRequests[C]> {
  if (sender === null || !sender.isIndicator || !sender.isTopFrame || sender.url !== INDICATOR_PAGE)
    throw new Error(`"${channel}" is only for Sightline's own indicator.`);
  const schema: z.ZodType<Parameters<IndicatorRequests[C]>> = indicatorArguments[channel];
  const parsed = schema.safeParse(args);
  if (!parsed.success) throw new Error(`"${channel}" was called with the wrong arguments.`);
  return parsed.data;
}
