// What the windows' overview reads of the services: handed out by the composition root, and to be read only.

import type { Displays } from '../../capture/displays.ts';
import type { FfmpegFinder } from '../../capture/ffmpegBinary.ts';
import type { Policy } from '../../policy/keys.ts';
import type { Clock } from '../../shared/time.ts';
import type { CurrentSpoolSession } from '../../spool/currentSession.ts';

export interface OverviewParts {
  readonly currentSession: Pick<CurrentSpoolSession, 'sessionOf' | 'watch'>;
  readonly displays: Pick<Displays, 'current' | 'onChange'>;
  readonly finder: Pick<FfmpegFinder, 'current' | 'find'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly policy: Policy;
}
