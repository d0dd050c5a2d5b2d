// Whether recordings can be uploaded: writes, verifies and deletes a small file in the folder, or a small object in the bucket.

import { hostname, userInfo } from 'node:os';
import { s3SettingsOf } from '../../publisher/s3/settings.ts';
import type { Policy } from '../../policy/keys.ts';
import { tryS3 } from '../../publisher/s3/s3Trial.ts';
import { SinkIdentity } from '../../publisher/sinkIdentity.ts';
import { SightlineError } from '../../shared/errors.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { folderTrouble, tryFolder } from './tryFolder.ts';

/** Stands in for `<alias>` in "keyPrefix" where the alias is not known. */
const STAND_IN = 'sightline-doctor';
/** Credentials can be limited to the prefix of one instance. */
const ABOUT_STAND_IN =
  `If they are valid for one instance only, set "instanceAlias" in Sightline's policy and run this again: "${STAND_IN}" ` +
  'stood in for it in the name that was tried.';
/** The AWS SDK's errors when it finds no credentials: S3 was not asked then. */
const NO_CREDENTIALS = /^(Credentials|Token)ProviderError\b/;

type SinkContext = Pick<CheckContext, 'policy' | 'instanceAlias' | 'servers'>;

export function sinkCheck(context: SinkContext): Check {
  return context.policy.sink === 's3'
    ? { name: 'sink bucket', run: () => tryBucket(context) }
    : { name: 'sink folder', run: () => trySinkFolder(context.policy) };
}

async function trySinkFolder({
  sinkFolder,
  dataDir,
}: Pick<Policy, 'sinkFolder' | 'dataDir'>): Promise<Finding> {
  try {
    // First, because tryFolder creates the folder.
    await new SinkIdentity(sinkFolder, dataDir).check();
    await tryFolder(sinkFolder);
    return ok(`${sinkFolder} is writable`);
  } catch (error) {
    if (error instanceof SightlineError && error.code === 'SINK_CHANGED')
      return failed(
        error.message,
        'Mount the share, or accept the folder as the message says. Pending recordings are then uploaded.',
      );
    return failed(...folderTrouble(sinkFolder, 'sinkFolder', error));
  }
}

async function tryBucket({ policy, instanceAlias, servers }: SinkContext): Promise<Finding> {
  if (policy.brokerUrl !== null)
    return skipped('the broker issues credentials only for an agent’s token and for the name of a recording');
  const result = await tryS3({
    settings: s3SettingsOf(policy),
    prefix: policy.keyPrefix.replaceAll('<alias>', instanceAlias ?? STAND_IN).replaceAll(/^\/+|\/+$/g, ''),
    machine: `${hostname()} ${userName()}`,
    onDate: (date) => servers.noteDate('S3', date),
  });
  if (result.kind === 'put') {
    const evidence = `${result.location} was put and its checksum confirmed (${result.encryption})`;
    return result.problem === null ? ok(`${evidence}, then deleted`) : warning(evidence, result.problem);
  }
  const { said, remedy } = result;
  if (NO_CREDENTIALS.test(said))
    return failed(said, 'Do what the check "credentials" says, and run this again.');
  const isStandIn = instanceAlias === null && policy.keyPrefix.includes('<alias>');
  return failed(said, isStandIn && said.startsWith('AccessDenied') ? `${remedy} ${ABOUT_STAND_IN}` : remedy);
}

/** In a container the user id may have no account (getpwuid(3)). */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
