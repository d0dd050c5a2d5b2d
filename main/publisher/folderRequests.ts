// A network share may accept a request and never answer. The request then blocks one of Node's four file system threads, so
// no second request goes to that folder until the first one is answered. Otherwise recording itself would stop.

import { withDeadline } from '../platform/deadline.ts';
import { UploadError } from './uploadError.ts';

/** By folder, for the whole process: the request that was not answered in time. */
const unanswered = new Map<string, Promise<unknown>>();

export class FolderRequests {
  constructor(
    private readonly folder: string,
    private readonly timeoutMs: number,
  ) {}

  /**
   * @param times multiplies the deadline, for requests whose duration depends on the file's size
   * @param onLateResult undoes what completed after the deadline
   * @throws UploadError when the folder does not answer in time, or has not answered an earlier request yet
   */
  async within<T>(
    request: () => Promise<T>,
    times = 1,
    onLateResult?: (value: T) => Promise<unknown>,
  ): Promise<T> {
    if (unanswered.has(this.folder)) throw this.noAnswer();
    const running = request();
    return withDeadline(running, this.timeoutMs * times, () => {
      unanswered.set(this.folder, running);
      const answered = (): boolean => unanswered.delete(this.folder);
      running.then(onLateResult).then(answered, answered);
      return this.noAnswer();
    });
  }

  /** Now, or when the folder answers again; does not wait for that. Never rejects. */
  async cleanUp(request: () => Promise<unknown>): Promise<void> {
    const earlier = unanswered.get(this.folder);
    if (earlier === undefined) await this.within(request).catch(() => undefined);
    else
      void earlier
        .catch(() => undefined)
        .then(request)
        .catch(() => undefined);
  }

  private noAnswer(): UploadError {
    return new UploadError(
      'UPLOAD_FAILED',
      `The sink folder ${this.folder} does not answer. Check the share and the network; the recording is kept in the spool and uploaded when the folder answers.`,
      false,
    );
  }
}
