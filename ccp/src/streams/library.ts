// The parts of Amazon Connect Streams that the bridge uses, as a type of its own: the package depends on nothing, and any 2.x
// library fits. Read in amazon-connect-streams 2.28.2; members that older versions lack are optional.

export interface StreamsSubscription {
  /** A function without arguments. The library's types have no more than `Function`, which fits no signature. */
  readonly unsubscribe: object;
}

export function unsubscribe(subscription: StreamsSubscription): void {
  (subscription as { unsubscribe(): void }).unsubscribe();
}

/** Reads throw a StateError once the contact is gone from the agent's snapshot. */
export interface StreamsContact {
  getContactId(): string;
  getInitialContactId?(): string | null | undefined;
  getType(): string;
  getStatus(): { readonly type: string };
  /** null or undefined for a supervisor who listens in. */
  getQueue(): { readonly name?: string | null } | null | undefined;
  getAttributes(): Readonly<
    Record<string, { readonly name?: string; readonly value?: string | null } | undefined>
  >;
  getInitiationMethod?(): string | null | undefined;
  getContactFeatures?(): StreamsFeatures | null | undefined;
  onAccepted(listener: () => void): StreamsSubscription;
  onConnecting(listener: () => void): StreamsSubscription;
  onConnected(listener: () => void): StreamsSubscription;
  onACW(listener: () => void): StreamsSubscription;
  onEnded(listener: () => void): StreamsSubscription;
  onDestroy(listener: () => void): StreamsSubscription;
  onRefresh(listener: () => void): StreamsSubscription;
}

export interface StreamsFeatures {
  readonly screenRecordingEnabled?: boolean | null;
  readonly screenRecordingState?: string | null;
  readonly screenRecordingConfig?: {
    readonly screenRecordingEnabled?: boolean | null;
    readonly screenRecordingState?: string | null;
  } | null;
}

export interface StreamsAgent {
  getContacts(): StreamsContact[];
  getConfiguration(): { readonly agentARN: string; readonly username: string };
  onRefresh(listener: () => void): StreamsSubscription;
}

/** The global `connect` of the library. */
export interface StreamsLibrary {
  agent(listener: (agent: StreamsAgent) => void): StreamsSubscription;
  contact(listener: (contact: StreamsContact) => void): StreamsSubscription;
  readonly version?: string;
  /** What the page passed to `connect.core.initCCP`. */
  readonly initCCPParams?: { readonly ccpUrl?: string };
}
