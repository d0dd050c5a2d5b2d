// The control path with uploads that take as long as the test wants. Refusals are tested in judgeControl.test.ts.
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readControlFile, removeControlFile } from '../../../main/server/controlFile.ts';
import { Control } from '../../../main/server/control.ts';
import type { ControlServices } from '../../../main/server/control.ts';
import type { Outcome } from '../../../main/shared/control.ts';
import { CONTROL_RETRY_PATH } from '../../../main/shared/control.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';

const noTrials: ControlServices['trials'] = { run: () => Promise.reject(new Error('not asked')) };

interface Bench {
  readonly asked: (readonly string[] | undefined)[];
  settle(outcome: Outcome): void;
  /** Resolves with what came back, or rejects when the connection was closed. */
  post(body: object, signal?: AbortSignal): Promise<{ status: number | undefined; reply: unknown }>;
  /** Resolves when this many requests have reached the publisher. */
  reached(count: number): Promise<void>;
  cutAll(): void;
}

async function bench(recovery: Promise<void> = Promise.resolve()): Promise<Bench> {
  const dataDir = await temporaryFolder();
  const asked: (readonly string[] | undefined)[] = [];
  const settles: ((outcome: Outcome) => void)[] = [];
  let notify = (): void => undefined;
  const publisher: ControlServices['publisher'] = {
    retryNow(names) {
      asked.push(names);
      notify();
      const outcome = new Promise<Outcome>((resolve) => settles.push(resolve));
      return [{ recordingId: 'r', contactId: 'c', outcome }];
    },
  };
  const control = new Control(
    { dataDir, publisher, recovery, trials: noTrials, runChecks: () => null },
    keepingLogger().log,
  );
  const server = createServer((incoming, response) => {
    const { port } = server.address() as AddressInfo;
    control.handle(incoming, response, port, {
      isOurs: () => Promise.resolve(true),
      onAccepted: () => undefined,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  await control.open(port);
  const access = await readControlFile(dataDir);
  return {
    asked,
    settle: (outcome) => settles.forEach((settle) => settle(outcome)),
    post: (body, signal) =>
      new Promise((resolve, reject) => {
        const headers = { Authorization: `Bearer ${access?.token}` };
        const outgoing = request(
          {
            host: '127.0.0.1',
            port,
            path: CONTROL_RETRY_PATH,
            method: 'POST',
            headers,
            agent: false,
            signal,
          },
          (incoming) => {
            let text = '';
            incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
            incoming.once('end', () =>
              resolve({
                status: incoming.statusCode,
                reply: incoming.statusCode === 200 ? JSON.parse(text) : text,
              }),
            );
          },
        );
        outgoing.once('error', reject);
        outgoing.end(JSON.stringify(body));
      }),
    async reached(count) {
      while (asked.length < count) await new Promise<void>((resolve) => (notify = resolve));
    },
    cutAll: () => server.closeAllConnections(),
  };
}

const reply = (outcome: object, ...unknown: string[]) => ({
  status: 200,
  reply: { recordings: [{ recordingId: 'r', contactId: 'c', outcome }], unknown },
});
const published: Outcome = { status: 'PUBLISHED', location: 'file:///one.mp4' };

describe('a retry', () => {
  it('without a wait is answered before anything has come of it', async () => {
    const on = await bench();
    expect(await on.post({})).toEqual(reply({ status: 'PENDING' }));
    expect(on.asked).toEqual([undefined]);
  });

  it('with a wait is answered as soon as all is known', async () => {
    const on = await bench();
    const answer = on.post({ waitSeconds: 600 });
    await on.reached(1);
    on.settle(published);
    expect(await answer).toEqual(reply(published));
  });

  it('with a wait that is over says that it does not know', async () => {
    const on = await bench();
    expect(await on.post({ waitSeconds: 1 })).toEqual(reply({ status: 'PENDING' }));
  });

  it('says which names it does not know, by recording and by contact', async () => {
    const on = await bench();
    expect(await on.post({ names: ['r', 'x', 'c', 'y'] })).toEqual(reply({ status: 'PENDING' }, 'x', 'y'));
    expect(on.asked).toEqual([['r', 'x', 'c', 'y']]);
  });

  it('waits until the spool has been searched', async () => {
    let found = (): void => undefined;
    const on = await bench(new Promise((resolve) => (found = resolve)));
    const answer = on.post({});
    // One that is answered without the publisher overtakes it; by then the first has long been read.
    expect(await on.post({ nonsense: true })).toMatchObject({ status: 400 });
    expect(on.asked).toEqual([]);
    found();
    expect(await answer).toEqual(reply({ status: 'PENDING' }));
  });

  it('whose caller is gone, or closes the connection, disturbs no other', async () => {
    const on = await bench();
    const gone = new AbortController();
    const given = on.post({ waitSeconds: 600 }, gone.signal);
    await on.reached(1);
    gone.abort();
    await expect(given).rejects.toThrow();
    const closed = on.post({ waitSeconds: 600 });
    await on.reached(2);
    on.cutAll();
    await expect(closed).rejects.toThrow();
    on.settle(published);
    expect(await on.post({})).toEqual(reply({ status: 'PENDING' }));
  });
});

describe('a data folder that takes no file', () => {
  it('is worth a word in the log, without secrets, and stops nothing', async () => {
    const { log, lines } = keepingLogger();
    const publisher = { retryNow: () => [] };
    const control = new Control(
      {
        dataDir: '/dev/null',
        publisher,
        recovery: Promise.resolve(),
        trials: noTrials,
        runChecks: () => null,
      },
      log,
    );
    await control.open(5431);
    await control.close();
    expect(lines[0]).toMatchObject({ level: 'warn' });
    expect(JSON.stringify(lines)).not.toMatch(/[\w-]{43}/);
    await expect(removeControlFile('/dev/null')).rejects.toThrow();
  });
});
