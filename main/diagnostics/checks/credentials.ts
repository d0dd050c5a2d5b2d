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
  | { readonly kind: 'broker'; readonly host: string; readonly ask: () => Promise<number> };

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
      return atBroker(subject.host, subject.ask);
  }
}

async function inChain(find: () => Promise<FoundCredentials>, now: number): Promise<Finding> {
  try {
    const { source, areLasting, expiresAt } = await find();
    const until = expiresAt === null ? '' : `, until ${expiresAt.toISOString()}`;
    if (expiresAt !== null && expiresAt.getTime() <= now) {
      return failed(
        `from ${source}, expired${until.replace(', until', ' at')}`,
        'Sign in to AWS again, or renew the keys where they come from.',
      );
    }
    if (areLasting) {
      return warning(
        `from ${source}, without an end`,
        'Whoever copies such keys can use them for ever: take them off this computer. Name in Sightline\'s policy a broker, a service of yours that gives short-lived ones ("brokerUrl"), or a sign-on ("awsProfile").',
      );
    }
    return ok(`from ${source}${until}`);
  } catch (error) {
    return failed(
      `no credentials for AWS: ${wordsOf(error)}`,
      'Without them nothing gets to AWS. Where "awsProfile" in Sightline\'s policy names a sign-on, have the agent sign in again ' +
        '(aws sso login). Else set "brokerUrl" or "awsProfile" there, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the agent.',
    );
  }
}

async function atBroker(host: string, ask: () => Promise<number>): Promise<Finding> {
  let status: number;
  try {
    status = await ask();
  } catch (error) {
    return failed(
      `the broker ${host} cannot be reached: ${wordsOf(error)}`,
      'See that it runs, that this computer reaches it, that "brokerUrl" in Sightline\'s policy is its address, and that its certificate is good.',
    );
  }
  const evidence = `the broker ${host} answered ${status} to a request without a token`;
  if (status === 401) return ok(evidence);
  if (status === 200)
    return failed(
      evidence,
      "It gives credentials to anybody who asks. Whoever runs it must have it check the agent's token, and answer 401 where there is none.",
    );
  if (status === 403)
    return warning(
      evidence,
      'Whoever runs it should have it answer 401: then Sightline waits until an agent has signed in. After a 403 it does not.',
    );
  return warning(
    evidence,
    'It should answer 401. See that "brokerUrl" in Sightline\'s policy is right, and that no proxy answers in its place.',
  );
}
