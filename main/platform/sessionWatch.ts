import type { Logger } from './log.ts';
export type AbsenceReason = 'locked' | 'switched-away' | 'asleep';
export interface SessionWatch {
  stop(): Promise<void>;
}
export interface SessionWatchOptions {
  readonly onChange: (absences: readonly AbsenceReason[]) => void;
  readonly log: Logger;
}
export type StartSessionWatch = (options: SessionWatchOptions) => Promise<SessionWatch>;
