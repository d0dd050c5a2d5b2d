// The credentials with which recordings and events go to AWS, and whether there are any now. They are never shown.

import { hostOf } from '../../platform/limits.ts';
import { errorMessage } from '../../shared/errors.ts';
import type { FoundCredentials } from '../aws.ts';
import { findCredentials } from '../aws.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

export function credentialsCheck({ policy, servers }: Pick<CheckContext, 'policy' | 'servers'>): Check {
  const { sink, brokerUrl, eventBusName } = policy;
  return {
    name: 'credentials',
    run: async () => {
      if (sink === 's3' && brokerUrl !== null) return askBroker(brokerUrl, servers);
      if (sink !== 's3' && eventBusName === null) return skipped('nothing is sent to AWS');
      try {
        return judgeCredentials(await findCredentials(policy), Date.now());
      } catch (error) {
        return failed(
          `no credentials for AWS: ${errorMessage(error)}`,
          'Without them nothing reaches AWS. Where "awsProfile" in Sightline\'s policy names a sign-on, have the agent sign in again ' +
            '(aws sso login). Otherwise set "brokerUrl" or "awsProfile" there, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the agent.',
        );
      }
    },
  };
}

export function judgeCredentials(
  { source, areLongLived, expiresAt }: FoundCredentials,
  now: number,
): Finding {
  if (expiresAt !== null && expiresAt.getTime() <= now) {
    return failed(
      `from ${source}, expired at ${expiresAt.toISOString()}`,
      'Sign in to AWS again, or renew the keys where they come from.',
    );
  }
  if (areLongLived) {
    return warning(
      `from ${source}, without an expiry`,
      'A copy of such keys stays valid until they are revoked: remove them from this computer. Configure in Sightline\'s policy a broker, your own service that issues short-lived ones ("brokerUrl"), or a sign-on ("awsProfile").',
    );
  }
  return ok(`from ${source}${expiresAt === null ? '' : `, until ${expiresAt.toISOString()}`}`);
}

async function askBroker(url: string, servers: CheckContext['servers']): Promise<Finding> {
  const host = hostOf(url);
  try {
    return judgeBroker(host, await servers.ask('the broker', url, 'POST'));
  } catch (error) {
    return failed(
      `the broker ${host} cannot be reached: ${errorMessage(error)}`,
      'Check that it runs, that this computer reaches it, that "brokerUrl" in Sightline\'s policy is its address, and that its certificate is valid.',
    );
  }
}

/** @param status of its answer to a request without a token */
export function judgeBroker(host: string, status: number): Finding {
  const evidence = `the broker ${host} answered ${status} to a request without a token`;
  switch (status) {
    case 401:
      return ok(evidence);
    case 200:
      return failed(
        evidence,
        "It issues credentials without authentication. Have its operator check the agent's token, and answer 401 when there is none.",
      );
    case 403:
      return warning(
        evidence,
        'Have its operator change the answer to 401: then Sightline waits until an agent has signed in. After a 403 it does not.',
      );
    default:
      return warning(
        evidence,
        'It should answer 401. Check that "brokerUrl" in Sightline\'s policy is right, and that no proxy answers in its place.',
      );
  }
}
