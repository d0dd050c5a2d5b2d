// Whether the endpoint that checks the tokens of pages can be reached and lets nobody in without one (docs/auth.md).

import type { Check } from '../check.ts';
import { failed, ok, skipped, warning, wordsOf } from '../check.ts';

/** null: policy asks for no token. `ask`: the status of its answer to a question without a token. */
export type PageAuthSubject = {
  /** Its host; null: policy names none. */
  readonly host: string | null;
  readonly ask: () => Promise<number>;
} | null;

export function pageAuthCheck(subject: PageAuthSubject): Check {
  return {
    name: 'authentication',
    run: async () => {
      if (subject === null) return skipped('policy "auth" is origin: pages need no token');
      const { host, ask } = subject;
      if (host === null) return failed('no endpoint is named', 'Set "authUrl" or "instanceAlias".');
      let status: number;
      try {
        status = await ask();
      } catch (error) {
        return failed(
          `the endpoint ${host} cannot be reached: ${wordsOf(error)}`,
          'No page is let in until it can. Check the network, the address and the certificate.',
        );
      }
      const evidence = `the endpoint ${host} answered ${status} to a question without a token`;
      if (status === 401 || status === 403) return ok(evidence);
      if (status === 200)
        return failed(evidence, 'It may let anybody in. Mend it: it must answer 401 without a token.');
      return warning(
        evidence,
        'It should answer 401. Check "authUrl", and whether a proxy answers in its place.',
      );
    },
  };
}
