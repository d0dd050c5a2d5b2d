// The part of the reply to hello that describes this recorder.

import type { EncoderName } from '../shared/names.ts';
import type { RecorderInfo } from '../shared/protocol.ts';
import { PROTOCOL_VERSION } from '../shared/protocol.ts';

export interface RecorderInfoSources {
  /** Read anew each time: policy may change. */
  readonly policy: Pick<RecorderInfo, 'fps' | 'maxMonitors' | 'suspendMaxSeconds'>;
  readonly appVersion: string;
  /** Until it resolves, the contacts that an earlier process left open are not known. */
  readonly recovery: Promise<void>;
  /** null: none can be used. */
  readonly findEncoder: () => Promise<EncoderName | null>;
}

export async function recorderInfo(sources: RecorderInfoSources): Promise<RecorderInfo> {
  const { policy, appVersion, recovery, findEncoder } = sources;
  await recovery;
  const encoder = await findEncoder();
  const { fps, maxMonitors, suspendMaxSeconds } = policy;
  return { protocol: PROTOCOL_VERSION, appVersion, fps, maxMonitors, suspendMaxSeconds, encoder };
}
