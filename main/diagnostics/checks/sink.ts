// Whether recordings can be delivered: a small file into the folder, or a small object into the bucket, put, checked
// and deleted again.

import { inspect } from 'node:util';
import { SightlineError } from '../../shared/errors.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import { folderTrouble, tryFolder } from './tryFolder.ts';

/** What became of the small object. */
export type BucketTrial =
  /** `problem`: what the credentials lack beside the right to put; null: nothing. */
  | {
      readonly kind: 'put';
      readonly location: string;
      readonly encryption: string;
      readonly problem: string | null;
    }
  | { readonly kind: 'refused'; readonly said: string; readonly remedy: string }
  | { readonly kind: 'not-tried'; readonly why: string };

export type SinkSubject =
  /** `requireKnown` throws when it is not the sink that this desk has delivered to. */
  | { readonly kind: 'folder'; readonly folder: string; readonly requireKnown: () => Promise<void> }
  | { readonly kind: 's3'; readonly try: () => Promise<BucketTrial> };

export function sinkCheck(subject: SinkSubject): Check {
  return subject.kind === 'folder'
    ? { name: 'sink folder', run: () => intoFolder(subject.folder, subject.requireKnown) }
    : { name: 'sink bucket', run: async () => intoBucket(await subject.try()) };
}

async function intoFolder(folder: string, requireKnown: () => Promise<void>): Promise<Finding> {
  try {
    // First: trying the folder would make it.
    await requireKnown();
    await tryFolder(folder);
    return ok(`${folder} can be written to`);
  } catch (error) {
    if (error instanceof SightlineError && error.code === 'SINK_CHANGED')
      return failed(
        error.message,
        'Mount the share, or accept the folder as the message says. What waits is delivered then.',
      );
    return failed(...folderTrouble(folder, 'sinkFolder', error));
  }
}

function intoBucket(trial: BucketTrial): Finding {
  switch (trial.kind) {
    case 'put': {
      const evidence = `${trial.location} was put and its checksum confirmed (${trial.encryption})`;
      return trial.problem === null
        ? ok(`${evidence}, and it is deleted again`)
        : warning(evidence, trial.problem);
    }
    case 'refused':
      return failed(trial.said, trial.remedy);
    case 'not-tried':
      return skipped(trial.why);
    default:
      return failed(inspect(trial), 'Export the diagnostics and send them to support.');
  }
}
