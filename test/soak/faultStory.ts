// What a page does with its contacts while the disk has faults, and what it was promised meanwhile: every request with its
// answer, every suspension with the pictures that must not be found again. The judge (faultJudge.ts) holds Sightline to it.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorSources } from '../../main/shared/errors.ts';
import type { Desk } from '../rig/desk.ts';
import type { AnyReply, Page, Recorder } from '../rig/recorder.ts';
import { ffmpegsOf } from './common.ts';
import type { Exposure } from './leakCheck.ts';

/** docs/protocol.md, "Deadlines", and what this busy machine may add. */
const DEADLINES_MS = { start: 10_000, suspend: 5_000, resume: 15_000, stop: 15_000 } as const;
const LATE_MS = 1_500;
/** A suspend without an acknowledgement was received at the latest so long after it was sent. */
const RECEIVED_WITHIN_MS = 500;

export type StepName = keyof typeof DEADLINES_MS;

export interface PromisedContact {
  readonly contactId: string;
  /** As the start's answer says; null: it was never answered with ok. */
  startTime: string | null;
  recordingId: string | null;
  /** As the stop's answer says. */
  endTime: string | null;
  /** Of the suspensions that were acknowledged. */
  readonly suspendedAt: string[];
  /** Acknowledged, and no resume or stop has been sent since. */
  isSuspended: boolean;
  /** Its start was refused for good: there is nothing to suspend or to stop. */
  isAbsent: boolean;
}

/** The program is gone: the rest of the story is the next program's. */
export class Gone extends Error {}

export interface StoryOptions {
  readonly desk: Desk;
  /** Before a request is sent. */
  readonly beforeStep?: (step: StepName, contactId: string) => Promise<void>;
  /** Of every suspend. A long one makes a long line of the journal. */
  readonly reason?: string;
  /** Resolves when the fault is over; what was refused is asked for again then, as a page would. */
  readonly isOver: () => Promise<void>;
}

export class Story {
  readonly contacts = new Map<string, PromisedContact>();
  readonly exposures: Exposure[] = [];
  readonly complaints: string[] = [];
  /** Of errors, by their request: `suspend: SUSPEND_FAILED`. */
  readonly refusals: string[] = [];
  /** Resolves when the request that is under way has been answered and what follows from that is on the screen. */
  settled: Promise<unknown> = Promise.resolve();
  private page!: Page;
  private isClosed = false;
  private isHeld = false;

  constructor(private readonly options: StoryOptions) {}

  use(page: Page): void {
    this.page = page;
    this.isClosed = false;
    this.isHeld = false;
    void page.closed.then(() => {
      if (this.page === page) this.isClosed = true;
    });
  }

  /**
   * Two contacts that overlap: the first is suspended and resumed, the second ends suspended.
   * @throws Gone when the program ends
   */
  async play(): Promise<void> {
    await this.step('start', 'a');
    await sleep(350);
    await this.step('suspend', 'a');
    await sleep(300);
    await this.step('resume', 'a');
    await sleep(250);
    await this.step('start', 'b');
    await sleep(250);
    await this.step('stop', 'a');
    await this.step('suspend', 'b');
    await sleep(200);
    await this.step('stop', 'b');
  }

  /**
   * The same page after a restart: what was suspended still is, nothing is captured until it resumes it, and all ends.
   * @throws Gone when the program ends
   */
  async goOn(recorder: Recorder): Promise<void> {
    const { recordings } = await this.page.ask<{ recordings: { contactId: string; state: string }[] }>(
      'status',
    );
    const left = new Map(recordings.map(({ contactId, state }) => [contactId, state]));
    const suspended = [...this.contacts.values()].filter((one) => one.isSuspended);
    for (const { contactId } of suspended) {
      const state = left.get(contactId) ?? 'gone';
      if (state !== 'suspended')
        this.complaints.push(`${contactId} was suspended and is ${state} after the restart`);
    }
    if (suspended.length > 0) {
      await sleep(700);
      if (await isGrabbed(recorder))
        this.complaints.push('the screen is grabbed after the restart, before any resume');
    }
    for (const [contactId, state] of left) {
      if (state === 'suspended') await this.step('resume', contactId);
    }
    await this.clean();
    await sleep(250);
    for (const contactId of left.keys()) await this.step('stop', contactId);
  }

  /** Nothing more is asked for: the program is about to end. */
  hold(): void {
    this.isHeld = true;
  }

