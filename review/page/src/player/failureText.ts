// What a failed request says to the reviewer.

import type { ApiFailure } from '../api.ts';
import { texts } from '../strings/player.ts';

/** The server's sentence, or ours where there was no answer. */
export function failureText(failure: ApiFailure): string {
  return failure.message === '' ? texts.unreachable : failure.message;
}
