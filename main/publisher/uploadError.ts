// Why an upload failed, and whether a retry alone can help: a transient error is retried without limit, a permanent one is
// also announced after a few attempts, because a person must act.

import type { ErrorCode, Failure } from '../shared/errors.ts';
import { SightlineError, errno, errorMessage, failure } from '../shared/errors.ts';

export class UploadError extends SightlineError {
  constructor(
    code: ErrorCode,
    message: string,
    /** Whether every retry will fail until the cause is fixed. */
    readonly isPermanent: boolean,
    cause?: unknown,
  ) {
    super(code, message, { cause });
  }
}

const PERMANENT = new Set([
  ...['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EINVAL', 'ELOOP'],
]);

/** Errors that are neither of the system nor of the network (a damaged run, for example) are permanent, too. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof UploadError) return error.isPermanent;
  const code = error instanceof SightlineError ? undefined : errno(error);
  return code === undefined || PERMANENT.has(code);
}

const noAccess =
  'The sink may not be written to. Give this user write access; the recording is kept in the spool.';
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'The sink is full. Free space there; the recording is kept in the spool and uploaded then.',
  EDQUOT:
    "The sink's quota is used up. Free space there; the recording is kept in the spool and uploaded then.",
  EACCES: noAccess,
  EPERM: noAccess,
  EROFS:
    'The sink is read-only. Mount it for writing or change "sinkFolder"; the recording is kept in the spool.',
  ENOTDIR: 'The sink is not a folder. Change "sinkFolder"; the recording is kept in the spool.',
  ENOENT: 'The sink is not there. Mount it or change "sinkFolder"; the recording is kept in the spool.',
};

export function explainUploadError(error: unknown): Failure {
  if (error instanceof SightlineError) return failure(error.code, error.message);
  const remedy =
    remedies[errno(error) ?? ''] ??
    'The recording could not be uploaded. It is kept in the spool and retried automatically.';
  return failure('UPLOAD_FAILED', `${remedy} (${errorMessage(error)})`);
}
