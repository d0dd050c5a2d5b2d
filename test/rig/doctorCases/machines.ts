// The cases that need another machine (mounts, cores, a kernel's name, a module loaded first), by machine. On one machine there
// is at most one case of each check.
import type { DoctorCase } from './bench.ts';
import { captureCases } from './capture.ts';
import { cloudCases } from './cloud.ts';
import { deskCases } from './desk.ts';
import { policyCases } from './policy.ts';

const all = [...deskCases, ...captureCases, ...cloudCases, ...policyCases];

function pick(check: string, when: string): DoctorCase {
  const found = all.find((one) => one.check === check && one.when === when);
  if (found === undefined) throw new Error(`There is no case of "${check}" when ${when}.`);
  return found;
}

export const machines: Readonly<Record<string, readonly DoctorCase[]>> = {
  'read-only disks, a blocking browser policy, an old kernel': [
    pick('data folder', 'its disk is read-only'),
    pick('sink folder', 'its share is read-only'),
    pick('browser policy', "Chrome's policy blocks the page"),
    pick('machine', 'the kernel is too old'),
  ],
  'full disks, a browser policy for another page, one core': [
    pick('data folder', 'its disk is full to the last byte'),
    pick('status events', 'their disk is full to the last byte'),
    pick('browser policy', "Chrome's policy covers another domain only"),
    pick('machine', 'one core may be used'),
  ],
  'a small disk, no browser policy, little memory': [
    pick('data folder', 'less is free than policy leaves free'),
    pick('browser policy', 'no browser has a policy'),
    pick('machine', 'there is little memory'),
  ],
  'a disk that is nearly full, a clock that nothing sets, a slow processor': [
    pick('machine', 'the processor is slow'),
    pick('data folder', 'little more is free than policy leaves free'),
    pick('clock', 'nothing sets it'),
  ],
  'a read-only spool and a read-only events file': [
    pick('status events', 'the file alone is read-only'),
    pick('data folder', 'the spool cannot be written to'),
  ],
  'a policy that is not valid': [pick('policy in force', 'it is not valid, and no Sightline runs')],
  'a variable beside a machine policy': [
    pick('policy in force', 'a variable sets what only the machine policy may set'),
  ],
  'a sign-on that has ended': [pick('credentials', 'the sign-on of the profile has ended')],
  'a proxy': [pick('proxy', 'one is set that Sightline cannot use')],
};

const elsewhere = new Set(Object.values(machines).flat());
export const inProcess = (cases: readonly DoctorCase[]): DoctorCase[] =>
  cases.filter((one) => !elsewhere.has(one));
