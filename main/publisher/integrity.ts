// What is known of a recording's damage: what its manifest says of it, and whether policy lets it be delivered.

import type { Integrity } from '../shared/manifest.ts';
import { SightlineError } from '../shared/errors.ts';
import type { Ledger, LedgerRun } from '../spool/ledger.ts';
import type { Piece, RunDamage } from '../spool/timeline.ts';
import { isInDoubt } from '../spool/damage.ts';

/** The pictures of a run end before they should: `read` of them can be read, the last one ending at `endTime`. */
export class RunDamaged extends SightlineError {
  constructor(
    readonly runId: string,
    readonly damage: RunDamage,
    cause: SightlineError,
  ) {
    super(cause.code, cause.message, { cause });
  }
}

/** @returns undefined where everything is as it was written */
export function integrityOf(
  ledger: Ledger,
  damages: ReadonlyMap<string, RunDamage>,
  runs: readonly LedgerRun[],
): Integrity | undefined {
  const damagedRuns = [...damages].map(([runId, { frames }]) => ({
    kind: 'run-damaged' as const,
    runId,
    frames: runs.find(({ opened }) => opened.runId === runId)?.closed?.frames ?? frames,
    readableFrames: frames,
  }));
  const missingLines = ledger.damages.map(({ lines }) => ({ kind: 'journal-damaged' as const, lines }));
  const { unverified } = ledger;
  const end = unverified === null ? [] : [{ kind: 'end-not-verified' as const, cause: unverified }];
  const findings = [...damagedRuns, ...missingLines, ...end];
  if (findings.length === 0) return undefined;
  return { state: findings.length > end.length ? 'damaged' : 'end-not-verified', findings };
}

/** @throws SightlineError SPOOL_UNREADABLE: what is left is not to be delivered, and stays in the spool */
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
        'Have the disk checked, and put the files back if there is a backup.',
    );
  }
}

export function keptBack(cause?: SightlineError): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    'This recording was damaged in the spool, and policy "deliverDamaged" keeps what is left of it there. Have the disk ' +
      'checked; to deliver it as it is, set "deliverDamaged" to true.',
    { cause },
  );
}
