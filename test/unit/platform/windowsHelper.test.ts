// The process that runs the helper, with stand-ins of the helper: each does to its owner what the real one should never do.
// test/windows/helper.test.ts has the real one.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { WindowsHelper, type HelperEvent } from '../../../main/platform/windowsHelper.ts';

/** Programs of Node in which `answer(line)` is called for each request. */
function helperThat(answer: string): { helper: WindowsHelper; pids: number[] } {
  const pids: number[] = [];
  const program = `let count = 0;
    require('node:readline').createInterface({ input: process.stdin })
      .on('line', (line) => { const [id, ...words] = line.split(' '); count += 1; ${answer} })
      .on('close', () => process.exit());`;
  const helper = new WindowsHelper(() => {
    const child = spawn(process.execPath, ['--eval', program], { stdio: 'pipe' });
    pids.push(child.pid!);
    return child;
  });
  onTestFinished(() => helper.close());
  return { helper, pids };
}

const text = z.string();

describe('the helper', () => {
  it('answers by the number of the request, in any order, from one process', async () => {
    const { helper, pids } = helperThat(
      `const say = () => console.log(id + ' ' + JSON.stringify(words.join(' ')));
       if (words[0] === 'slow') setTimeout(say, 100); else say();`,
    );
    const order: string[] = [];
    const ask = (request: string) => helper.ask(request, text).then((answer) => order.push(answer));
    await Promise.all([ask('slow a'), ask('fast b')]);
    expect(order).toEqual(['fast b', 'slow a']);
    expect(pids).toHaveLength(1);
  });

  it('refuses with its own words, and what it answers must have the right form', async () => {
    const { helper } = helperThat(`console.log(id + (count === 1 ? ' !no desktop (error 5)' : ' 7'))`);
    await expect(helper.ask('monitors', text)).rejects.toThrow('monitors: no desktop (error 5)');
    await expect(helper.ask('monitors', text)).rejects.toThrow(z.ZodError);
  });

  it('is started again when it is needed after it was lost; what it was asked fails', async () => {
    const { helper, pids } = helperThat(
      `if (words[0] === 'die') { process.stderr.write('no memory'); process.exitCode = 3; process.stdin.destroy(); }
       else console.log(id + ' "' + process.pid + '"');`,
    );
    expect(await helper.ask('pid', text)).toBe(String(pids[0]));
    await expect(helper.ask('die', text)).rejects.toThrow('no memory');
    expect(await helper.ask('pid', text)).toBe(String(pids[1]));
  });

  it('is tried again where the system could not start it, and whoever watches is told', async () => {
    let tries = 0;
    const helper = new WindowsHelper(() => {
      tries += 1;
      if (tries < 3) throw Object.assign(new Error('no descriptors'), { code: 'EMFILE' });
      return spawn(process.execPath, ['--eval', `process.stdin.once('data', () => console.log('1 true'))`]);
    });
    onTestFinished(() => helper.close());
    const answers: unknown[] = [];
    helper.watch(
      'watch-session',
      () => undefined,
      (answer) => answers.push(answer),
    );
    await vi.waitFor(() => expect(answers.at(-1)).toBe(true), 5000);
    expect(answers.map(String)).toEqual(['Error: no descriptors', 'Error: no descriptors', 'true']);
  });

  it('reports events to whoever watches, also after it was lost, and nothing that is not an event', async () => {
    const { helper, pids } = helperThat(
      `console.log(id + ' true');
       console.log('* nonsense');
       console.log('* {"event":"power","asleep":"yes"}');
       console.log('* {"event":"power","asleep":true}');`,
    );
    const events: HelperEvent[] = [];
    const answers: unknown[] = [];
    const end = helper.watch(
      'watch-session',
      (event) => events.push(event),
      (answer) => answers.push(answer),
    );
    await vi.waitFor(() => expect(events).toEqual([{ event: 'power', asleep: true }]));
    process.kill(pids[0]!, 'SIGKILL');
    await vi.waitFor(() => expect(events).toHaveLength(2));
    expect(answers).toEqual([true, true]);
    end();
    process.kill(pids[1]!, 'SIGKILL');
    await sleep(1500);
    expect(pids).toHaveLength(2);
  });
});
