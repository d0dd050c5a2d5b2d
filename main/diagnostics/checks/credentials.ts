// With whose credentials recordings and events go to AWS, and whether there are any now. They are never shown.

import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning, wordsOf } from '../check.ts';

export interface FoundCredentials {
  /** Where they came from: `environment`, `profile acme`. */
  readonly source: string;
  /** Whether they last until somebody takes them back. */
  readonly areLasting: boolean;
  /** null: it is not known, or never. */
  readonly expiresAt: Date | null;
}

export type CredentialsSubject =
  | { readonly kind: 'not-needed' }
  | { readonly kind: 'chain'; readonly find: () => Promise<FoundCredentials>; readonly now: () => number }
  /** `ask`: the status of its answer to a request without a token. */
  | { readonly kind: 'broker'; readonly url: string; readonly ask: () => Promise<number> };

export function credentialsCheck(subject: CredentialsSubject): Check {
  return { name: 'credentials', run: () => look(subject) };
}

async function look(subject: CredentialsSubject): Promise<Finding> {
  switch (subject.kind) {
    case 'not-needed':
      return skipped('nothing is sent to AWS');
    case 'chain':
      return inChain(subject.find, subject.now());
    case 'broker':
      return atBroker(subject.url, subject.ask);
  }
}

async function inChain(find: () => Promise<FoundCredentials>, now: number): Promise<Finding> {
  try {
    const { source, areLasting, expiresAt } = await find();
    const until = expiresAt === null ? '' : `, until ${expiresAt.toISOString()}`;
    if (expiresAt !== null && expiresAt.getTime() <= now) {
      return failed(
        `from ${source}, expired${until.replace(', until', ' at')}`,
        'Renew them where they come from.',
      );
    }
    if (areLasting) {
      return warning(
        `from ${source}, without an end`,
        'Keys that last should not lie on desktops: use a broker ("brokerUrl") or a sign-on ("awsProfile").',
      );
    }
    return ok(`from ${source}${until}`);
  } catch (error) {
    return failed(
      wordsOf(error),
      'Set AWS_ACCESS_KEY_ID and its like for Sightline, name an "awsProfile", or set "brokerUrl".',
    );
  }
}

async function atBroker(url: string, ask: () => Promise<number>): Promise<Finding> {
  let status: number;
  try {
    status = await ask();
  } catch (error) {
    return failed(
      `the broker ${url} cannot be reached: ${wordsOf(error)}`,
      'Check the network, the address and the certificate.',
    );
  }
  const evidence = `the broker ${url} answered ${status} to a request without a token`;
  if (status === 401) return ok(evidence);
  if (status === 200)
    return failed(evidence, 'It gives credentials to anybody. Mend it: it must check the token.');
  if (status === 403)
    return warning(evidence, 'It should answer 401, which Sightline waits out until an agent signs on.');
  return warning(
    evidence,
    'It should answer 401. Check "brokerUrl", and whether a proxy answers in its place.',
  );
}
