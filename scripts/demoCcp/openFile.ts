// Opens a file with the program that the desktop has for it.
import { spawn } from 'node:child_process';

export function openFile(file: string): void {
  const [command, ...args] =
    process.platform === 'win32'
      ? ['cmd', '/c', 'start', '""', file]
      : [process.platform === 'darwin' ? 'open' : 'xdg-open', file];
  // The demo has said where the file is: a desktop without such a program is no failure.
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}
