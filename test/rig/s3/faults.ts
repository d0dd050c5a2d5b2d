// Faults on demand for the S3 stand-in: which request is struck, and by what.
import type { Encryption } from './settings.ts';

export type Operation =
  | 'PutObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts'
  | 'ListMultipartUploads'
  | 'HeadObject'
  | 'GetObject'
  | 'ListObjectsV2'
  | 'DeleteObject';

export type FaultKind =
  /** 500 InternalError, nothing done. */
  | { kind: 'internalError' }
  /** 503 SlowDown, nothing done. */
  | { kind: 'slowDown' }
  /** The connection is reset (RST) after so many bytes of the body, 0: right after the headers. Nothing done. */
  | { kind: 'reset'; afterBytes?: number }
  /** Neither reads on nor answers until released; then goes on as if nothing had been. */
  | { kind: 'stall' }
  /** The work is done, the answer lost. */
  | { kind: 'lostAnswer' }
  | { kind: 'expiredToken' }
  /** 403 RequestTimeTooSkewed. */
  | { kind: 'clockSkew' }
  | { kind: 'accessDenied' }
  /** 403 AccessDenied that names a KMS action. */
  | { kind: 'kmsAccessDenied' }
  | { kind: 'noSuchBucket' }
  /** 409 ConditionalRequestConflict. */
  | { kind: 'conflict' }
  /** The work is done; the answer's checksum is of other bytes. */
  | { kind: 'wrongChecksumInAnswer' }
  /** The work is done; the answer names that encryption, or none. */
  | { kind: 'encryptionInAnswer'; named: Pick<Encryption, 'sse' | 'kmsKeyId'> | null }
  /** Status 200 with an <Error> in the body, as CompleteMultipartUpload may; nothing done. */
  | { kind: 'error200' };

export type Fault = FaultKind & {
  /** Any, unless told. */
  operation?: Operation;
  /** How many requests are struck, 1 unless told. */
  times?: number;
  /** How many matching requests pass before, 0 unless told. */
  skip?: number;
};

export interface InjectedFault {
  /** Requests struck so far. */
  readonly hits: number;
  /** Resolves when the first request is struck. */
  readonly struck: Promise<void>;
  /** Lets go what is stalled; no further request is struck. */
  release: () => void;
}

export interface Strike {
  readonly fault: Fault;
  readonly released: Promise<void>;
}

interface Entry {
  fault: Fault;
  skip: number;
  times: number;
  hits: number;
  struck: () => void;
  release: () => void;
  released: Promise<void>;
}

export class FaultList {
  #entries: Entry[] = [];

  inject(fault: Fault): InjectedFault {
    const struck = promiseToResolve();
    const released = promiseToResolve();
    const entry: Entry = {
      fault,
      skip: fault.skip ?? 0,
      times: fault.times ?? 1,
      hits: 0,
      struck: struck.resolve,
      release: () => {
        entry.times = 0;
        released.resolve();
      },
      released: released.promise,
    };
    this.#entries.push(entry);
    return {
      get hits() {
        return entry.hits;
      },
      struck: struck.promise,
      release: entry.release,
    };
  }

  /** What strikes this request; counts it for every fault that waits for its turn. */
  take(operation: Operation): Strike | null {
    let taken: Strike | null = null;
    for (const entry of this.#entries) {
      if (entry.fault.operation !== undefined && entry.fault.operation !== operation) continue;
      if (entry.skip > 0) entry.skip -= 1;
      else if (taken === null && entry.times > 0) {
        entry.times -= 1;
        entry.hits += 1;
        entry.struck();
        taken = { fault: entry.fault, released: entry.released };
      }
    }
    return taken;
  }

  clear(): void {
    for (const entry of this.#entries) entry.release();
    this.#entries = [];
  }
}

function promiseToResolve(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
