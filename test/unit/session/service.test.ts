// The session over a disk that fails: what is acknowledged, what is refused, and when.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../main/platform/log.ts';
import type { SessionPorts } from '../../../main/session/service.ts';
import { Session } from '../../../main/session/service.ts';
import type { SessionRecord } from '../../../main/session/state.ts';
import { SightlineError } from '../../../main/shared/errors.ts';
import { containing } from '../support/matchers.ts';
import { agent } from '../support/journalEntries.ts';
import { testPolicy } from '../support/session.ts';

const contactId = 'c-1';

/** A session whose disk takes records only while `takes` is true, and whose capture has a frame at once. */
function sessionOnDisk() {
  const it = {
    takes: true,
    guards: true,
    /** The disk neither takes anything nor fails: no write and no guard settles. */
    stalls: false,
    announced: [] as string[],
    aborted: [] as string[],
    written: [] as string[],
  };
  let waiting: { record: SessionRecord; resolve: () => void }[] = [];
  let ids = 0;
  const flush = (): void => {
    if (!it.takes || it.stalls) return;
    for (const { record, resolve } of waiting) {
      it.written.push(record.type);
      resolve();
    }
    waiting = [];
  };
  const ports: SessionPorts = {
    clock: { now: () => Date.now(), steps: 0, fromWall: (wall) => wall },
    capture: {
      start: (runId) => {
        // As services.ts does: a run is live once the journal has it.
        const at = Date.now();
        void journal({ type: 'contact.recording', recordingId: runId, startTime: at }).then(() =>
          session.dispatch({ type: 'run.live', runId, firstFrameAt: Date.now() }),
        );
      },
      abort: (runId) => {
        it.aborted.push(runId);
        queueMicrotask(() => session.dispatch({ ...ended, runId, at: Date.now() }));
      },
      stop: (runId, at) => queueMicrotask(() => session.dispatch({ ...ended, runId, at })),
      flushUntil: () => undefined,
    },
    journal: (record) => journal(record),
    guard: () => {
      if (it.stalls) return new Promise(() => undefined);
      return it.takes || it.guards
        ? Promise.resolve()
        : Promise.reject(new SightlineError('SPOOL_FULL', 'The disk is full.'));
    },
    announce: ({ status }) => it.announced.push(status),
    pushResumed: () => undefined,
    publish: () => undefined,
    onState: () => undefined,
    newId: () => `id-${++ids}`,
    log: silentLogger,
  };
  const ended = { type: 'run.ended', fault: null, permanent: false } as const;
  function journal(record: SessionRecord): Promise<void> {
    return new Promise((resolve) => {
      waiting.push({ record, resolve });
      flush();
    });
  }
  const session = new Session(ports, { ...testPolicy, agentMaySuspend: false });
  return Object.assign(it, {
    session,
    /** Whose journal can be written; that of the one before never will be. */
    turnToAnotherFolder: () => {
      waiting = [];
      it.takes = true;
    },
    takeAgain: () => {
      it.takes = true;
      flush();
    },
  });
}

async function recording(): Promise<ReturnType<typeof sessionOnDisk>> {
  const it = sessionOnDisk();
  await it.session.hello('page', agent);
  await it.session.contact({ type: 'contact.start', contactId, channel: 'VOICE' });
  return it;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a suspend', () => {
  it('is acknowledged although the disk is full when a restart would still be suspended', async () => {
    const it = await recording();
    it.takes = false;
    await it.session.contact({ type: 'contact.suspend', contactId });
    expect(it.aborted).toHaveLength(1);
  });

  it('that would be forgotten by a restart is refused, stops capture all the same, and can be sent again', async () => {
    const it = await recording();
    it.takes = it.guards = false;
    await expect(it.session.contact({ type: 'contact.suspend', contactId })).rejects.toMatchObject({
      code: 'SUSPEND_FAILED',
      message: containing('Capture has stopped'),
    });
    expect(it.aborted).toHaveLength(1);
    it.takeAgain();
    await it.session.contact({ type: 'contact.suspend', contactId });
    expect(it.written).toContain('contact.suspended');
  });
});

describe('while the disk takes nothing', () => {
  it('a stop is answered at its deadline, and acknowledged and announced once it is written', async () => {
    const it = await recording();
    it.takes = false;
    const stop = it.session.contact({ type: 'contact.stop', contactId });
    const refused = expect(stop).rejects.toMatchObject({ code: 'CAPTURE_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(15_000);
    await refused;
    expect(it.announced).toEqual(['INITIATED']);
    it.takeAgain();
    await vi.waitFor(() => expect(it.announced).toEqual(['INITIATED', 'COMPLETED']));
    expect(await it.session.contact({ type: 'contact.stop', contactId })).toHaveProperty('endTime');
  });

  it('a start fails at its deadline, and is announced as INITIATED and FAILED', async () => {
    const it = sessionOnDisk();
    await it.session.hello('page', agent);
    it.takes = false;
    const start = it.session.contact({ type: 'contact.start', contactId, channel: 'VOICE' });
    const refused = expect(start).rejects.toMatchObject({ code: 'CAPTURE_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(10_000);
    await refused;
    await vi.waitFor(() => expect(it.announced).toEqual(['INITIATED', 'FAILED']));
  });

  it('a page that comes back gets its hello answered', async () => {
    const it = await recording();
    it.takes = false;
    it.session.pageLeft('page');
    expect(await it.session.hello('page-2', agent)).toHaveLength(1);
  });

  it('the next contact does not wait for what the one before could not write', async () => {
    const it = await recording();
    it.takes = false;
    const stop = it.session.contact({ type: 'contact.stop', contactId });
    await vi.waitFor(() => expect(it.session.recordings()).toEqual([]));
    it.turnToAnotherFolder();
    await it.session.contact({ type: 'contact.start', contactId: 'c-2', channel: 'VOICE' });
    const refused = expect(stop).rejects.toMatchObject({ code: 'CAPTURE_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(15_000);
    await refused;
  });
});

describe('while the disk stalls', () => {
  const other = { contactId: 'c-2' };
  it.each([
    ['hello', 10_000, 'SERVICE_ISSUE', (it) => it.session.hello('page-2', agent)],
    [
      ...(['contact.start', 10_500, 'CAPTURE_TIMEOUT'] as const),
      (it) => it.session.contact({ type: 'contact.start', channel: 'VOICE', ...other }),
    ],
    [
      ...(['contact.suspend', 5_000, 'SUSPEND_FAILED'] as const),
      (it) => it.session.contact({ type: 'contact.suspend', contactId }),
    ],
    [
      ...(['contact.stop', 15_000, 'CAPTURE_TIMEOUT'] as const),
      (it) => it.session.contact({ type: 'contact.stop', contactId }),
    ],
    [
      ...(['a refused contact.resume', 15_000, 'CAPTURE_TIMEOUT'] as const),
      (it) => it.session.contact({ type: 'contact.resume', ...other }),
    ],
  ] satisfies [string, number, string, (it: ReturnType<typeof sessionOnDisk>) => Promise<unknown>][])(
    '%s is answered at its deadline',
    async (_, deadlineMs, code, ask) => {
      const it = await recording();
      it.stalls = true;
      const outcome = ask(it).then(
        () => 'answered',
        (error: unknown) => error,
      );
      await vi.advanceTimersByTimeAsync(deadlineMs - 1);
      expect(await Promise.race([outcome, Promise.resolve('waiting')])).toBe('waiting');
      await vi.advanceTimersByTimeAsync(1);
      expect(await Promise.race([outcome, Promise.resolve('waiting')])).toMatchObject({ code });
    },
  );
});
