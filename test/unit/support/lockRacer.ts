// One of several processes that race for the lock of a data folder: does what each line on stdin says, at the moment that
// it says, and answers with one line. Spins until then, so that all of them try at once.
import { createInterface } from 'node:readline';
import { lockDataFolder } from '../../../main/platform/instanceLock.ts';
import { SightlineError } from '../../../main/shared/errors.ts';

interface Order {
  readonly what: 'lock' | 'give-back';
  readonly folder: string;
  readonly atWallMs: number;
}

const held = new Map<string, () => void>();

function carryOut({ what, folder, atWallMs }: Order): string {
  while (Date.now() < atWallMs);
  if (what === 'give-back') {
    held.get(folder)?.();
    return held.delete(folder) ? 'given back' : 'had none';
  }
  try {
    held.set(folder, lockDataFolder(folder));
    return 'locked';
  } catch (error) {
    return error instanceof SightlineError && error.message.startsWith('Another Sightline')
      ? 'taken'
      : String(error);
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${carryOut(JSON.parse(line) as Order)}\n`);
});
process.stdout.write('ready\n');
