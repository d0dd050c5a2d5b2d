// The bridge for Amazon Connect Streams: looks at each contact of the agent whenever anything about it changes, and tells
// ContactRecorder what it wants. It never derives a step from an event: a missed, doubled or skipped event changes nothing.
import type { ContactRecorder } from '../contract.ts';
import { askedByFlow, decide, type Choose } from './choice.ts';
import { channelOf, infoOf } from './details.ts';
import { FLOW_STATES, flowOpinion, type FlowStates } from './flowState.ts';
import type { StreamsAgent, StreamsContact, StreamsLibrary, StreamsSubscription } from './library.ts';
import { phaseOf } from './phase.ts';

export interface BridgeOptions {
  /** Which contacts to record; what their flow asks for unless told. Asked once for each contact, when the agent accepts it. */
  readonly record?: Choose;
  /** Record after-contact work too, until the contact is cleared. */
  readonly throughACW?: boolean;
  /** Names of contact attributes to pass on to the recorder's manifest. No others leave the page. */
  readonly attributes?: readonly string[];
  /** Values of `screenRecordingState`, each list instead of the default one. */
  readonly flowState?: Partial<FlowStates>;
}

export interface Bridge {
  /** For the page's "Suspend" button: one contact, or all of them and those that come until `resume()`. */
  suspend(contactId?: string): void;
  /** Ends what `suspend` began. A flow's suspension and an active payment form stay. */
  resume(contactId?: string): void;
  /** Suspends all contacts, also those that come, for a cause of the page's own. */
  suspendAll(cause: string, reason: string): void;
  resumeAll(cause: string): void;
  close(): void;
}

export const PAGE_CAUSE = 'page';
const FLOW_CAUSE = 'flow';

interface Tracked {
  readonly contact: StreamsContact;
  accepted: boolean;
  decision: boolean | undefined;
  wanted: boolean;
  readonly subscriptions: StreamsSubscription[];
}

/**
 * @param onAgent called once, when the agent is known
 * @param warn gets what a page's developer should read, once for each matter
 * @throws Error when `connect.core.initCCP` was not called before
 */
