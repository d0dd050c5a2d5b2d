// An error that the reviewer is told: a stable code and a sentence. Everything else is UNKNOWN, and its text stays in the log.

import type { ReviewErrorCode } from '../contract.ts';

export class ReviewFailure extends Error {
  override readonly name = 'ReviewFailure';

  constructor(
    readonly code: ReviewErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
