// The order, the waits and the batches of the sender; the test answers in place of AWS and controls the time. The real SDK
// with a real server is in test/integration/eventBridge.test.ts.
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DeskEvent } from '../../../main/shared/deskEvent.ts';
import { MAX_BYTES, MAX_ENTRIES, sizeOf, type EventBridge } from '../../../main/status/eventBridge.ts';
import { Outbox } from '../../../main/status/outbox.ts';
import {
  REQUEST_TIMEOUT_MS,
  bench,
  entryErrors,
  failing,
  numbered,
  taken,
  unanswered,
  type Answer,
} from '../support/eventBridge.ts';
import { statusEvent } from '../support/statusEvents.ts';

describe('a heartbeat', () => {
  const beat = (id: string) => statusEvent(id) as unknown as DeskEvent;

  it('takes the place behind the status events, and only the newest is sent', async () => {
    const { sender, requests, outbox, run } = await bench(['a', 'b']);
    for (const id of ['old', 'older', 'newest']) sender.offer(beat(id));
    expect(outbox.pending).toBe(2);
    await run();
    expect(requests).toEqual([['a', 'b', 'newest']]);
    await sender.idle();
    expect(requests).toHaveLength(1);
  });

  it('does not displace one of ten status events, and follows them', async () => {
    const { sender, requests, run } = await bench(numbered(10));
    sender.offer(beat('beat'));
    await run();
    expect(requests.map((one) => one.length)).toEqual([10, 1]);
  });

  it('that is refused is dropped, and costs the status events nothing', async () => {
    const { sender, requests, answers, outbox, run } = await bench(['a']);
    sender.offer(beat('beat'));
    answers.push(entryErrors({ beat: 'InvalidArgument' }));
    await run();
    expect(requests).toEqual([['a', 'beat']]);
    expect(outbox.pending).toBe(0);
  });

  it('that fails for a while is replaced by a newer one, without an earlier attempt', async () => {
    const { sender, requests, answers, timers, run, passWait } = await bench();
    sender.offer(beat('one'));
    answers.push(failing('InternalFailure', 500));
    await run();
    for (const id of ['two', 'three']) sender.offer(beat(id));
    await sender.idle();
    expect(requests).toEqual([['one']]);
    expect(timers).toHaveLength(1);
    await passWait();
    expect(requests).toEqual([['one'], ['three']]);
  });

  it('is not kept without a bus', async () => {
    const { sender, policy, requests, run } = await bench();
    policy.eventBusName = null;
    sender.offer(beat('beat'));
    policy.eventBusName = 'bus';
    await run();
    expect(requests).toEqual([]);
  });
});

describe('when it sends', () => {
  it('not before start(); then what was there and what is added, without a timer', async () => {
    const { sender, requests, timers, run } = await bench(['a']);
    await sender.add(statusEvent('b'));
    await sender.idle();
    expect(requests).toEqual([]);
    await run();
    expect(requests).toEqual([['a', 'b']]);
    await sender.add(statusEvent('c'));
    await sender.idle();
    expect(requests).toEqual([['a', 'b'], ['c']]);
    expect(timers).toEqual([]);
  });

  it('what is added while a request is under way goes with the next', async () => {
    const { sender, answers, requests, run } = await bench(['a']);
    answers.push(async (ids) => {
      await sender.add(statusEvent('b'));
      await sender.add(statusEvent('c'));
      return taken(ids, new AbortController().signal);
    });
    await run();
    expect(requests).toEqual([['a'], ['b', 'c']]);
  });

  it('what is added just after the outbox was found empty is not forgotten', async () => {
    const late: { sender: EventBridge | null } = { sender: null };
    class Late extends Outbox {
      private late = true;
      override async read(limit: number): ReturnType<Outbox['read']> {
        const entries = await super.read(limit);
        if (entries.length === 0 && this.late) {
          this.late = false;
          await late.sender?.add(statusEvent('late'));
        }
        return entries;
      }
    }
    const { requests, run, sender } = await bench(['a'], 1, Late);
    late.sender = sender;
    await run();
    expect(requests).toEqual([['a'], ['late']]);
  });

  it('an addition does not shorten a wait', async () => {
    const { sender, answers, requests, timers, run, passWait } = await bench(['a']);
    answers.push(failing('InternalFailure', 500));
    await run();
    await sender.add(statusEvent('b'));
    await sender.idle();
    expect(requests).toEqual([['a']]);
    expect(timers).toHaveLength(1);
    await passWait();
    expect(requests).toEqual([['a'], ['a', 'b']]);
  });
});

