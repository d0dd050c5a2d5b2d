// All pushes to pages, tray and windows, with one revision for the whole process, so that a listener knows which push is
// newest and whether it missed one. `recording.status` pushes contain events, `app.state` pushes the state.

import type { AppStatePush, ContactResumedPush, Push } from '../shared/protocol.ts';
import type { StatusEvent } from '../shared/statusEvent.ts';
import type { Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';

export type AppSnapshot = Omit<AppStatePush, 'type' | 'rev'>;

const initialSnapshot: AppSnapshot = {
  state: 'idle',
  contacts: [],
  uploads: { pending: 0, failed: 0, reason: null },
  reason: null,
};

type Resumed = Omit<ContactResumedPush<Moment>, 'type' | 'rev'>;

export class StatusHub {
  private revision = 1;
  private snapshot = initialSnapshot;
  private changedAt: Moment;
  private readonly listeners = new Set<(push: Push) => void>();

  /** @param onListenerError called when a listener throws; the others get the push all the same */
  constructor(
    private readonly onListenerError: (error: unknown) => void = () => undefined,
    private readonly now: () => Moment = Date.now,
  ) {
    this.changedAt = now();
  }

  /** The revision of the newest push. */
  get rev(): number {
    return this.revision;
  }

  /** The state as of the newest push, for a page that has just said hello. */
  get state(): AppStatePush {
    return { type: 'app.state', rev: this.revision, ...this.snapshot };
  }

  /** Since when `state.state` has been what it is. */
  get stateSince(): Moment {
    return this.changedAt;
  }

  /** Pushes when something has changed; the same state twice is one push. */
  update(change: Partial<AppSnapshot>): void {
    const snapshot = { ...this.snapshot, ...change };
    if (JSON.stringify(snapshot) === JSON.stringify(this.snapshot)) return;
    if (snapshot.state !== this.snapshot.state) this.changedAt = this.now();
    this.snapshot = snapshot;
    this.revision += 1;
    this.push(this.state);
  }

  pushEvent(event: StatusEvent): void {
    this.revision += 1;
    this.push({ type: 'recording.status', rev: this.revision, event });
  }

  pushResumed({ resumedAt, ...rest }: Resumed): void {
    this.revision += 1;
    this.push({ type: 'contact.resumed', rev: this.revision, ...rest, resumedAt: toTimestamp(resumedAt) });
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (push: Push) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private push(push: Push): void {
    for (const listener of this.listeners) {
      try {
        listener(push);
      } catch (error) {
        this.onListenerError(error);
      }
    }
  }
}
