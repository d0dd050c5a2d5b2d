// The error of a request.

import type { SightlineError } from '../contract.ts';
import type { ErrorSource, RequestFailure } from '../protocol.ts';

export class RequestError extends Error implements SightlineError {
  override readonly name = 'SightlineError';
  readonly code: string;
  readonly source: ErrorSource;

  constructor(readonly failure: RequestFailure) {
    super(failure.message);
    this.code = failure.code;
    this.source = failure.source;
  }
}

export function clientError(code: string, message: string): RequestError {
  return new RequestError({ code, message, source: 'CLIENT' });
}