describe('without a bus', () => {
  it('nothing is added or sent; what waits is sent when policy names one again', async () => {
    const { policy, outbox, sender, requests, run } = await bench(['a']);
    policy.eventBusName = null;
    await run();
    await sender.add(statusEvent('b'));
    expect([outbox.pending, requests]).toEqual([1, []]);
    policy.eventBusName = 'bus';
    sender.policyChanged(new Set(['eventBusName']));
    await sender.idle();
    expect(requests).toEqual([['a']]);
  });
});

describe('a request', () => {
  it('has at most ten events', async () => {
    const { requests, run } = await bench(numbered(21));
    await run();
    expect(requests.map((ids) => ids.length)).toEqual([MAX_ENTRIES, MAX_ENTRIES, 1]);
    expect(requests.flat()).toEqual(numbered(21));
  });

  it('has at most 256 KB as AWS counts them, and may be filled to the last byte', async () => {
    const probe = await bench(['probe']);
    await probe.run();
    // The same length of id as the probe's, so that the sizes are known.
    const half = MAX_BYTES / 2 - sizeOf(probe.entries[0]!);
    const { outbox, requests, run } = await bench();
    await outbox.add(statusEvent('half1', half));
    await outbox.add(statusEvent('half2', half));
    await outbox.add(statusEvent('half3', half));
    await outbox.add(statusEvent('half4', half + 1));
    await run();
    expect(requests).toEqual([['half1', 'half2'], ['half3'], ['half4']]);
  });

  it('counts bytes, not characters', () => {
    expect(sizeOf({ Source: 'é', DetailType: '', Detail: '€', Resources: ['a', 'bc'] })).toBe(14 + 2 + 3 + 3);
  });
});

describe('the waits', () => {
  it('double for what passes, up to five minutes, and start again after a success', async () => {
    const { answers, sender, run, passWait } = await bench(['a']);
    for (let count = 0; count < 11; count += 1) answers.push(failing('ThrottlingException', 400));
    await run();
    const waits: number[] = [];
    for (let count = 0; count < 11; count += 1) waits.push(await passWait());
    expect(waits).toEqual([
      ...[2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000],
    ]);
    answers.push(failing('ThrottlingException', 400));
    await sender.add(statusEvent('b'));
    await run();
    expect(await passWait()).toBe(2000);
  });

  it.each([0, 0.25, 0.999])('are drawn from nothing to the longest: %s', async (random) => {
    const { answers, run, passWait } = await bench(['a'], random);
    answers.push(failing('InternalFailure', 500));
    await run();
    expect(await passWait()).toBe(2000 * random);
  });

  it('are long at once where something has to be fixed', async () => {
    const { answers, run, passWait } = await bench(['a']);
    answers.push(failing('AccessDeniedException', 400), failing('AccessDeniedException', 400));
    await run();
    expect([await passWait(), await passWait()]).toEqual([300_000, 300_000]);
  });

  it('end when policy names another bus, and events go there', async () => {
    const { policy, answers, requests, entries, sender, timers, run } = await bench(['a']);
    answers.push(failing('AccessDeniedException', 400));
    await run();
    policy.eventBusName = 'other';
    sender.policyChanged(new Set(['eventBusName']));
    await sender.idle();
    expect(requests).toEqual([['a'], ['a']]);
    expect(entries.map(({ EventBusName }) => EventBusName)).toEqual(['bus', 'other']);
    expect(timers).toEqual([]);
  });

  it('do not begin where the change of policy aborted the request', async () => {
    const { answers, forgotten, requests, sender, timers } = await bench(['a']);
    const { answer, underWay } = unanswered();
    answers.push(answer);
    sender.start();
    await underWay;
    sender.policyChanged(new Set(['fps']));
    expect(forgotten()).toBe(0);
    sender.policyChanged(new Set(['awsProfile']));
    await sender.idle();
    expect(forgotten()).toBe(1);
    expect(requests).toEqual([['a'], ['a']]);
    expect(sender.lastProblem).toBeNull();
    expect(timers).toEqual([]);
  });

  it('do not begin after stop(), and stop() aborts the request under way', async () => {
    const { answers, requests, outbox, sender, timers } = await bench(['a']);
    const { answer, underWay } = unanswered();
    answers.push(answer);
    sender.start();
    await underWay;
    await sender.stop();
    await sender.add(statusEvent('b'));
    sender.policyChanged(new Set(['awsProfile']));
    await sender.idle();
    expect(requests).toHaveLength(1);
    expect(timers).toEqual([]);
    expect(outbox.pending).toBe(2);
    expect(sender.lastProblem).toBeNull();
  });

  it('a request without an answer is aborted after its time', async () => {
    const { answers, outbox, sender, timers, passWait } = await bench(['a']);
    const { answer, underWay } = unanswered();
    answers.push(answer);
    sender.start();
    await underWay;
    expect(await passWait()).toBe(REQUEST_TIMEOUT_MS);
    expect(sender.lastProblem).toMatchObject({ code: 'ETIMEDOUT', permanent: false });
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([2000]);
    await passWait();
    expect(outbox.pending).toBe(0);
    expect(sender.lastProblem).toBeNull();
  });
});