export function bridgeStreams(
  library: StreamsLibrary,
  contacts: ContactRecorder,
  options: BridgeOptions,
  onAgent: (agent: StreamsAgent) => void,
  warn: (text: string) => void,
): Bridge {
  const { throughACW = false, attributes = [] } = options;
  const flowStates = { ...FLOW_STATES, ...options.flowState };
  const tracked = new Map<string, Tracked>();
  /** Causes for every contact, with their reasons; null for those that have ended. */
  const forAll = new Map<string, string | null>();
  const warned = new Set<string>();
  const subscriptions: StreamsSubscription[] = [];
  let agentArn: string | undefined;

  const warnOnce = (text: string): void => {
    if (warned.has(text) || warned.size >= 100) return;
    warned.add(text);
    warn(text);
  };

  function track(contact: StreamsContact): void {
    const contactId = contact.getContactId();
    if (tracked.has(contactId)) return;
    const one: Tracked = { contact, accepted: false, decision: undefined, wanted: false, subscriptions: [] };
    tracked.set(contactId, one);
    const lookAgain = (): void => look(contactId, one);
    one.subscriptions.push(
      contact.onAccepted(() => {
        one.accepted = true;
        lookAgain();
      }),
      contact.onConnecting(lookAgain),
      contact.onConnected(lookAgain),
      contact.onACW(lookAgain),
      contact.onEnded(lookAgain),
      contact.onRefresh(lookAgain),
      contact.onDestroy(() => gone(contactId, one)),
    );
    for (const [cause, reason] of forAll) {
      if (reason !== null) contacts.suspend(contactId, cause, reason);
      // An earlier life of the page may have left it suspended for this cause.
      else contacts.resume(contactId, cause);
    }
    lookAgain();
  }

  function gone(contactId: string, one: Tracked): void {
    if (tracked.get(contactId) !== one) return;
    tracked.delete(contactId);
    for (const subscription of one.subscriptions) subscription.unsubscribe();
    // Also when this page did not want it: an earlier life of it may have.
    contacts.stop(contactId);
  }

  /** What the page wants of the contact as it is now. */
  function look(contactId: string, one: Tracked): void {
    if (tracked.get(contactId) !== one) return;
    let state: string;
    let type: string;
    try {
      state = one.contact.getStatus().type;
      type = one.contact.getType();
    } catch {
      gone(contactId, one); // no longer in the agent's snapshot
      return;
    }
    const channel = channelOf(type);
    if (channel === undefined) return;
    const initiationMethod = one.contact.getInitiationMethod?.() ?? undefined;
    const phase = phaseOf({ type, state, initiationMethod, accepted: one.accepted });
    followFlow(contactId, one.contact);
    if (phase === 'before' || phase === 'unchanged') return;
    const isOn = phase === 'active' || (phase === 'after-work' && throughACW);
    if (isOn && isChosen(one, initiationMethod)) {
      one.wanted = true;
      contacts.record(infoOf(one.contact, channel, attributes));
    } else if (!isOn || one.wanted) {
      one.wanted = false;
      contacts.stop(contactId);
    }
  }

  function isChosen(one: Tracked, initiationMethod: string | undefined): boolean {
    if (options.record === undefined) {
      // The flow may change its mind; a supervisor who listens in gets the features of the contact they listen to.
      one.decision = askedByFlow(one.contact) ?? one.decision;
      return one.decision === true && initiationMethod !== 'monitor';
    }
    if (one.decision === undefined) {
      try {
        one.decision = decide(options.record, one.contact);
      } catch (error) {
        // In doubt recorded: a page that cannot decide must not lose the recording.
        warnOnce(`The function "record" failed, so the contact is recorded: ${String(error)}`);
        one.decision = true;
      }
    }
    return one.decision === true;
  }

  function followFlow(contactId: string, contact: StreamsContact): void {
    const opinion = flowOpinion(contact.getContactFeatures?.(), flowStates);
    switch (opinion.kind) {
      case 'none':
        return;
      case 'recording':
        contacts.resume(contactId, FLOW_CAUSE);
        return;
      case 'unknown':
        warnOnce(
          `Amazon Connect reports screenRecordingState "${opinion.value}", which is in neither list of the option flowState. ` +
            'The recording is suspended until the state changes to one that is.',
        );
    }
    contacts.suspend(contactId, FLOW_CAUSE, 'suspended by the flow');
  }

  const each = (act: (contactId: string) => void): void => {
    for (const contactId of tracked.keys()) act(contactId);
  };

  const close = (): void => {
    for (const subscription of subscriptions) subscription.unsubscribe();
    for (const one of tracked.values()) {
      for (const subscription of one.subscriptions) subscription.unsubscribe();
    }
    tracked.clear();
  };

  try {
    // Early or late: the library calls back at once where it knows the agent already, but never for contacts of before.
    subscriptions.push(
      library.contact(track),
      library.agent((agent) => {
        const { agentARN } = agent.getConfiguration();
        if (agentArn !== undefined) return;
        agentArn = agentARN;
        onAgent(agent);
        const known = agent.getContacts();
        known.forEach(track);
        contacts.settle(known.map((contact) => contact.getContactId()));
        subscriptions.push(
          agent.onRefresh(() => {
            // Another agent's contacts must never be recorded under this one's name.
            if (agent.getConfiguration().agentARN === agentArn) return;
            warnOnce(
              'Another agent has signed in on this page. Recording is off until the page is loaded again.',
            );
            each((contactId) => contacts.stop(contactId));
            close();
          }),
        );
      }),
    );
  } catch (error) {
    close();
    throw new Error(
      'Sightline.streams needs the library after connect.core.initCCP(...) has been called. ' + String(error),
      { cause: error },
    );
  }

  return {
    suspend(contactId) {
      if (contactId === undefined) this.suspendAll(PAGE_CAUSE, 'suspended by the agent');
      else contacts.suspend(contactId, PAGE_CAUSE, 'suspended by the agent');
    },
    resume(contactId) {
      if (contactId === undefined) this.resumeAll(PAGE_CAUSE);
      else contacts.resume(contactId, PAGE_CAUSE);
    },
    suspendAll(cause, reason) {
      forAll.set(cause, reason);
      each((contactId) => contacts.suspend(contactId, cause, reason));
    },
    resumeAll(cause) {
      forAll.set(cause, null);
      each((contactId) => contacts.resume(contactId, cause));
    },
    close,
  };
}