  /** The sensitive picture goes; what is painted from now on may be recorded. */
  async clean(): Promise<void> {
    const { paintedAtMs } = await this.options.desk.showSensitive(false);
    for (const exposure of this.exposures) exposure.cleanFromMs = Math.min(exposure.cleanFromMs, paintedAtMs);
  }

  /** The program is gone: a suspension that was not acknowledged ends with it. */
  async died(): Promise<void> {
    if (![...this.contacts.values()].some((one) => one.isSuspended)) await this.clean();
  }

  private async step(step: StepName, contactId: string): Promise<void> {
    if (this.isHeld) {
      await this.page.closed;
      throw new Gone();
    }
    const done = this.carryOut(step, contactId);
    this.settled = done.catch(() => undefined);
    await done;
  }

  private async carryOut(step: StepName, contactId: string): Promise<void> {
    if (this.promised(contactId).isAbsent) return;
    await this.options.beforeStep?.(step, contactId);
    if (step === 'resume') {
      await this.clean();
      this.promised(contactId).isSuspended = false;
    }
    const sentAt = Date.now();
    const reply = await this.ask(step, contactId);
    if (step === 'suspend') await this.expose(sentAt, reply);
    if (reply.ok) {
      this.note(step, contactId, reply);
      return;
    }
    await Promise.race([this.options.isOver(), this.page.closed]);
    // A start that was given up may be asked for as often as it takes, the others are idempotent.
    const again = await this.ask(step, contactId);
    if (!again.ok) {
      const { code = '?', message = '?' } = again.error ?? {};
      this.complaints.push(`${step} of ${contactId} is refused after the fault is over: ${code}: ${message}`);
      if (step === 'start') this.promised(contactId).isAbsent = true;
      return;
    }
    this.note(step, contactId, again);
  }

  private async expose(sentAt: number, reply: AnyReply): Promise<void> {
    const suspendedAtMs = reply.ok ? Date.parse(String(reply['suspendedAt'])) : sentAt + RECEIVED_WITHIN_MS;
    this.exposures.push({ cycle: this.exposures.length, suspendedAtMs, cleanFromMs: Infinity });
    await this.options.desk.showSensitive(true);
  }

  private note(step: StepName, contactId: string, reply: AnyReply): void {
    const contact = this.promised(contactId);
    if (step === 'start') {
      contact.startTime = String(reply['startTime']);
      contact.recordingId = String(reply['recordingId']);
    }
    if (step === 'suspend') {
      contact.suspendedAt.push(String(reply['suspendedAt']));
      contact.isSuspended = true;
    }
    if (step === 'stop') {
      contact.endTime = String(reply['endTime']);
      contact.isSuspended = false;
    }
  }

  /** The answer, whatever it says; none in time, or one without a code, is a complaint. */
  private async ask(step: StepName, contactId: string): Promise<AnyReply> {
    if (this.isClosed) throw new Gone();
    const patience = new AbortController();
    const late = sleep(DEADLINES_MS[step] + LATE_MS, 'late' as const, {
      signal: patience.signal,
      ref: false,
    });
    const reply = await Promise.race([
      this.page.request(`contact.${step}`, { contactId, ...this.fieldsOf(step) }),
      this.page.closed.then(() => 'gone' as const),
      late.catch(() => 'late' as const),
    ]);
    patience.abort();
    if (reply === 'gone') throw new Gone();
    if (reply === 'late') {
      const message = `${step} of ${contactId} got no answer within ${DEADLINES_MS[step]} ms`;
      this.complaints.push(message);
      return { re: null, ok: false };
    }
    if (!reply.ok) {
      const code = reply.error?.code ?? 'no code';
      this.refusals.push(`${step}: ${code}`);
      if (!(code in errorSources)) this.complaints.push(`${step} of ${contactId} was refused with ${code}`);
    }
    return reply;
  }

  private fieldsOf(step: StepName): Record<string, string> {
    const { reason } = this.options;
    if (step === 'start') return { channel: 'VOICE' };
    return step === 'suspend' && reason !== undefined ? { reason } : {};
  }

  private promised(contactId: string): PromisedContact {
    const known = this.contacts.get(contactId);
    if (known !== undefined) return known;
    const made: PromisedContact = {
      ...{ contactId, startTime: null, recordingId: null, endTime: null, suspendedAt: [] },
      ...{ isSuspended: false, isAbsent: false },
    };
    this.contacts.set(contactId, made);
    return made;
  }
}

export async function isGrabbed({ pid }: Recorder): Promise<boolean> {
  const lines = await Promise.all(
    (await ffmpegsOf(pid)).map((one) => readFile(`/proc/${one}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.some((line) => line.includes('x11grab'));
}