describe('an answer', () => {
  it('that took some: the others are sent again, before what came later', async () => {
    const { answers, requests, run, passWait } = await bench(numbered(12));
    answers.push(entryErrors({ r2: 'ThrottlingException', r5: 'InternalFailure' }));
    await run();
    await passWait();
    expect(requests[1]).toEqual(['r2', 'r5', 'r10', 'r11']);
  });

  it('that took some never counts as progress lost: the wait does not grow', async () => {
    const { answers, run, passWait } = await bench(['a', 'b', 'c']);
    answers.push(entryErrors({ b: 'InternalFailure', c: 'InternalFailure' }));
    answers.push(entryErrors({ c: 'InternalFailure' }));
    await run();
    expect([await passWait(), await passWait()]).toEqual([2000, 2000]);
  });

  it('with a code of an entry that needs a fix: kept, with the long wait', async () => {
    const { answers, outbox, sender, run, passWait } = await bench(['a', 'b']);
    answers.push(entryErrors({ a: 'NotAuthorizedForSourceException', b: 'InternalFailure' }));
    await run();
    expect(sender.lastProblem).toMatchObject({ code: 'NotAuthorizedForSourceException', permanent: true });
    expect(await passWait()).toBe(300_000);
    expect(outbox.pending).toBe(0);
  });

  it('with an unknown code: retried', async () => {
    const { answers, outbox, run, passWait } = await bench(['a']);
    answers.push(entryErrors({ a: 'FromTheFuture' }));
    await run();
    expect(outbox.pending).toBe(1);
    await passWait();
    expect(outbox.pending).toBe(0);
  });

  it('for fewer events than were sent confirms none', async () => {
    const { answers, outbox, requests, run, passWait } = await bench(['a', 'b']);
    answers.push(() => Promise.resolve([{}]));
    await run();
    expect(outbox.pending).toBe(2);
    await passWait();
    expect(requests[1]).toEqual(['a', 'b']);
  });

  it.each(['ValidationException', 'SerializationException', 'RequestEntityTooLarge'])(
    '%s for a whole request: one by one, and only the culprit is set aside',
    async (code) => {
      const { answers, folder, requests, lines, timers, run } = await bench(numbered(4));
      const refusing: Answer = (ids, signal) =>
        ids.includes('r2') ? failing(code, 400)(ids, signal) : taken(ids, signal);
      answers.push(refusing, refusing, refusing, refusing, refusing);
      await run();
      expect(requests).toEqual([numbered(4), ['r0'], ['r1'], ['r2'], ['r3']]);
      expect(await readdir(folder)).toEqual(['0000000000000003.json.refused']);
      expect(lines).toMatchObject([{ level: 'error', fields: { code } }]);
      expect(timers).toEqual([]);
    },
  );

  it('about credentials has them read again, another one has not', async () => {
    const { answers, forgotten, run, passWait } = await bench(['a']);
    answers.push(failing('InternalFailure', 500), failing('ExpiredTokenException', 400));
    await run();
    expect(forgotten()).toBe(0);
    await passWait();
    expect(forgotten()).toBe(1);
  });
});

describe('the log', () => {
  it('has each new reason once, and the end', async () => {
    const { answers, at, lines, sender, run, passWait } = await bench(['a']);
    const [throttled, denied] = [failing('ThrottlingException', 400), failing('AccessDeniedException', 400)];
    answers.push(throttled, throttled, denied, denied, throttled);
    await run();
    at(2000);
    for (let count = 0; count < 4; count += 1) await passWait();
    expect(sender.lastProblem).toMatchObject({ code: 'ThrottlingException', since: 2000 });
    await passWait();
    expect(lines.map(({ level, fields }) => [level, fields.code ?? fields.was])).toEqual([
      ['warn', 'ThrottlingException'],
      ['warn', 'AccessDeniedException'],
      ['warn', 'ThrottlingException'],
      ['info', 'ThrottlingException'],
    ]);
    expect(sender.lastProblem).toBeNull();
  });
});

describe('an outbox that cannot be read', () => {
  it('is retried like anything else that may pass', async () => {
    const { folder, sender, lines, run, passWait, outbox } = await bench(['a']);
    // The folder is swapped for a file, since root may read anything.
    await rename(folder, `${folder}.away`);
    await writeFile(folder, '');
    await run();
    expect(sender.lastProblem).toMatchObject({ code: 'ENOTDIR', permanent: false });
    expect(lines).toMatchObject([{ level: 'warn', fields: { code: 'ENOTDIR' } }]);
    await rm(folder);
    await rename(`${folder}.away`, folder);
    await passWait();
    expect(outbox.pending).toBe(0);
  });
});
