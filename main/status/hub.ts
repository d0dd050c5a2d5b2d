// Where every push goes through: one revision for the whole process, by which a listener knows what is newest and
// whether it missed something. `recording.status` pushes carry events, `app.state` pushes carry the state.

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

export type Resumed = Omit<ContactResumedPush, 'type' | 'rev' | 'resumedAt'> & { readonly resumedAt: Moment };

export class StatusHub {
  private revision = 1;
  private snapshot = initialSnapshot;
  private changedAt: Moment;
  private readonly listeners = new Set<(push: Push) => void>();

  /** @param onListenerError called when a listener throws; the others are called all the same */
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

  /** @returns the way to end it */
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
