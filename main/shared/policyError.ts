// What is wrong with the settings that Sightline was started with.

/** Names every key that is wrong, where its value came from, and why: one line each. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';

  readonly problems: readonly string[];

  constructor(problems: string | readonly string[]) {
    const all = typeof problems === 'string' ? [problems] : problems;
    super(all.join('\n'));
    this.problems = all;
  }
}
