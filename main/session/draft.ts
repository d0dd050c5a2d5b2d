// One step of the session in the making: the state as changed so far, the effects in their order, and the small
// moves that the reducer's decisions are made of. Mutable inside, thrown away after the step.

import type { ErrorCode } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import type { Contact, Effect, SessionRecord, SessionReply, SessionState, Token } from './state.ts';
import { isOpen, whyNoCapture } from './view.ts';

const FINISHED_REMEMBERED = 200;

export class Draft {
  readonly effects: Effect[] = [];

  constructor(public state: SessionState) {}

  protected journal(record: SessionRecord): void {
    this.effects.push({ type: 'journal', record });
  }

  // Replies

  protected acknowledgeSuspends(): void {
    if (this.state.runs.length > 0) return;
    for (const { token, suspendedAt } of this.state.agentTokens)
      this.replySuspended([token], suspendedAt, this.state.agentHold?.until ?? null);
    this.set({ agentTokens: [] });
    for (const contact of this.state.contacts) {
      if (contact.suspendTokens.length === 0) continue;
      for (const { token, suspendedAt } of contact.suspendTokens) {
        this.replySuspended([token], suspendedAt, contact.resumesAt);
      }
      this.update(contact, { suspendTokens: [] });
    }
  }

  protected replySuspended(tokens: readonly Token[], suspendedAt: Moment, resumesAt: Moment | null): void {
    this.reply(tokens, { kind: 'suspend', suspendedAt, ...(resumesAt === null ? {} : { resumesAt }) });
  }

  protected replyStarted(contact: Contact, startTime: Moment, tokens: readonly Token[]): void {
    const { recordingId } = contact;
    this.reply(tokens, { kind: 'start', recordingId, startTime, ...whyNoCapture(this.state) });
  }

  protected replyResumed(contact: Contact, resumedAt: Moment): void {
    const why = whyNoCapture(this.state);
    this.reply(contact.resumeTokens, { kind: 'resume', resumedAt, ...why });
    if (contact.resumedBy !== null) {
      const { contactId } = contact.info;
      this.effects.push({ type: 'tell.resumed', contactId, resumedAt, cause: contact.resumedBy, ...why });
    }
    this.update(contact, { resumedAt, resumeTokens: [], resumedBy: null });
  }

  protected reply(tokens: readonly Token[], reply: SessionReply): void {
    for (const token of tokens) this.effects.push({ type: 'reply', token, reply });
  }

  protected refuse(token: Token, code: ErrorCode, message: string): void {
    this.effects.push({ type: 'refuse', token, code, message });
  }

  protected refuseUnknown(token: Token, contactId: string): void {
    this.refuse(token, 'UNKNOWN_CONTACT', `No recording is open for contact ${contactId}. Start it first.`);
  }

  // State

  protected set(change: Partial<SessionState>): void {
    this.state = { ...this.state, ...change };
  }

  protected find(contactId: string): Contact | undefined {
    return this.state.contacts.find((contact) => contact.info.contactId === contactId);
  }

  protected findOpen(contactId: string): Contact | undefined {
    const contact = this.find(contactId);
    return contact !== undefined && isOpen(contact) ? contact : undefined;
  }

  /** The contact as it stands now, after changes made since `contact` was read. */
  protected get(contact: Contact): Contact {
    return this.state.contacts.find((one) => one.recordingId === contact.recordingId) ?? contact;
  }

  protected update(contact: Contact, change: Partial<Contact>): void {
    this.set({
      contacts: this.state.contacts.map((one) =>
        one.recordingId === contact.recordingId ? { ...one, ...change } : one,
      ),
    });
  }

  protected remove(contact: Contact): void {
    this.set({ contacts: this.state.contacts.filter((one) => one.recordingId !== contact.recordingId) });
  }

  protected rememberFinished(contact: Contact, endTime: Moment, suspended: boolean): void {
    const { recordingId, info } = contact;
    const { contactId } = info;
    const others = this.state.finished.filter((one) => one.contactId !== contactId);
    const finished = [...others, { contactId, recordingId, endTime, suspended }];
    if (finished.length > FINISHED_REMEMBERED) {
      // Those that are to begin suspended again go last.
      const oldest = finished.findIndex((one) => !one.suspended && one.heldByAgent !== true);
      finished.splice(Math.max(0, oldest), 1);
    }
    this.set({ finished });
  }
}
