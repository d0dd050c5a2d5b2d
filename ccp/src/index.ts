// What a page gets from the ES module (docs/ccp.md).

import { defineStatusElement } from './status/element.ts';

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
export { streams, type StreamsOptions } from './connectStreams.ts';
export { attribute, queue, sample, type Choose } from './streams/choice.ts';
export type { FlowStates } from './streams/flowState.ts';
export type { StreamsAgent, StreamsContact, StreamsFeatures, StreamsLibrary } from './streams/library.ts';
export { workspace, type WorkspaceOptions } from './connectWorkspace.ts';
export type { WorkspaceAgentClient, WorkspaceContactClient } from './workspace/clients.ts';
export type { WorkspaceContact } from './workspace/details.ts';
export { isInSample, type Decision } from './contactFacts.ts';
export type { ConnectionOptions, SightlineBridge } from './openBridge.ts';
export type { SuspendWhileOptions } from './suspendWhile.ts';
export { reportFailures, type FailureOptions } from './failures/report.ts';
export type { FailuresTo } from './failures/send.ts';
export type { FailureEvent } from './failures/event.ts';
export { relay, type Relay, type RelayOptions, type RelaySource } from './relay/relay.ts';
export type { StatusSource } from './bridges.ts';
export { SightlineStatus } from './status/element.ts';
export { english, type Texts, type TextsPart } from './status/texts.ts';

// The element is there as soon as the script is.
defineStatusElement();
