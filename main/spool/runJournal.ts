// Journals what happens to capture runs before the session acts on it: a contact is not recorded as long as a crash would
// leave no trace of it, and a suspend is not acknowledged before the run's end is known after a crash, too.

import type { Logger } from '../platform/log.ts';
import type { Failure } from '../shared/errors.ts';
import type { GapReason, Monitor, PlacedMonitor } from '../shared/names.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { CurrentSpoolSession } from './currentSession.ts';
import { RUN_FILE_EXTENSION } from './runFiles.ts';
import type { OpenedRun, SpoolSession } from './spool.ts';

/** What the session is notified of (session/state.ts). */
export type RunEvent =
  | { readonly type: 'run.live'; readonly runId: string; readonly firstFrameAt: Moment }
  | { readonly type: 'run.flushed'; readonly runId: string; readonly until: Moment }
  | { readonly type: 'run.black'; readonly runId: string; readonly isBlack: boolean }
  | {
      readonly type: 'run.ended';
      readonly runId: string;
      readonly fault: Failure | null;
      readonly permanent: boolean;
      readonly at: Moment;
    };

/** A run as capture begins it (capture/capture.ts). */
interface NewRun extends Pick<OpenedRun, 'runId' | 'encoder' | 'fps'> {
  readonly monitors: readonly PlacedMonitor[];
  readonly leftOut: readonly Monitor[];
}

/** Its first frame. */
interface RunLive {
  readonly firstFrameAt: Moment;
  readonly width: number;
  readonly height: number;
}

interface RunEnd extends Pick<
  Extract<Parameters<CurrentSpoolSession['append']>[0], { type: 'run.closed' }>,
  'endTime' | 'frames' | 'sizeBytes'
> {
  readonly gapReason: GapReason;
  readonly fault: Failure | null;
  readonly permanent: boolean;
  readonly clockWasSet: boolean;
}

export interface RunJournalOptions {
  readonly current: CurrentSpoolSession;
  readonly clock: Clock;
  readonly dispatch: (event: RunEvent) => void;
  readonly onOpened: (monitors: readonly PlacedMonitor[]) => void;
  /** A run has its first frame, and the journal says so. */
  readonly onLive: (session: SpoolSession) => void;
  /** A run of the session grew. */
  readonly onGrown: (session: SpoolSession, bytes: number) => void;
  readonly log: Logger;
}

/** The ports of capture (capture/capture.ts) that concern its runs. */
export function journalRuns({ current, clock, dispatch, onOpened, onLive, onGrown, log }: RunJournalOptions) {
  return {
    /** Resolves when the journal has the run and its file is created. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
    openRun: async ({ monitors, leftOut, ...run }: NewRun) => {
      onOpened(monitors);
      const file = `${run.runId}.${RUN_FILE_EXTENSION}`;
      const lists = { monitors: [...monitors], leftOut: [...leftOut] };
      const writer = await current.openRun({ type: 'run.opened', at: clock.now(), file, ...run, ...lists });
      const session = current.session();
      return {
        append: async (bytes: Uint8Array): Promise<void> => {
          await writer.append(bytes);
          onGrown(session, bytes.byteLength);
        },
        close: () => writer.close(),
      };
    },
    onSpawned: (runId: string, pid: number): void => void current.append({ type: 'run.spawned', runId, pid }),
    onLive: (runId: string, { firstFrameAt, width, height }: RunLive): void =>
      void current.append({ type: 'run.live', runId, startTime: firstFrameAt, width, height }).then(() => {
        dispatch({ type: 'run.live', runId, firstFrameAt });
        onLive(current.session());
      }),
    onFlushed: (runId: string, until: Moment): void => dispatch({ type: 'run.flushed', runId, until }),
    onBlack: (runId: string, from: Moment, to: Moment | null): void => {
      if (to === null) log.warn('the recorded screen is entirely black', { runId, since: toTimestamp(from) });
      else log.info('the recorded screen is no longer black', { runId, blackMs: to - from });
      void current.append({ type: 'run.black', runId, from, to });
      dispatch({ type: 'run.black', runId, isBlack: to === null });
    },
    onEnded: (runId: string, end: RunEnd): void => {
      const { endTime, frames, sizeBytes, gapReason, permanent } = end;
      if (end.fault !== null)
        log.warn('capture failed', { runId, code: end.fault.code, reason: end.fault.message });
      const fault = end.clockWasSet ? null : end.fault;
      const at = clock.now();
      void current.append({ type: 'run.closed', runId, endTime, frames, sizeBytes, gapReason });
      void current
        .guard()
        .catch(() => undefined) // a suspend that waits for this requests a separate guard
        .then(() => dispatch({ type: 'run.ended', runId, fault, permanent, at }));
    },
  };
}
