// Kills at single system calls, and single calls that fail: for the kill soak.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { diskCalls, withFaults, type FaultRule } from '../rig/faultShim.ts';
import type { Dice } from './common.ts';

export const callKills = ['at a call', 'a call fails, then recorder', 'a call fails, then SIGTERM'] as const;
export type CallKill = (typeof callKills)[number];

/** About as many calls as a cycle makes in its home. */
const CALLS = 150;

export function isCallKill(kill: string): kill is CallKill {
  return callKills.some((one) => one === kill);
}

/** One call of the cycle, any one. The kills are in the sink, too; there a call that fails is another kind of test. */
export async function wrapperOf(kill: CallKill, home: string, dice: Dice): Promise<string[]> {
  const nth = Math.ceil(dice.between(0, CALLS));
  const rule: FaultRule =
    kill === 'at a call'
      ? { ...{ kinds: 'any', pattern: '*', nth, until: 1 }, fault: dice.pick(['KILL-BEFORE', 'KILL-AFTER']) }
      : { ...{ kinds: 'any', pattern: 'data/*', nth, until: 1 }, fault: dice.pick(['EIO', 'ENOSPC']) };
  return withFaults(home, callLog(home), [rule]);
}

/** What was killed or failed, in words: `killed at a write`. */
export async function callMet(kill: CallKill, home: string): Promise<string> {
  const met = (await diskCalls(callLog(home))).find(({ fault }) => fault !== null);
  if (met === undefined) return `${kill}: none came`;
  return kill === 'at a call'
    ? `killed at: ${met.kind}`
    : `fails: ${met.kind}${kill.slice('a call fails'.length)}`;
}

/** Which one exactly, for a complaint. */
export async function callInFull(home: string): Promise<string> {
  const met = (await diskCalls(callLog(home))).find(({ fault }) => fault !== null);
  return met === undefined ? '' : `, ${met.fault} at ${met.kind} of ${met.path}`;
}

function callLog(home: string): string {
  return join(home, 'calls.log');
}

/** Options of a recorder whose power goes at one of its first syncs. */
export function powerCut(home: string, dice: Dice) {
  const hook = pathToFileURL(fileURLToPath(new URL('powerCut.mjs', import.meta.url))).href;
  return {
    environment: {
      NODE_OPTIONS: `--import ${hook}`,
      SIGHTLINE_TEST_DATA: join(home, 'data'),
      SIGHTLINE_TEST_SYNCS: String(Math.floor(dice.between(1, 36))),
    },
  };
}
