// A network share may accept a request and never answer. The request then blocks one of Node's four file system threads, so
// no more than two are outstanding for a folder, of however many recordings, and none follows one that was not answered in time
// until it is. Otherwise recording itself would stop.

import { withDeadline } from '../platform/deadline.ts';
import { UploadError } from './uploadError.ts';

/** By folder, for the whole process: the request that was not answered in time. */
const unanswered = new Map<string, Promise<unknown>>();
/** Two, so that one file that hangs does not stop the others. */
const MAX_OUTSTANDING = 2;
/** By folder, for the whole process. */
const lines = new Map<string, { outstanding: number; readonly waiting: (() => void)[] }>();

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
    const line = lines.get(this.folder) ?? { outstanding: 0, waiting: [] };
    lines.set(this.folder, line);
    if (line.outstanding >= MAX_OUTSTANDING) await new Promise<void>((resolve) => line.waiting.push(resolve));
    else line.outstanding += 1;
    try {
      return await this.inTurn(request, times, onLateResult);
    } finally {
      // The next one takes over the place.
      const next = line.waiting.shift();
      if (next === undefined) line.outstanding -= 1;
      else next();
    }
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

  private inTurn<T>(
    request: () => Promise<T>,
    times: number,
    onLateResult?: (value: T) => Promise<unknown>,
  ): Promise<T> {
    if (unanswered.has(this.folder)) return Promise.reject(this.noAnswer());
    const running = request();
    return withDeadline(running, this.timeoutMs * times, () => {
      unanswered.set(this.folder, running);
      const answered = (): boolean => unanswered.delete(this.folder);
      running.then(onLateResult).then(answered, answered);
      return this.noAnswer();
    });
  }

  private noAnswer(): UploadError {
    return new UploadError(
      'UPLOAD_FAILED',
      `The sink folder ${this.folder} does not answer. Check the share and the network; the recording is kept in the spool and uploaded when the folder answers.`,
      false,
    );
  }
}
