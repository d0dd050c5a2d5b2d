// The bridge for Amazon Connect Streams: looks at each contact of the agent whenever anything about it changes, and tells
// ContactRecorder what it wants. It never derives a step from an event: a missed, doubled or skipped event changes nothing.
import { channelOf } from '../contactFacts.ts';
import type { ContactRecorder } from '../contract.ts';
import { suspensions, type Suspensions } from '../suspendAll.ts';
import { askedByFlow, decide, type Choose } from './choice.ts';
import { infoOf } from './details.ts';
import { FLOW_STATES, flowOpinion, type FlowStates } from './flowState.ts';
import {
  unsubscribe,
  type StreamsAgent,
  type StreamsContact,
  type StreamsLibrary,
  type StreamsSubscription,
} from './library.ts';
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
  readonly suspensions: Suspensions;
  readonly close: () => void;
}

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
  const suspended = suspensions(contacts, () => tracked.keys());
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
    suspended.apply(contactId);
    lookAgain();
  }

  function gone(contactId: string, one: Tracked): void {
    if (tracked.get(contactId) !== one) return;
    tracked.delete(contactId);
    one.subscriptions.forEach(unsubscribe);
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
      if (one.wanted) return;
      one.wanted = true;
      contacts.record(infoOf(one.contact, channel, attributes));
      // Behind a start that follows a stop, which forgot them: before the first frame, so the recording begins suspended.
      suspended.apply(contactId);
      followFlow(contactId, one.contact);
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
    if (opinion.kind === 'none') return;
    if (opinion.kind === 'recording') {
      contacts.resume(contactId, FLOW_CAUSE);
      return;
    }
    if (opinion.kind === 'unknown')
      warnOnce(
        `Amazon Connect reports screenRecordingState "${opinion.value}", which is in neither list of the option flowState. ` +
          'The recording is suspended until the state changes to one that is.',
      );
    contacts.suspend(contactId, FLOW_CAUSE, 'suspended by the flow');
  }

  const close = (): void => {
    subscriptions.forEach(unsubscribe);
    for (const one of tracked.values()) {
      one.subscriptions.forEach(unsubscribe);
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
            for (const contactId of tracked.keys()) contacts.stop(contactId);
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

  return { suspensions: suspended, close };
}
