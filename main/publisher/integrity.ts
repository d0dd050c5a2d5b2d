// The damage of a recording: what its manifest states, and whether policy permits the upload.

import type { Integrity } from '../shared/manifest.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Ledger } from '../spool/ledger.ts';
import type { Piece, RunDamage } from '../spool/timeline.ts';
import { isInDoubt } from '../spool/damage.ts';

/** A run has fewer readable frames than it should. */
export class RunDamaged extends SightlineError {
  constructor(
    readonly runId: string,
    readonly damage: RunDamage,
    cause: SightlineError,
  ) {
    super(cause.code, cause.message, { cause });
  }
}

/** @returns undefined when nothing is damaged */
export function integrityOf(ledger: Ledger, damages: ReadonlyMap<string, RunDamage>): Integrity | undefined {
  const damagedRuns = [...damages].map(([runId, { frames }]) => ({
    kind: 'run-damaged' as const,
    runId,
    frames: ledger.runs.get(runId)?.closed?.frames ?? frames,
    readableFrames: frames,
  }));
  const missingLines = ledger.damages.map(({ lines }) => ({ kind: 'journal-damaged' as const, lines }));
  const { unverified } = ledger;
  const end = unverified === null ? [] : [{ kind: 'end-not-verified' as const, cause: unverified }];
  const findings = [...damagedRuns, ...missingLines, ...end];
  if (findings.length === 0) return undefined;
  return { state: findings.length > end.length ? 'damaged' : 'end-not-verified', findings };
}

/** @throws SightlineError SPOOL_UNREADABLE when the recording must stay in the spool */
export function requireDeliverable(
  ledger: Ledger,
  pieces: readonly Piece[],
  damages: ReadonlyMap<string, RunDamage>,
  mayBeDamaged: boolean,
): void {
  if (!mayBeDamaged && (damages.size > 0 || isInDoubt(ledger))) throw keptBack();
  const isUnreadable = pieces.some((piece) => piece.kind === 'gap' && piece.reason === 'unreadable');
  if (isUnreadable && !pieces.some((piece) => piece.kind === 'run')) {
    throw new SightlineError(
      'SPOOL_UNREADABLE',
      'Nothing of this recording can be read: its files in the spool were damaged or deleted. What is left of them is kept. ' +
        'Check the disk, and restore the files if there is a backup.',
    );
  }
}

export function keptBack(cause?: SightlineError): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    'This recording was damaged in the spool, and policy "deliverDamaged" keeps what is left of it there. Check the disk; ' +
      'to upload it as it is, set "deliverDamaged" to true.',
    { cause },
  );
}
