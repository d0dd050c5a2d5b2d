// The overview over a real hub, a real queue and a real file of events; displays and ffmpeg are ports that say one thing.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { OverviewOptions } from '../../../main/statusWindow/overview.ts';
import { Overview } from '../../../main/statusWindow/overview.ts';
import { loadPolicy } from '../../../main/policy/load.ts';
import type { ShownState } from '../../../main/shared/ipc.ts';
import { StatusHub } from '../../../main/status/hub.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';
import { NOW, bench, systemError } from '../support/publisher.ts';
import { statusEvent } from '../support/statusEvents.ts';

async function stage(options: Partial<OverviewOptions> = {}) {
  const on = await bench(1, 'rec-1');
  const dataDir = await temporaryFolder();
  const { values: policy } = loadPolicy({ machine: [], flags: { dataDir }, environment: {} });
  const hub = new StatusHub();
  const opened: string[] = [];
  let displaysAsked = 0;
  const overview = new Overview({
    services: {
      hub,
      port: 5431,
      publisher: on.publisher,
      session: { current: { contacts: [], agentSuspension: null } },
      parts: {
        policy,
        clock: { now: () => NOW },
        currentSession: { sessionOf: () => on.session, watch: () => () => undefined },
        displays: {
          current: () => Promise.resolve(void (displaysAsked += 1)).then(() => null),
          onChange: () => undefined,
        },
        finder: { current: null, find: () => Promise.reject(new Error('none')) },
      },
    },
    state: () => hub.state,
    shown: () => ({
      text: { icon: 'idle', title: 'Not recording', reason: null, technical: null, uploads: null },
      since: null,
      agent: 'no',
    }),
    versions: [],
    suspend: () => Promise.resolve(true),
    runChecks: () => Promise.resolve([]),
    exportDiagnostics: () => Promise.resolve({ status: 'cancelled' }),
    openPath: (path) => Promise.resolve(void opened.push(path)),
    log: keepingLogger().log,
    ...options,
  });
  return { on, overview, hub, opened, policy, displaysAsked: () => displaysAsked };
}

/** The next pushed state for which it is so. */
function next(overview: Overview, isSo: (state: ShownState) => boolean): Promise<ShownState> {
  return new Promise((resolve) => {
    const end = overview.watch((state) => {
      if (!isSo(state)) return;
      end();
      resolve(state);
    });
  });
}

async function publishedEvents(file: string, locations: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(locations).map(([recordingId, location]) => {
    const event = statusEvent(recordingId);
    const time = event.time;
    const recordingInfo = { startTime: time, endTime: time, publishTime: time, location };
    return JSON.stringify({
      ...event,
      detail: {
        ...event.detail,
        eventDeduplicationId: `${recordingId}:PUBLISHED`,
        recordingStatus: 'PUBLISHED',
        recordingInfo: { ...recordingInfo, durationInMillis: 1, sizeInBytes: 1 },
      },
    });
  });
  await writeFile(file, `${lines.join('\n')}\n`);
}

describe('the overview', () => {
  it('pushes several changes of one turn once, with a revision that rises', async () => {
    const { overview, hub } = await stage();
    const told: ShownState[] = [];
    await next(overview, ({ screen }) => screen.monitors.status === 'none');
    const end = overview.watch((state) => told.push(state));
    await next(overview, ({ screen }) => screen.monitors.status === 'none');
    told.length = 0;
    for (const state of ['starting', 'recording', 'suspended'] as const) hub.update({ state });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(told.map(({ state }) => state)).toEqual(['suspended']);
    hub.update({ state: 'idle' });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(told[1]?.rev).toBeGreaterThan(told[0]?.rev ?? Infinity);
    end();
  });

  it('does nothing without a watcher', async () => {
    const { overview, hub, displaysAsked } = await stage();
    hub.update({ state: 'recording' });
    expect(displaysAsked()).toBe(0);
    await next(overview, ({ screen }) => screen.monitors.status === 'none');
    const asked = displaysAsked();
    hub.update({ state: 'idle' });
    hub.pushEvent(statusEvent('rec-1'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(displaysAsked()).toBe(asked);
  });

  it('retries what rests, by its id, and says when there is nothing', async () => {
    const { overview, on } = await stage();
    on.outcomes = [systemError('EROFS')];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    expect(overview.handlers['recordings.retry']('nobody')).toBe(false);
    expect(overview.handlers['recordings.retry']('rec-1')).toBe(true);
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1']);
  });

  it('opens folders of recordings inside the sink, and nothing else', async () => {
    const { overview, opened, policy } = await stage();
    const inside = join(policy.sinkFolder, 'a', 'one.mp4');
    await mkdir(policy.dataDir, { recursive: true });
    await publishedEvents(policy.statusEventsFile, {
      inside: pathToFileURL(inside).href,
      outside: 'file:///etc/passwd',
      above: pathToFileURL(join(policy.sinkFolder, '..', 'spool.key')).href,
      far: 's3://bucket/one.mp4',
    });
    await next(overview, ({ recordings }) => recordings.length === 4);
    const open = overview.handlers['recordings.openFolder'];
    for (const id of ['outside', 'above', 'far', 'unknown', inside]) expect(await open(id)).toBe(false);
    expect(opened).toEqual([]);
    expect(await open('inside')).toBe(true);
    expect(await open(null)).toBe(true);
    expect(opened).toEqual([inside, policy.sinkFolder]);
  });

  it('runs the checks once for all who ask at the same time, and says why when it cannot', async () => {
    let runs = 0;
    const { overview } = await stage({
      runChecks: () => {
        runs += 1;
        return runs === 1 ? Promise.resolve([]) : Promise.reject(new Error('no disk'));
      },
    });
    const ask = overview.handlers['checks.run'];
    await Promise.all([ask(), ask()]);
    expect(runs).toBe(1);
    expect(overview.shown().checks).toEqual({ status: 'done', at: NOW, results: [] });
    await ask();
    expect(overview.shown().checks).toEqual({ status: 'impossible', message: 'no disk' });
  });

  it('hands a suspension on, and reports a refusal', async () => {
    const asked: boolean[] = [];
    const { overview } = await stage({ suspend: (suspended) => Promise.resolve(asked.push(suspended) > 1) });
    expect(await overview.handlers['capture.suspend'](true)).toBe(false);
    expect(await overview.handlers['capture.suspend'](false)).toBe(true);
    expect(asked).toEqual([true, false]);
  });

  it('returns the outcome of an export', async () => {
    const { overview } = await stage({ exportDiagnostics: () => Promise.reject(new Error('disk full')) });
    const outcome = await overview.handlers['diagnostics.export']();
    expect(outcome).toEqual({ status: 'failed', message: 'disk full' });
  });
});
