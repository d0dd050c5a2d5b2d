// The cells of the fault matrix: which call of a scripted contact fails, how, for how long, and how the process ends.
import { join } from 'node:path';
import { keyFileStore } from '../../main/platform/keyStore.ts';
import { readJournal } from '../../main/spool/journal.ts';
import { sessionKeys } from '../../main/spool/sessionKeys.ts';
import type { CallKind, DiskCall, DiskFault } from '../rig/faultShim.ts';
import type { StepName } from './faultStory.ts';

/** One call of the dry run. */
export interface Target {
  readonly kind: 'call';
  /** `journal 8, contact.suspended`: what is not written. */
  readonly name: string;
  readonly call: CallKind;
  readonly pattern: string;
  readonly nth: number;
}

/** The whole disk, filled by another program right before a request. */
export interface FullDisk {
  readonly kind: 'full disk';
  readonly name: string;
  readonly before: StepName;
}

/** `all`: from that call on nothing in the data folder can be changed, not even a file deleted, until it is released. */
export type Lasting = 'once' | 'until released' | 'all until released';
export type Ending = 'goes on' | 'SIGTERM' | 'SIGKILL';

export interface Cell {
  readonly target: Target | FullDisk;
  readonly fault: DiskFault;
  readonly lasting: Lasting;
  readonly ending: Ending;
}

export const endings: readonly Ending[] = ['goes on', 'SIGTERM', 'SIGKILL'];
const JOURNAL = 'spool/*/journal.ndjson';
const RUN = 'spool/*.run';
/** The folder of a session, not what is in it. */
const SESSION = 'spool/*-????????';

export function cellName({ target, fault, lasting, ending }: Cell): string {
  return target.kind === 'call'
    ? `${target.name}, ${target.call}: ${fault} ${lasting}, ${ending}`
    : `${target.name}: ${fault} ${lasting}, ${ending}`;
}

/** Which call of which file fails, in words and for the shim, from the calls of a dry run. */
export async function targetsOf(home: string, calls: readonly DiskCall[]): Promise<Target[]> {
  const labels = ['header', ...(await journalEntries(home, calls))];
  const journal = calls.filter(({ path }) => path.endsWith('/journal.ndjson'));
  const all = (call: CallKind, pattern: string, name: string, found: (call: DiskCall) => boolean): Target[] =>
    calls
      .filter((one) => one.kind === call && found(one))
      .map((_, index) => ({ kind: 'call', name: `${name} ${index + 1}`, call, pattern, nth: index + 1 }));
  const some = (call: CallKind, pattern: string, name: string, which: readonly number[]): Target[] =>
    which.map((nth) => ({ kind: 'call', name: `${name} ${nth}`, call, pattern, nth }));
  const lines = (call: CallKind): Target[] =>
    journal
      .filter(({ kind }) => kind === call)
      .map((_, index) => ({
        ...{ kind: 'call', name: `journal ${index + 1}, ${labels[index] ?? 'later'}`, call },
        ...{ pattern: JOURNAL, nth: index + 1 },
      }));
  return [
    ...lines('write'),
    ...lines('sync'),
    ...some('open', JOURNAL, 'journal', [1]),
    ...all('mkdir', 'spool*', 'spool folder', ({ path }) => path.startsWith('spool')),
    ...some('sync', SESSION, 'folder of the session', [1]),
    ...some('sync', 'spool', 'folder of the spool', [1]),
    ...some('open', RUN, 'run file', [1, 2, 3]),
    // The head, the first pictures, and one in the middle.
    ...some('write', RUN, 'run file', [1, 2, 3, 6]),
    ...some('sync', RUN, 'run file', [1, 2, 3]),
    ...all('truncate', RUN, 'run file', ({ path }) => path.endsWith('.run')),
    ...(['open', 'write', 'sync', 'rename', 'link'] as const).flatMap((call) =>
      all(call, 'spool.key*', 'spool.key', ({ path }) => path.startsWith('spool.key')),
    ),
  ];
}

/** What the lines of the dry run's journal say, which stays where policy lets published recordings stay. */
async function journalEntries(home: string, calls: readonly DiskCall[]): Promise<string[]> {
  const path = calls.find(({ path }) => path.endsWith('/journal.ndjson'))?.path;
  if (path === undefined) throw new Error('The dry run has written no journal.');
  const keys = sessionKeys([keyFileStore(join(home, 'data', 'spool.key'))]);
  const journal = await readJournal(join(home, 'data', path), keys);
  return (journal?.entries ?? []).map((entry) =>
    entry.type === 'event.announced' ? `${entry.type} ${entry.status}` : entry.type,
  );
}

const FAULTS: Readonly<Partial<Record<CallKind, readonly DiskFault[]>>> = {
  write: ['EIO', 'ENOSPC', 'SHORT-ENOSPC'],
};

export function cellsOf(targets: readonly Target[]): Cell[] {
  const lines = targets.filter(({ call, pattern }) => call === 'write' && pattern === JOURNAL);
  const whole = lines.flatMap((target) =>
    endings.map((ending): Cell => ({ target, fault: 'EIO', lasting: 'all until released', ending })),
  );
  return [...ofOneCall(targets), ...whole];
}

function ofOneCall(targets: readonly Target[]): Cell[] {
  return targets.flatMap((target) =>
    (FAULTS[target.call] ?? (['EIO', 'ENOSPC'] as const)).flatMap((fault) =>
      (['once', 'until released'] as const).flatMap((lasting) =>
        endings.map((ending) => ({ target, fault, lasting, ending })),
      ),
    ),
  );
}

/** A disk that another program has filled to its last byte. */
export function fullDiskCells(): Cell[] {
  return (['start', 'suspend', 'stop'] as const).flatMap((before) =>
    endings.map((ending): Cell => ({
      target: { kind: 'full disk', name: `full disk before the ${before}`, before },
      ...{ fault: 'ENOSPC', lasting: 'until released', ending },
    })),
  );
}
