// Windows: the session of the program at the other end, from `sightline-monitor-helper.exe peers`
// (resources/monitorHelper/peers.c). One helper process answers for all connections, so that many connections do not start
// many processes.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HELPER_IS_MISSING, findMonitorHelper } from '../platform/monitorHelper.ts';
import { spawnPiped } from '../platform/childProcess.ts';
import { withDeadline } from '../platform/deadline.ts';
import type { FindPeers, PeerVerdict } from './peerLookup.ts';
import { NOT_FOUND, keyOf } from './peerLookup.ts';

const ANSWER_DEADLINE_MS = 5000;

/** One part of the helper's answer: `ours`, `none`, `session 2 4711` or `process 4711`. */
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
        owner: first ?? '?',
        reason: `it is process ${pid ?? '?'} in Windows session ${first ?? '?'}, not in ours`,
      };
    default:
      return { kind: 'unknown', reason: `Windows does not report the session of process ${first ?? '?'}` };
  }
}

export class WindowsPeers {
  private helper: Helper | null = null;
  private isClosed = false;

  constructor(
    private readonly start: () => ChildProcessWithoutNullStreams = () => {
      const program = findMonitorHelper();
      if (program === null) throw new Error(HELPER_IS_MISSING);
      return spawnPiped(program, ['peers']);
    },
  ) {}

  /** One question at a time: the caller waits for the answer before it asks again. */
  readonly find: FindPeers = async (peers) => {
    if (this.isClosed) throw new Error('Sightline is shutting down');
    if (this.helper === null || this.helper.isGone) this.helper = new Helper(this.start());
    const answers = (await this.helper.ask(peers.map(keyOf).join(','))).split(',');
    if (answers.length === peers.length) return answers.map(parsePeer);
    // Its next line may still answer this question, and would be taken for the answer to another one.
    throw this.helper.kill('it gave no answer for each connection');
  };

  /** For good: a question that comes later starts no process. */
  close(): void {
    this.isClosed = true;
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
    const answered = new Promise<string>((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
      this.child.stdin.write(`${question}\n`);
    });
    return withDeadline(answered, ANSWER_DEADLINE_MS, () => this.kill('it does not answer')).finally(() => {
      this.answer = null;
      this.fail = null;
    });
  }

  kill(why: string): Error {
    this.child.kill('SIGKILL');
    return this.lost(why);
  }

  close(): void {
    this.child.stdin.end();
    this.lost('it was closed');
  }

  private lost(why: string): Error {
    const error = new Error(`sightline-monitor-helper.exe: ${why}`);
    this.isGone = true;
    this.fail?.(error);
    return error;
  }
}
