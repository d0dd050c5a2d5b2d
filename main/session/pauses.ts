// Which pauses apply now: absences that the platform reports (unless policy ignores them), and a missing display.

import { errorMessage } from '../shared/errors.ts';
import type { Logger } from '../platform/log.ts';
import type { SessionWatch, StartSessionWatch } from '../platform/sessionWatch.ts';
import type { PauseReason } from '../shared/names.ts';
import type { Clock, Moment } from '../shared/time.ts';
import type { SessionEvent } from './state.ts';

export interface PausesOptions {
  /** Read anew each time: policy may change. */
  readonly policy: { readonly pauseOnLock: boolean };
  readonly dispatch: (event: SessionEvent) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Pauses {
  private absences: readonly PauseReason[] = [];
  private hasDisplay = true;
  private watch: Promise<SessionWatch | null> = Promise.resolve(null);

  constructor(private readonly options: PausesOptions) {}

  /**
   * Follows the platform's reports. Without a working watch nothing pauses.
   * @param onBack called when no absence applies any more
   */
  follow(watchSession: StartSessionWatch, onBack: () => void): void {
    const { log } = this.options;
    const onChange = (absences: readonly PauseReason[]): void => {
      this.absencesChanged(absences);
      if (absences.length === 0) onBack();
    };
    this.watch = watchSession({ onChange, log }).catch((error: unknown) => {
      log.warn('a locked screen will not be noticed', { reason: errorMessage(error) });
      return null;
    });
  }

  async stop(): Promise<void> {
    await (await this.watch)?.stop();
  }

  /** @param absences all that apply now (platform/sessionWatch.ts) */
  absencesChanged(absences: readonly PauseReason[]): void {
    const { log } = this.options;
    if (absences.length === 0) log.info('the agent is back at the screen');
    else log.info('the agent is away from the screen', { because: absences.join(', ') });
    this.absences = absences;
    this.update();
  }

  displaysChanged({ at, available }: { readonly at: Moment; readonly available: boolean }): void {
    this.options.log.info('the displays changed', { available });
    if (available && this.hasDisplay) this.options.dispatch({ type: 'displays.changed', at });
    this.hasDisplay = available;
    this.update(at);
  }

  policyChanged(keys: ReadonlySet<string>): void {
    if (keys.has('pauseOnLock')) this.update();
  }

  private update(at: Moment = this.options.clock.now()): void {
    const pauses = [
      ...(this.options.policy.pauseOnLock ? this.absences : []),
      ...(this.hasDisplay ? [] : (['display-unavailable'] as const)),
    ];
    this.options.dispatch({ type: 'pauses', pauses, at });
  }
}
