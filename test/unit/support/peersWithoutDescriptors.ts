// Run by peers.test.ts with a limit on file descriptors: takes all of them, and prints the code with which a look fails then.
import { openSync } from 'node:fs';
import { windowsPeers } from '../../../main/server/windowsPeers.ts';
import { WindowsHelper } from '../../../main/platform/windowsHelper.ts';
import { spawnPiped } from '../../../main/platform/childProcess.ts';
import { errno } from '../../../main/shared/errors.ts';

const find = windowsPeers(new WindowsHelper(() => spawnPiped(process.execPath, ['--version'])));
// Opened now, while it can be.
const { stdout } = process;
try {
  for (;;) openSync('/dev/null', 'r');
} catch {
  // None are left.
}
const end = { address: '127.0.0.1', port: 1 };
const outcome = await find([{ local: end, remote: end }]).then(() => 'found', errno);
// The error of a child that was not started comes later.
setImmediate(() => stdout.write(`${outcome ?? 'no code'}\n`));
