// The policy of a Sightline that runs. Every service reads `values` at the moment of need, so that a change of policy
// needs no restart; what would disturb a contact waits here until none is on. A new policy that is not valid is refused
// as a whole, and the one before stays in force.

import type { Applied } from './keyInfo.ts';
import type { Policy, PolicyKey } from './keys.ts';
import { policyKeyNames, policyKeys } from './keys.ts';
import type { LoadedPolicy } from './load.ts';
import { PolicyError } from './load.ts';
import type { ErrorCode } from '../shared/errors.ts';

export interface PendingKey {
  readonly key: PolicyKey;
  readonly applied: Exclude<Applied, 'live'>;
}

export interface PolicyState {
  /** What is wrong with the newest policy; empty: nothing, and it is the one in force. */
  readonly problems: readonly string[];
  /** Changed, and not in effect yet. */
  readonly pending: readonly PendingKey[];
  /** Words about each value that counts for nothing, and why. */
  readonly ignored: readonly string[];
}

export interface LivePolicyOptions {
  readonly first: LoadedPolicy;
  /** Reads all sources anew. Rejects with a PolicyError where they are not a valid policy. */
  readonly load: () => Promise<LoadedPolicy>;
  /** Told when `state` may be another one. */
  readonly onState?: () => void;
  /** Words about what has happened, for the log. */
  readonly tell: (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
}

export type PolicyListener = (changed: ReadonlySet<PolicyKey>) => void;

/** Their defaults lie below the data folder, so that they cannot go anywhere before it does. */
const BELOW_DATA_FOLDER: readonly PolicyKey[] = ['sinkFolder', 'statusEventsFile'];

export class LivePolicy {
  /** What is in effect now; the same object for ever, each value read anew. Copies of it are of their moment. */
  readonly values: Policy;
  private effective: Policy;
  private wanted: LoadedPolicy;
  private problems: readonly string[] = [];
  /** Until the services have said so nothing is certain. */
  private isIdle = false;
  private looking: Promise<void> | null = null;
  private again = false;
  private readonly listeners = new Set<PolicyListener>();

  constructor(private readonly options: LivePolicyOptions) {
    this.wanted = options.first;
    this.effective = options.first.values;
    const view = {};
    for (const name of policyKeyNames)
      Object.defineProperty(view, name, { enumerable: true, get: () => this.effective[name] });
    this.values = view as Policy;
  }

  get state(): PolicyState {
    const pending = policyKeyNames.flatMap((key) => {
      const applied = this.appliedNow(key);
      return applied === 'live' || isSame(this.wanted.values[key], this.effective[key])
        ? []
        : [{ key, applied }];
    });
    return { problems: this.problems, pending, ignored: this.wanted.warnings };
  }

  /** @returns the way to end it */
  onChange(listener: PolicyListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Whether no contact is on. What has waited for that takes effect within this call; then it is looked again. */
  contactsAreOn(areOn: boolean): void {
    if (this.isIdle === !areOn) return;
    this.isIdle = !areOn;
    if (areOn) return;
    this.apply();
    this.options.onState?.();
    void this.look();
  }

  /** Reads the policy again and takes up what has changed. Several at once are one, or one more. Never rejects. */
  look(): Promise<void> {
    if (this.looking !== null) {
      this.again = true;
      return this.looking;
    }
    this.looking = this.lookUntilDone().finally(() => {
      this.looking = null;
      this.options.onState?.();
    });
    return this.looking;
  }

  private async lookUntilDone(): Promise<void> {
    await this.lookOnce();
    while (this.tookAgain()) await this.lookOnce();
  }

  private tookAgain(): boolean {
    const again = this.again;
    this.again = false;
    return again;
  }

  private async lookOnce(): Promise<void> {
    const { tell } = this.options;
    let loaded: LoadedPolicy;
    try {
      loaded = await this.options.load();
    } catch (error) {
      const problems = error instanceof PolicyError ? error.problems : [String(error)];
      if (!isSame(problems, this.problems))
        tell('error', 'the new policy is refused; the one before stays in force', { problems });
      this.problems = problems;
      return;
    }
    if (this.problems.length > 0) tell('info', 'the policy is valid again');
    this.problems = [];
    for (const warning of loaded.warnings)
      if (!this.wanted.warnings.includes(warning)) tell('warn', warning, ignoredCode);
    const before = this.state.pending.map(({ key }) => key);
    this.wanted = loaded;
    this.apply();
    for (const { key, applied } of this.state.pending) {
      if (!before.includes(key))
        tell('info', `a policy key has changed and ${waitingWords[applied]}`, { key });
    }
  }

  private apply(): void {
    const changed = policyKeyNames.filter((key) => {
      const applied = this.appliedNow(key);
      const mayChange = applied === 'live' || (applied === 'when-idle' && this.isIdle);
      return mayChange && !isSame(this.wanted.values[key], this.effective[key]);
    });
    if (changed.length === 0) return;
    // All in one step: nobody sees a new sink with the old bucket.
    const news = Object.fromEntries(changed.map((key) => [key, this.wanted.values[key]]));
    this.effective = { ...this.effective, ...news };
    // Names alone: values may say more than a log is to know.
    this.options.tell('info', 'policy has changed', { keys: changed });
    for (const listener of this.listeners) {
      try {
        listener(new Set(changed));
      } catch (error) {
        this.options.tell('error', 'a change of policy could not be followed', { reason: String(error) });
      }
    }
  }

  private appliedNow(key: PolicyKey): Applied {
    const isBelow =
      BELOW_DATA_FOLDER.includes(key) &&
      this.wanted.sources[key] === 'default' &&
      this.wanted.values.dataDir !== this.effective.dataDir;
    return isBelow ? 'restart' : policyKeys[key].applied;
  }
}

/** For lines of the log. */
export const ignoredCode = { code: 'POLICY_VALUE_IGNORED' } as const satisfies { code: ErrorCode };

export const waitingWords = {
  'when-idle': 'takes effect when no contact is on',
  restart: 'takes effect when Sightline is next started',
} as const;

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
