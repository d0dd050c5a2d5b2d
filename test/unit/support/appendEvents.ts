// Appends events to a file, for a process whose rights or limits are to be others: appendEvents.ts FILE ID...
import { appendEvent } from '../../../main/status/eventsFile.ts';
import { errno } from '../../../main/shared/errors.ts';
import { statusEvent } from './statusEvents.ts';

const [, , file = '', ...ids] = process.argv;
for (const id of ids) {
  const said = await appendEvent(file, statusEvent(id)).then(
    () => 'written',
    (error: unknown) => errno(error),
  );
  process.stdout.write(`${id} ${said}\n`);
}
