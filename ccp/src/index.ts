// What a page gets from the ES module (docs/ccp.md).

export type {
  AppState,
  Channel,
  Client,
  ClientOptions,
  Connection,
  ContactInfo,
  ContactRecorder,
  ContactState,
  Identity,
  OpenRecording,
  SightlineError,
  Unsubscribe,
} from './contract.ts';
export { createClient } from './client/client.ts';
export { createContactRecorder } from './contacts/contactRecorder.ts';
export { streams } from './connectStreams.ts';
export type { SightlineBridge, StreamsOptions } from './connectStreams.ts';
export { attribute, isInSample, queue, sample } from './streams/choice.ts';
export type { Choose, Decision } from './streams/choice.ts';
export type { FlowStates } from './streams/flowState.ts';
export type { StreamsAgent, StreamsContact, StreamsFeatures, StreamsLibrary } from './streams/library.ts';
export type { SuspendWhileOptions } from './suspendWhile.ts';
