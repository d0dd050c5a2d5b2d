// The policy of a running Sightline. Services read `values` when they need one, so a change needs no restart; a change
// that would disturb a contact is applied when no contact is open. A new policy that is not valid is rejected as a whole,
// and the previous one stays in force.

import type { Applied } from './keyInfo.ts';
import type { Policy, PolicyKey } from './keys.ts';
import { policyKeyNames, policyKeys } from './keys.ts';
import type { LoadedPolicy } from './load.ts';
import { PolicyError } from './load.ts';
import type { Logger } from '../platform/log.ts';
import type { ErrorCode } from '../shared/errors.ts';

interface PendingKey {
  readonly key: PolicyKey;
  readonly applied: Exclude<Applied, 'live'>;
}

export interface PolicyState {
  /** Of the newest policy; empty when it is valid, and then it is in force. */
  readonly problems: readonly string[];
  /** Changed, and not applied yet. */
  readonly pending: readonly PendingKey[];
  /** A warning for each value that is ignored. */
  readonly ignored: readonly string[];
}

interface LivePolicyOptions {
  readonly first: LoadedPolicy;
  /** Reads all sources. Rejects with a PolicyError when the policy is not valid. */
  readonly load: () => Promise<LoadedPolicy>;
  /** `state` may have changed. */
  readonly onState?: () => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

type Listener = (changed: ReadonlySet<PolicyKey>) => void;

/** Their defaults are below the data folder, so they change together with it. */
const BELOW_DATA_FOLDER: readonly PolicyKey[] = ['sinkFolder', 'statusEventsFile'];

export class LivePolicy {
  /** What is in effect now. The object stays the same and its values change: do not copy it. */
  readonly values: Policy;
  private wanted: LoadedPolicy;
  private problems: readonly string[] = [];
  /** Not before the services report it. */
  private isIdle = false;
  private looking: Promise<void> | null = null;
  private again = false;
  private readonly listeners = new Set<Listener>();

  constructor(private readonly options: LivePolicyOptions) {
    this.wanted = options.first;
    this.values = { ...options.first.values };
  }

  get state(): PolicyState {
    const pending = this.differences().filter((one): one is PendingKey => one.applied !== 'live');
    return { problems: this.problems, pending, ignored: this.wanted.warnings };
  }

  /** @returns unsubscribes */
  onChange(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** When no contact is open any more, pending changes are applied within this call; then the policy is read again. */
  contactsAreOn(areOn: boolean): void {
    if (this.isIdle === !areOn) return;
    this.isIdle = !areOn;
    if (areOn) return;
    this.apply();
    this.options.onState?.();
    void this.look();
  }

  /** Reads the policy again and applies what has changed. A call while it reads makes it read once more. Never rejects. */
  look(): Promise<void> {
    this.again = true;
    this.looking ??= this.lookUntilDone();
    return this.looking;
  }

  private async lookUntilDone(): Promise<void> {
    while (this.again) {
      this.again = false;
      await this.lookOnce();
    }
    this.looking = null;
    this.options.onState?.();
  }

  private async lookOnce(): Promise<void> {
    const { log } = this.options;
    let loaded: LoadedPolicy;
    try {
      loaded = await this.options.load();
    } catch (error) {
      const problems = error instanceof PolicyError ? error.problems : [String(error)];
      if (!isSame(problems, this.problems))
        log.error('the new policy is refused; the one before stays in force', { problems });
      this.problems = problems;
      return;
    }
    if (this.problems.length > 0) log.info('the policy is valid again');
    this.problems = [];
    for (const warning of loaded.warnings)
      if (!this.wanted.warnings.includes(warning)) log.warn(warning, ignoredCode);
    const before = this.state.pending.map(({ key }) => key);
    this.wanted = loaded;
    this.apply();
    for (const { key, applied } of this.state.pending) {
      if (!before.includes(key)) log.info(`a policy key has changed and ${pendingText[applied]}`, { key });
    }
  }

  private apply(): void {
    const changed = this.differences()
      .filter(({ applied }) => applied === 'live' || (applied === 'when-idle' && this.isIdle))
      .map(({ key }) => key);
    if (changed.length === 0) return;
    // All in one step: never a new sink with the old bucket.
    Object.assign(this.values, Object.fromEntries(changed.map((key) => [key, this.wanted.values[key]])));
    // Without values, which must not be in a log.
    this.options.log.info('policy has changed', { keys: changed });
    for (const listener of this.listeners) {
      try {
        listener(new Set(changed));
      } catch (error) {
        this.options.log.error('a change of policy could not be applied', { reason: String(error) });
      }
    }
  }

  /** Keys whose newest valid value is not in effect. */
  private differences(): { readonly key: PolicyKey; readonly applied: Applied }[] {
    const { values, sources } = this.wanted;
    return policyKeyNames
      .filter((key) => !isSame(values[key], this.values[key]))
      .map((key) => {
        const movesWithDataFolder =
          BELOW_DATA_FOLDER.includes(key) &&
          sources[key] === 'default' &&
          values.dataDir !== this.values.dataDir;
        return { key, applied: movesWithDataFolder ? 'restart' : policyKeys[key].applied };
      });
  }
}

/** For lines of the log. */
export const ignoredCode = { code: 'POLICY_VALUE_IGNORED' } as const satisfies { code: ErrorCode };

export const pendingText = {
  'when-idle': 'takes effect when no contact is on',
  restart: 'takes effect when Sightline is next started',
} as const;

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
