// Windows: the session of the program at the other end, asked of `sightline-desk.exe peers` (resources/desk/peers.c). One
// helper process answers for all connections: a flood of them starts no flood of processes.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HELPER_IS_MISSING, findMonitorHelper } from '../monitorHelper.ts';
import type { FindPeers, PeerVerdict } from './peer.ts';
import { NOT_FOUND, keyOf } from './peer.ts';

const ANSWER_DEADLINE_MS = 5000;

/** One word of the helper's answer: `ours`, `none`, `session 2 4711` or `process 4711`. */
export function parsePeer(text: string): PeerVerdict {
  const [word, first, pid] = text.split(' ');
  switch (word) {
    case 'ours':
      return { kind: 'ours' };
    case 'none':
      return NOT_FOUND;
    case 'session':
      return {
        kind: 'other',
        reason: `it is process ${pid ?? '?'} in Windows session ${first ?? '?'}, not in ours`,
      };
    default:
      return { kind: 'unknown', reason: `Windows does not tell the session of process ${first ?? '?'}` };
  }
}

export class WindowsPeers {
  private helper: Helper | null = null;

  constructor(
    private readonly start: () => ChildProcessWithoutNullStreams = () => {
      const program = findMonitorHelper();
      if (program === null) throw new Error(HELPER_IS_MISSING);
      return spawn(program, ['peers'], { stdio: 'pipe', windowsHide: true, shell: false });
    },
  ) {}

  /** One question at a time: the caller waits for the answer before it asks again. */
  readonly find: FindPeers = async (peers) => {
    if (this.helper === null || this.helper.isGone) this.helper = new Helper(this.start());
    const line = await this.helper.ask(peers.map(keyOf).join(','));
    const words = line.split(',');
    if (words.length !== peers.length)
      throw new Error('sightline-desk.exe gave no answer for each connection');
    return words.map(parsePeer);
  };

  close(): void {
    this.helper?.close();
    this.helper = null;
  }
}

class Helper {
  isGone = false;
  private answer: ((line: string) => void) | null = null;
  private fail: ((error: Error) => void) | null = null;

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface({ input: child.stdout }).on('line', (line) => this.answer?.(line));
    child.stderr.resume();
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => this.lost(error.message));
    child.on('exit', (code) => this.lost(`exit code ${String(code)}`));
    // It must not keep a program alive that has nothing else to do.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as { unref?(): void }).unref?.();
  }

  async ask(question: string): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        timer = setTimeout(() => {
          this.lost('it does not answer');
          this.child.kill('SIGKILL');
        }, ANSWER_DEADLINE_MS);
        this.answer = resolve;
        this.fail = reject;
        this.child.stdin.write(`${question}\n`);
      });
    } finally {
      clearTimeout(timer);
      this.answer = null;
      this.fail = null;
    }
  }

  close(): void {
    this.child.stdin.end();
    this.lost('it was closed');
  }

  private lost(why: string): void {
    this.isGone = true;
    this.fail?.(new Error(`sightline-desk.exe: ${why}`));
  }
}
