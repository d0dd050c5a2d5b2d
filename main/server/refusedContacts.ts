// Contacts that cannot be recorded because another agent's page is connected. Their pages were refused, so FAILED is all that
// anyone hears of them, and however often such a page asks, it gets no more than a few events.

import type { Logger } from '../platform/log.ts';
import type { ContactInfo } from '../session/state.ts';
import type { Failure } from '../shared/errors.ts';
import { failure } from '../shared/errors.ts';
import type { Identity } from '../shared/protocol.ts';
import type { Clock, Moment } from '../shared/time.ts';

interface RefusedContactsOptions {
  readonly announce: (contact: ContactInfo, agent: Identity, at: Moment, why: Failure) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Logger, 'warn'>;
}

const MINUTE_MS = 60_000;
/** An agent has 21 contacts at most: 1 call, 10 chats, 10 tasks. */
const MAX_IN_A_MINUTE = 21;
/** The oldest are forgotten, and would be announced again. */
const MAX_REMEMBERED = 1000;

export class RefusedContacts {
  private readonly known = new Set<string>();
  private readonly recent: Moment[] = [];

  constructor(private readonly options: RefusedContactsOptions) {}

  /** Announces FAILED, once for each contact of an agent. @returns what the page is told */
  refuse(contact: ContactInfo, agent: Identity): Failure {
    const why = failure(
      'MULTIPLE_CCP_INTERACTION',
      'Another agent or instance is connected on this machine: this contact is not recorded. Close the other page, then send hello and start the contact again.',
    );
    const { announce, clock, log } = this.options;
    const key = `${agent.agentArn}\n${contact.contactId}`;
    if (this.known.has(key)) return why;
    const now = clock.now();
    while (now - (this.recent[0] ?? now) >= MINUTE_MS) this.recent.shift();
    if (this.recent.length >= MAX_IN_A_MINUTE) {
      log.warn('a contact that cannot be recorded was not announced: there are too many', { code: why.code });
      return why;
    }
    this.recent.push(now);
    this.known.add(key);
    for (const oldest of this.known) {
      if (this.known.size <= MAX_REMEMBERED) break;
      this.known.delete(oldest);
    }
    log.warn('a contact is not recorded: another agent is connected', {
      ...{ contactId: contact.contactId, code: why.code },
    });
    announce(contact, agent, now, why);
    return why;
  }
}
