// What the bridge uses of Amazon's clients: `ContactClient` and `AgentClient` of `@amazon-connect/contact` 1.0 fit, and are
// passed in by the page, so that this package needs none of Amazon's.

export interface LifecycleEvent {
  readonly contactId: string;
  readonly initialContactId?: string | undefined;
  /** `voice`, `queue_callback`, `chat`, `task` or `email`. */
  readonly type: string;
  readonly subtype?: string;
}
export type LifecycleHandler = (event: LifecycleEvent) => Promise<void>;

export interface Participant {
  readonly participantId: string;
  readonly isSelf: boolean;
}

export interface WorkspaceContactClient {
  onConnected(handler: LifecycleHandler): void;
  offConnected(handler: LifecycleHandler): void;
  onStartingAcw(handler: LifecycleHandler): void;
  offStartingAcw(handler: LifecycleHandler): void;
  onCleared(handler: LifecycleHandler): void;
  offCleared(handler: LifecycleHandler): void;
  onMissed(handler: LifecycleHandler): void;
  offMissed(handler: LifecycleHandler): void;
  onError(handler: LifecycleHandler): void;
  offError(handler: LifecycleHandler): void;
  listContacts(): Promise<readonly LifecycleEvent[]>;
  listParticipants(contactId: string): Promise<readonly Participant[]>;
  getParticipantState(participantId: string): Promise<{ readonly value: string }>;
  getQueue(contactId: string): Promise<{ readonly name: string }>;
  getAttributes(contactId: string, names: string[]): Promise<Record<string, string>>;
}

export interface WorkspaceAgentClient {
  getARN(): Promise<string>;
}
