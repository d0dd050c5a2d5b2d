// Generated rows of a list of recordings: a contact center's working days, the same in every run.
import { createHash } from 'node:crypto';
import type { Problem, RecordingRow } from '../../review/contract.ts';

const agents = [
  ...['anna.berg', 'ben.okafor', 'carla.ruiz', 'dmitri.volkov', 'emma.larsen', 'farid.haddad'],
  ...['grace.kim', 'hugo.martin', 'ines.costa', 'jonas.weber', 'katya.novak', 'liam.murphy'],
];
const queues = ['Billing', 'Claims', 'Technical support', 'Sales', 'Cancellations', 'Premium care'];
const channels = ['VOICE', 'VOICE', 'VOICE', 'CHAT', 'CHAT', 'TASK'] as const;
const rare: readonly Problem[] = [
  ...(['interrupted', 'ended-early', 'black', 'interrupted', 'damaged'] as const),
  ...(['end-not-verified', 'no-video', 'ended-early', 'unreadable-manifest'] as const),
];
const AVERAGE_DISTANCE_MS = 95_000;

/** Newest first. */
export function generateRows(count: number, newest: Date): RecordingRow[] {
  const random = generator();
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  let time = newest.getTime();
  return Array.from({ length: count }, (_, index) => {
    time -= Math.round(random() * 2 * AVERAGE_DISTANCE_MS);
    const hash = createHash('sha256').update(`recording ${index}`).digest('hex');
    const durationMs = Math.round(20_000 + random() ** 3 * 3_600_000);
    const found = random() < 0.1 ? [pick(rare)] : [];
    if (found.length > 0 && random() < 0.2) found.push('end-not-verified');
    return {
      id: hash.slice(32, 54),
      contactId: [8, 4, 4, 4, 12].map((length, part) => hash.slice(part * 5, part * 5 + length)).join('-'),
      agent: pick(agents),
      queue: random() < 0.04 ? null : pick(queues),
      channel: pick(channels),
      startTime: new Date(time).toISOString(),
      durationMs,
      sizeBytes: Math.round(durationMs * (8 + random() * 8)),
      suspensions: random() < 0.22 ? 1 + Math.floor(random() * 3) : 0,
      problems: [...new Set(found)],
      trial: index % 97 === 5,
    };
  });
}

/** Park and Miller's. */
function generator(): () => number {
  let seed = 20_260_302;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
}
