import { describe, expect, it } from 'vitest';
import type { Stoppable } from '../../main/stopServices.ts';
import { stopServices } from '../../main/stopServices.ts';
import { keepingLogger } from './support/logs.ts';

const never = new Promise<never>(() => undefined);
const done = (): Promise<void> => Promise.resolve();

function services(changes: Partial<Stoppable> = {}) {
  const { log, lines } = keepingLogger();
  const ended: string[] = [];
  const parts: Stoppable = {
    session: { shutdown: done },
    publisher: { idle: done, stop: () => void ended.push('publisher') },
    announcer: { idle: done },
    statusEvents: { retryNow: () => undefined, idle: done },
    eventBridge: { idle: done, stop: done },
    fleet: null,
    pauses: { stop: done },
    server: {
      close: () => {
        ended.push('server');
        return done();
      },
    },
    displays: { close: () => void ended.push('displays') },
    endFollowing: () => void ended.push('policy'),
    unlock: () => void ended.push('lock'),
    log,
    ...changes,
  };
  return { parts, ended, lines };
}

const ALL = ['publisher', 'displays', 'policy', 'server', 'lock'];

async function msOf(parts: Stoppable, withinMs: number): Promise<number> {
  const began = performance.now();
  await stopServices(parts, withinMs, 'terminated');
  return performance.now() - began;
}

describe('the end of the services', () => {
  it('is at once where nothing has to be waited for', async () => {
    const { parts, ended, lines } = services();
    expect(await msOf(parts, 5000)).toBeLessThan(500);
    expect(ended).toEqual(ALL);
    expect(lines).toEqual([]);
  });

  it.each<[string, Partial<Stoppable>]>([
    ['a run that never closes', { session: { shutdown: () => never } }],
    ['an upload that never ends', { publisher: { idle: () => never, stop: () => undefined } }],
    ['an event that is never written', { announcer: { idle: () => never } }],
    ['EventBridge', { eventBridge: { idle: () => never, stop: () => never } }],
    ['a session watch that does not end', { pauses: { stop: () => never } }],
    ['connections that stay', { server: { close: () => never } }],
  ])('is within its deadline in spite of %s, and the data folder is unlocked', async (_, changes) => {
    const { parts, ended, lines } = services(changes);
    expect(await msOf(parts, 1700)).toBeLessThan(2200);
    expect(ended.at(-1)).toBe('lock');
    expect(ended).toEqual(expect.arrayContaining(['displays', 'policy']));
    expect(lines.map(({ message }) => message)).toContain('did not end in time');
  });

  it('is whole when all of it hangs at once', async () => {
    const { parts, ended } = services({
      session: { shutdown: () => never },
      announcer: { idle: () => never },
      pauses: { stop: () => never },
      server: { close: () => never },
    });
    expect(await msOf(parts, 1700)).toBeLessThan(2200);
    expect(ended).toEqual(['publisher', 'displays', 'policy', 'lock']);
  });

  it('goes on after what fails, and says what failed', async () => {
    const { parts, ended, lines } = services({
      session: { shutdown: () => Promise.reject(new Error('the disk')) },
    });
    await stopServices(parts, 5000, 'terminated');
    expect(ended).toEqual(ALL);
    expect(lines).toMatchObject([{ message: 'did not end well', fields: { reason: 'Error: the disk' } }]);
  });
});
