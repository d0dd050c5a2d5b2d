// When a contact is recorded, from its type and state alone: a pure function, so that it does not matter which events arrived,
// in which order, or before the page was there. docs/ccp.md has it as a table.

export interface ContactFacts {
  /** `contact.getType()` */
  readonly type: string;
  /** `contact.getStatus().type` */
  readonly state: string;
  /** `contact.getInitiationMethod()`, where the library has it */
  readonly initiationMethod: string | undefined;
  /** The page saw `onAccepted`. A deskphone's acceptance is never seen. */
  readonly accepted: boolean;
}

/**
 * `before`: offered to the agent. `active`: the agent handles it. `after-work`: after-contact work. `set-aside`: a task that
 * the agent has paused. `over`: ended without after-contact work. `unchanged`: a state that says nothing.
 */
export type Phase = 'before' | 'active' | 'after-work' | 'set-aside' | 'over' | 'unchanged';

/** The agent dials, so nobody accepts: `connecting` is part of the contact. */
const DIALED_BY_AGENT = new Set(['outbound', 'external_outbound']);
const CUSTOMER_FIRST = 'callback_customer_first_dialed';

export function phaseOf({ type, state, initiationMethod = '', accepted }: ContactFacts): Phase {
  switch (state) {
    case 'init':
    case 'incoming':
      return accepted ? 'active' : 'before';
    case 'connecting': {
      // A softphone call, a chat and a task ring in this state. A callback is offered as `incoming`; now its customer is dialed.
      const rings = type !== 'queue_callback' || initiationMethod === CUSTOMER_FIRST;
      return accepted || !rings || DIALED_BY_AGENT.has(initiationMethod) ? 'active' : 'before';
    }
    case 'connected':
      return 'active';
    case 'paused':
      return 'set-aside';
    case 'ended':
      return 'after-work';
    case 'missed':
    case 'rejected':
    case 'error':
      return 'over';
    default:
      // `pending`, and what Connect may add.
      return 'unchanged';
  }
}
