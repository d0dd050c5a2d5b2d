// What Amazon Connect knows of one agent: configuration and snapshot in the shape that amazon-connect-streams 2.28.2 expects in
// `agent::update` (read in its release file: the CTI API model, ClientEngine.updateAgent, AgentDataProvider). Verbs change it
// as people and Connect would. No input or output here: service.ts delivers it.
import { randomUUID } from 'node:crypto';

export type ContactType = 'voice' | 'queue_callback' | 'chat' | 'task' | 'email';
export type ContactStateType =
  'incoming' | 'pending' | 'connecting' | 'connected' | 'missed' | 'error' | 'ended' | 'rejected' | 'paused';

export interface ConnectionData {
  connectionId: string;
  contactId: string;
  type: 'agent' | 'inbound' | 'outbound' | 'monitoring';
  initial: boolean;
  state: { type: string; timestamp: Date };
  endpoint: { type: string; phoneNumber?: string; name?: string };
  address?: unknown;
  quickConnectName: string | null;
  softphoneMediaInfo?: object;
  chatMediaInfo?: { customerName: string };
  mediaInfo?: object;
}

export interface Features {
  screenRecordingEnabled?: boolean;
  screenRecordingState?: string;
  screenRecordingConfig?: { screenRecordingEnabled?: boolean; screenRecordingState?: string };
}

export interface ContactData {
  contactId: string;
  initialContactId: string | null;
  type: ContactType;
  state: { type: ContactStateType; timestamp: Date };
  status?: unknown;
  queue: { name: string; queueARN: string; queueId: string } | undefined;
  queueTimestamp: Date;
  connections: ConnectionData[];
  attributes: Record<string, { name: string; value: string }>;
  initiationMethod: string;
  name?: string;
  description?: string;
  contactFeatures?: Features;
}

export interface NewContact {
  readonly contactId?: string;
  readonly initialContactId?: string;
  /** A queue's name; null for a contact without one. */
  readonly queue?: string | null;
  readonly attributes?: Readonly<Record<string, string>>;
  /** The flow's "Set recording behavior"; on unless told. */
  readonly record?: boolean;
  /** Replaces all features. */
  readonly features?: Features | null;
  readonly initiationMethod?: string;
  /** Phone number, name of the chat's customer, or subject of the task. */
  readonly from?: string;
  /** The agent's deskphone rings: nothing of softphone, and the page learns nothing of the acceptance. */
  readonly deskphone?: boolean;
}

export const INSTANCE =
  'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555';
const AGENT_ID = '99999999-8888-7777-6666-555555555555';

export type AgentState = ReturnType<typeof newAgentState>;

