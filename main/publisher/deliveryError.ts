// Why a delivery failed, and whether waiting can help: what passes by itself is tried for ever, what does not is
// announced after a few tries, for somebody must do something.

import type { Failure } from '../shared/errors.ts';
import { SightlineError, errno, failure } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';

export class DeliveryError extends SightlineError {
  constructor(
    code: ErrorCode,
    message: string,
    /** Whether it will be the same until somebody has done something. */
    readonly isPermanent: boolean,
    cause?: unknown,
  ) {
    super(code, message, { cause });
  }
}

const PERMANENT = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EISDIR',
  'ENAMETOOLONG',
  'EINVAL',
  'ELOOP',
]);

/** What is no trouble of a system or a network (a damaged run, for one) does not pass either. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof DeliveryError) return error.isPermanent;
  const code = error instanceof SightlineError ? undefined : errno(error);
  return code === undefined || PERMANENT.has(code);
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'The sink is full. Make room there; the recording is kept in the spool and delivered then.',
  EDQUOT:
    "The sink's quota is used up. Make room there; the recording is kept in the spool and delivered then.",
  EACCES: 'The sink may not be written to. Give this user the right to; the recording is kept in the spool.',
  EPERM: 'The sink may not be written to. Give this user the right to; the recording is kept in the spool.',
  EROFS:
    'The sink is read-only. Mount it for writing or change "sinkFolder"; the recording is kept in the spool.',
  ENOTDIR: 'The sink is not a folder. Change "sinkFolder"; the recording is kept in the spool.',
  ENOENT: 'The sink is not there. Mount it or change "sinkFolder"; the recording is kept in the spool.',
};

export function explainDelivery(error: unknown): Failure {
  if (error instanceof SightlineError) return failure(error.code, error.message);
  const words = error instanceof Error ? error.message : String(error);
  const remedy = remedies[errno(error) ?? ''];
  return failure(
    'UPLOAD_FAILED',
    remedy === undefined ? `The recording could not be delivered: ${words}` : `${remedy} (${words})`,
  );
}
