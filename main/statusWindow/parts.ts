// What the status window reads of the services: from the composition root, and never to be changed by it.

import type { Displays } from '../capture/displays.ts';
import type { FfmpegFinder } from '../capture/ffmpegBinary.ts';
import type { Policy } from '../policy/keys.ts';
import type { Clock } from '../shared/time.ts';
import type { CurrentSpoolSession } from '../spool/currentSession.ts';

export interface OverviewParts {
  readonly currentSession: Pick<CurrentSpoolSession, 'sessionOf' | 'watch'>;
  readonly displays: Pick<Displays, 'current' | 'onChange'>;
  readonly finder: Pick<FfmpegFinder, 'current' | 'find'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly policy: Policy;
}
