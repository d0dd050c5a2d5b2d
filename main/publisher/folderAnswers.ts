// A share may take a request and never answer. Its thread is lost then, and Node has four: no second request goes to a folder
// that has not answered the first, or recording itself would stop.

import { DeliveryError } from './deliveryError.ts';

/** By the sink's folder, whoever asks: what has not been answered in time. */
const unanswered = new Map<string, Promise<unknown>>();

export class FolderAnswers {
  constructor(
    private readonly folder: string,
    private readonly timeoutMs: number,
  ) {}

  /**
   * @param times so many times the usual time, for what takes longer the more there is
   * @param tooLate undoes what was done after nobody waited for it any more
   * @throws DeliveryError when there is no answer in time, or one is missing from before
   */
  async within<T>(act: () => Promise<T>, times = 1, tooLate?: (value: T) => Promise<unknown>): Promise<T> {
    if (unanswered.has(this.folder)) throw this.silent();
    const acting = act();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        unanswered.set(this.folder, acting);
        const answered = (): boolean => unanswered.delete(this.folder);
        acting.then(tooLate).then(answered, answered);
        reject(this.silent());
      }, this.timeoutMs * times);
    });
    return Promise.race([acting, late]).finally(() => clearTimeout(timer));
  }

  /** Done now, or when the folder answers again; does not wait for that. Never rejects. */
  async soon(act: () => Promise<unknown>): Promise<void> {
    const before = unanswered.get(this.folder);
    if (before === undefined) await this.within(act).catch(() => undefined);
    else
      void before
        .catch(() => undefined)
        .then(act)
        .catch(() => undefined);
  }

  private silent(): DeliveryError {
    return new DeliveryError(
      'UPLOAD_FAILED',
      `The sink folder ${this.folder} does not answer. Check the share and the network; the recording is kept in the spool and delivered when it answers.`,
      false,
    );
  }
}
