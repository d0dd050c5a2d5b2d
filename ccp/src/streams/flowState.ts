// What a flow or a Lambda wants of the screen recording: SuspendContactRecording and ResumeContactRecording reach a page as
// `screenRecordingState` in the contact's features. AWS documents none of its values, so the mapping is an option, and what it
// does not know suspends.
import type { StreamsFeatures } from './library.ts';

/** Values of `screenRecordingState`; upper and lower case are the same. */
export interface FlowStates {
  readonly suspended: readonly string[];
  readonly recording: readonly string[];
}

/** Guesses from the words of AWS's API, its events and its flows; none was seen on an instance (docs/ccp.md). */
export const FLOW_STATES: FlowStates = {
  suspended: ['SUSPENDED', 'SUSPEND', 'PAUSED', 'STOPPED', 'DISABLED', 'INACTIVE', 'OFF'],
  recording: [
    ...['RECORDING', 'ACTIVE', 'ENABLED', 'RESUMED', 'RESUME', 'STARTED', 'IN_PROGRESS', 'ON'],
    ...['INITIATED', 'NOT_STARTED', 'PENDING', 'NONE'],
  ],
};

export type FlowOpinion =
  | { readonly kind: 'suspended' | 'recording' }
  /** In doubt: suspend, and say so. */
  | { readonly kind: 'unknown'; readonly value: string }
  /** The contact has no such value: nothing changes. */
  | { readonly kind: 'none' };

/** Both places are read. One that suspends wins. */
export function flowOpinion(features: StreamsFeatures | null | undefined, states: FlowStates): FlowOpinion {
  const opinions = [
    features?.screenRecordingConfig?.screenRecordingState,
    features?.screenRecordingState,
  ].map((value) => one(value, states));
  const order = ['suspended', 'unknown', 'recording'] as const;
  for (const kind of order) {
    const found = opinions.find((opinion) => opinion.kind === kind);
    if (found !== undefined) return found;
  }
  return { kind: 'none' };
}

function one(value: unknown, { suspended, recording }: FlowStates): FlowOpinion {
  if (value === undefined || value === null || value === '') return { kind: 'none' };
  if (typeof value !== 'string') return { kind: 'unknown', value: typeof value };
  const has = (list: readonly string[]): boolean =>
    list.some((each) => each.toUpperCase() === value.toUpperCase());
  if (has(suspended)) return { kind: 'suspended' };
  return has(recording) ? { kind: 'recording' } : { kind: 'unknown', value: value.slice(0, 100) };
}
