// A recorder's record on a disk that is full when it ends on purpose. Prints what is in the folder then, and what the next start
// finds. Argument: a folder on a small file system.
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '../../main/platform/log.ts';
import { RunMark } from '../../main/fleet/runMark.ts';

const [, , dataDir = ''] = process.argv;
const options = { dataDir, appVersion: '1.2.3', log: silentLogger };
const mark = new RunMark(options);
await mark.begin();
for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2))
  await writeFile(join(dataDir, `filler-${size}`), Buffer.alloc(size)).catch(() => undefined);
const isFull = await writeFile(join(dataDir, 'more'), 'x').then(
  () => false,
  (error: unknown) => String(error).includes('ENOSPC'),
);
await mark.alive();
await mark.end('shutdown');
const names = (await readdir(dataDir)).filter((name) => name.startsWith('run'));
const found = await new RunMark(options).begin();
console.log(JSON.stringify({ isFull, names, causes: found.map(({ info }) => info.cause) }));