/** @param agentId the last part of the agent's ARN */
export function newAgentState(username = 'anna', agentId = AGENT_ID) {
  const contacts = new Map<string, ContactData>();
  let state = { name: 'Available', type: 'routable', agentStateARN: null, startTimestamp: new Date() };

  const queueOf = (name: string) => ({
    name,
    queueARN: `${INSTANCE}/queue/${name}`,
    queueId: `${INSTANCE}/queue/${name}`,
  });
  const configuration = {
    agentARN: `${INSTANCE}/agent/${agentId}`,
    username,
    name: username[0]!.toUpperCase() + username.slice(1),
    extension: '',
    softphoneEnabled: true,
    softphoneAutoAccept: false,
    permissions: ['outboundCall'],
    dialableCountries: ['us', 'de'],
    agentPreferences: { locale: 'en_US' },
    agentStates: [
      { name: 'Available', type: 'routable', agentStateARN: `${INSTANCE}/agent-state/available` },
      { name: 'Break', type: 'not_routable', agentStateARN: `${INSTANCE}/agent-state/break` },
      { name: 'Offline', type: 'offline', agentStateARN: `${INSTANCE}/agent-state/offline` },
    ],
    routingProfile: {
      name: 'Basic',
      routingProfileARN: `${INSTANCE}/routing-profile/basic`,
      routingProfileId: `${INSTANCE}/routing-profile/basic`,
      channelConcurrencyMap: { VOICE: 1, CHAT: 3, TASK: 2 },
      defaultOutboundQueue: queueOf('Outbound'),
      queues: [queueOf('Billing'), queueOf('Claims'), queueOf(`agent/${agentId}`)],
    },
  };

  function add(
    type: ContactType,
    first: ContactStateType,
    connections: Partial<ConnectionData>[],
    from: NewContact,
  ): string {
    const contactId = from.contactId ?? randomUUID();
    const timestamp = new Date();
    const { queue = 'Billing', record = true } = from;
    const features = {
      screenRecordingEnabled: record,
      screenRecordingConfig: { screenRecordingEnabled: record },
    };
    contacts.set(contactId, {
      contactId,
      initialContactId: from.initialContactId ?? null,
      type,
      state: { type: first, timestamp },
      queue: queue === null ? undefined : queueOf(queue),
      queueTimestamp: timestamp,
      connections: connections.map((one) => ({
        connectionId: randomUUID(),
        contactId,
        type: 'agent',
        initial: false,
        state: { type: 'connecting', timestamp },
        endpoint: { type: 'phone_number', phoneNumber: from.from ?? '+15550100142' },
        quickConnectName: null,
        ...one,
      })),
      attributes: Object.fromEntries(
        Object.entries(from.attributes ?? {}).map(([name, value]) => [name, { name, value }]),
      ),
      initiationMethod: from.initiationMethod ?? 'inbound',
      ...(type === 'task' ? { name: from.from ?? 'Call the customer back', description: '' } : {}),
      ...(from.features === null ? {} : { contactFeatures: from.features ?? features }),
    });
    return contactId;
  }

  const connected = () => ({ type: 'connected', timestamp: new Date() });
  const of = (contactId: string): ContactData => {
    const found = contacts.get(contactId);
    if (found === undefined) throw new Error(`Connect has no contact ${contactId}`);
    return found;
  };
  const to = (contactId: string, type: ContactStateType, connection?: string): void => {
    const contact = of(contactId);
    contact.state = { type, timestamp: new Date() };
    for (const one of contact.connections) {
      if (connection !== undefined) one.state = { type: connection, timestamp: new Date() };
    }
  };
  const customer = (contactId: string): ConnectionData =>
    of(contactId).connections.find((one) => one.initial)!;
  const softphone = (deskphone?: boolean) =>
    deskphone === true ? {} : { softphoneMediaInfo: { callType: 'audio_only', autoAccept: false } };

  return {
    configuration,
    contacts: contacts as ReadonlyMap<string, ContactData>,
    /** A call rings at the agent. A softphone call is `connecting` while it rings. */
    ring: (from: NewContact = {}): string =>
      add(
        'voice',
        'connecting',
        [
          { type: 'agent', ...softphone(from.deskphone) },
          { type: 'inbound', initial: true, state: connected() },
        ],
        from,
      ),
    /** The agent dials. Their own connection is there at once. */
    outbound: (from: NewContact = {}): string =>
      add(
        'voice',
        'connecting',
        [
          { type: 'agent', state: connected(), ...softphone(from.deskphone) },
          { type: 'outbound', initial: true },
        ],
        { initiationMethod: 'outbound', queue: 'Outbound', ...from },
      ),
    /** A queued callback is offered to the agent; when accepted, the customer is dialed. */
    callback: (from: NewContact = {}): string =>
      add('queue_callback', 'incoming', [{ type: 'agent' }, { type: 'outbound', initial: true }], {
        initiationMethod: 'callback',
        ...from,
      }),
    chat: (from: NewContact = {}): string =>
      add(
        'chat',
        'connecting',
        [
          { type: 'agent', chatMediaInfo: { customerName: from.from ?? 'Sam' } },
          {
            type: 'inbound',
            initial: true,
            state: connected(),
            chatMediaInfo: { customerName: from.from ?? 'Sam' },
          },
        ],
        { initiationMethod: 'api', ...from },
      ),
    task: (from: NewContact = {}): string =>
      add('task', 'connecting', [{ type: 'agent' }, { type: 'inbound', initial: true, state: connected() }], {
        initiationMethod: 'api',
        ...from,
      }),
    email: (from: NewContact = {}): string =>
      add(
        'email',
        'connecting',
        [{ type: 'agent' }, { type: 'inbound', initial: true, state: connected() }],
        from,
      ),
    /** A supervisor listens in: their snapshot has a contact without a queue, connected from the start. */
    monitor: (from: NewContact = {}): string =>
      add(
        'voice',
        'connected',
        [
          { type: 'monitoring', state: { type: 'silent_monitor', timestamp: new Date() } },
          { type: 'inbound', initial: true, state: connected() },
        ],
        { initiationMethod: 'monitor', queue: null, ...from },
      ),
    /** After an acceptance: the callback's customer is dialed, everything else waits for the media. */
    accepted(contactId: string): void {
      if (of(contactId).state.type === 'incoming') to(contactId, 'connecting');
    },
    connect: (contactId: string): void => to(contactId, 'connected', 'connected'),
    hold: (contactId: string): void =>
      void (customer(contactId).state = { type: 'hold', timestamp: new Date() }),
    unhold: (contactId: string): void => void (customer(contactId).state = connected()),
    /** After-contact work begins, whoever hung up. */
    endCall: (contactId: string): void => to(contactId, 'ended', 'disconnected'),
    miss: (contactId: string): void => to(contactId, 'missed', 'disconnected'),
    reject: (contactId: string): void => to(contactId, 'rejected', 'disconnected'),
    fail: (contactId: string): void => to(contactId, 'error', 'disconnected'),
    /** The contact is gone from the snapshot: cleared by the agent, or by Connect. */
    clear: (contactId: string): void => {
      of(contactId);
      contacts.delete(contactId);
    },
    /** Another agent is called, the customer waits on hold. */
    consult(contactId: string, name = 'Ben'): void {
      customer(contactId).state = { type: 'hold', timestamp: new Date() };
      of(contactId).connections.push({
        connectionId: randomUUID(),
        contactId,
        type: 'outbound',
        initial: false,
        state: connected(),
        endpoint: { type: 'agent', name },
        quickConnectName: name,
      });
    },
    /** Everybody talks with everybody. */
    conference: (contactId: string): void => {
      for (const one of of(contactId).connections) one.state = connected();
    },
    pauseTask: (contactId: string): void => to(contactId, 'paused'),
    resumeTask: (contactId: string): void => to(contactId, 'connected'),
    setAttributes(contactId: string, attributes: Readonly<Record<string, string>>): void {
      for (const [name, value] of Object.entries(attributes))
        of(contactId).attributes[name] = { name, value };
    },
    /** What a flow's or a Lambda's SuspendContactRecording is believed to change; undefined removes it. */
    setScreenRecordingState(
      contactId: string,
      value: string | undefined,
      where: 'config' | 'features' = 'config',
    ): void {
      const features = (of(contactId).contactFeatures ??= {});
      const place = where === 'config' ? (features.screenRecordingConfig ??= {}) : features;
      if (value === undefined) delete place.screenRecordingState;
      else place.screenRecordingState = value;
    },
    setScreenRecordingEnabled(contactId: string, enabled: boolean): void {
      const features = (of(contactId).contactFeatures ??= {});
      features.screenRecordingEnabled = enabled;
      (features.screenRecordingConfig ??= {}).screenRecordingEnabled = enabled;
    },
    setAvailability(name: string, type: string): void {
      state = { ...state, name, type, startTimestamp: new Date() };
    },
    /** As `agent::update` carries it, with the aliases that ClientEngine.updateAgent adds. */
    update(sequence: number): object {
      const sorted = [...contacts.values()].sort(
        (a, b) => Number(a.state.timestamp) - Number(b.state.timestamp),
      );
      const now = new Date();
      return {
        configuration,
        snapshot: {
          // Ours, for tests: which of the snapshots it is.
          sequence,
          state,
          status: state,
          nextState: null,
          agentAvailabilityState: { state: state.name, timeStamp: now },
          snapshotTimestamp: now,
          localTimestamp: now,
          skew: 0,
          contacts: sorted.map((one) => ({
            ...one,
            status: one.state,
            connections: one.connections.map((connection) => ({
              ...connection,
              address: connection.endpoint,
            })),
          })),
        },
      };
    },
  };
}
