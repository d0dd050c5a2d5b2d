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
